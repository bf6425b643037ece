"""Prompts to train on: the evidence among similar passages of the same split, and the answer.

In: questions, chunks, the encoder. Out: one prompt and completion a question that fits into
`model.max_length`, and a reject for each that does not. The order of the passages is drawn from the
seed and the question's id, so a question that comes or goes changes no other.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np

from groundwork.answer.prompt import Shown, completion, fit, show, user_turn
from groundwork.config import DomainConfig
from groundwork.errors import InputError
from groundwork.records import Chunk, Question, Reject
from groundwork.train.config import TrainConfig

Messages = list[dict[str, str]]
ENCODED = 8
"""Texts that the encoder sees at a time."""


class Reason(StrEnum):
    """Why a pair is not trained on."""

    TOO_LONG = "too_long"
    NO_EVIDENCE = "no_evidence"


class TextEncoder(Protocol):
    """What ranks passages by similarity."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (B, D) of `texts`."""
        ...


@dataclass(frozen=True, slots=True)
class TrainingPair:
    """A prompt with the answer to learn, as chat messages."""

    question_id: str
    prompt: Messages
    completion: Messages
    tokens: int
    """Of both together, with the chat template's own."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Pairs in the order of the questions; `rejects` holds what did not become one."""

    pairs: tuple[TrainingPair, ...]
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True)
class _Task:
    """A question with its passages, most important first."""

    key: str
    question: Question
    gold: tuple[Chunk, ...]
    distractors: tuple[Chunk, ...]


def prepare_pairs(
    questions: Sequence[Question],
    chunks: Sequence[Chunk],
    *,
    encoder: TextEncoder,
    tokenizer: Any,
    settings: "Settings",
) -> Prepared:
    """Turn the questions of one split into prompts. Deterministic.

    `settings.config.refusals` of the answerable ones come once more without their evidence, with
    the refusal as their answer.
    """
    by_id = {chunk.passage_id: chunk for chunk in chunks}
    pairs: list[TrainingPair] = []
    rejects: list[Reject] = []
    tasks = 0
    for task in _tasks(questions, by_id, encoder=encoder, config=settings.config):
        tasks += 1
        made = _pair(task, tokenizer=tokenizer, settings=settings)
        if isinstance(made, TrainingPair):
            pairs.append(made)
        else:
            rejects.append(made)
    assert tasks == len(pairs) + len(rejects)
    return Prepared(tuple(pairs), tuple(rejects))


@dataclass(frozen=True, slots=True)
class Settings:
    """What a prompt depends on besides its question and passages."""

    config: TrainConfig
    domain: DomainConfig
    max_length: int
    """Tokens of prompt and completion together."""


def _tasks(
    questions: Sequence[Question],
    by_id: Mapping[str, Chunk],
    *,
    encoder: TextEncoder,
    config: TrainConfig,
) -> Iterator[_Task]:
    documents = {question.document_id for question in questions}
    documents |= {
        by_id[e.passage_id].document_id
        for q in questions
        for e in q.evidence
        if e.passage_id in by_id
    }
    pool = [chunk for chunk in by_id.values() if chunk.document_id in documents]
    pool_ND = _encode(encoder, [f"{chunk.title}\n{chunk.text}" for chunk in pool])
    questions_QD = _encode(encoder, [question.question for question in questions])
    for question, vector_D in zip(questions, questions_QD, strict=True):
        order = np.argsort(-(pool_ND @ vector_D), kind="stable")
        gold_ids = dict.fromkeys(evidence.passage_id for evidence in question.evidence)
        gold = tuple(by_id[i] for i in gold_ids if i in by_id)
        others = [pool[i] for i in order if pool[i].passage_id not in gold_ids]
        room = max(0, config.passages - len(gold))
        yield _Task(question.question_id, question, gold, tuple(others[:room]))
        if question.answerable and _draw(question, config) < config.refusals:
            key = f"{question.question_id}:refusal"
            elsewhere = [c for c in others if c.document_id != question.document_id]
            yield _Task(key, question, (), tuple(elsewhere[: config.passages]))


def _encode(encoder: TextEncoder, texts: Sequence[str]) -> np.ndarray:
    """A few texts at a time, short ones first: 120 MB less than all at once."""
    order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), i))
    parts = [order[i : i + ENCODED] for i in range(0, len(order), ENCODED)] or [order]
    vectors = np.concatenate([encoder.encode([texts[i] for i in part]) for part in parts])
    placed = np.empty_like(vectors)
    placed[order] = vectors
    return placed


def _draw(question: Question, config: TrainConfig) -> float:
    return random.Random(f"{config.seed}:{question.question_id}:refusal").random()  # noqa: S311


def _pair(task: _Task, *, tokenizer: Any, settings: Settings) -> TrainingPair | Reject:
    question = task.question
    refuses = not question.answerable or (not task.gold and task.key != question.question_id)
    if not refuses and not task.gold:
        found = ", ".join(e.passage_id for e in question.evidence) or "none"
        return Reject(task.key, Reason.NO_EVIDENCE, f"passages {found}: not in chunks.parquet")
    importance = [show(chunk) for chunk in (*task.gold, *task.distractors)]
    build = _builder(task, tokenizer=tokenizer, settings=settings, refuses=refuses)
    try:
        kept = fit(
            importance,
            protected=len(task.gold),
            room_tokens=settings.max_length,
            count=lambda shown: build(shown).tokens,
        )
    except InputError as error:
        return Reject(task.key, Reason.TOO_LONG, f"evidence and answer: {error}")
    return build(kept)


def _builder(
    task: _Task, *, tokenizer: Any, settings: Settings, refuses: bool
) -> Callable[[list[Shown]], TrainingPair]:
    """A function that makes the pair from the passages that are left."""
    ranks = list(range(len(task.gold) + len(task.distractors)))
    random.Random(f"{settings.config.seed}:{task.key}").shuffle(ranks)  # noqa: S311

    def build(shown: list[Shown]) -> TrainingPair:
        ordered = [shown[rank] for rank in ranks if rank < len(shown)]
        turn = user_turn(task.question.question, ordered, domain=settings.domain)
        answer = settings.domain.refusal if refuses else _answer(task.question, ordered)
        prompt = [{"role": "user", "content": turn}]
        reply = [{"role": "assistant", "content": answer}]
        encoded = tokenizer.apply_chat_template(prompt + reply, return_dict=True)
        return TrainingPair(task.key, prompt, reply, len(encoded["input_ids"]))

    return build


def _answer(question: Question, ordered: Sequence[Shown]) -> str:
    numbers = {item.chunk.passage_id: n for n, item in enumerate(ordered, start=1)}
    quotes = [
        (e.quote, numbers[e.passage_id]) for e in question.evidence if e.passage_id in numbers
    ]
    return completion(quotes)

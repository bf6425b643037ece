"""Prompts to train on: the evidence among similar passages of the same split, and the answer.

In: questions, the index, the encoder. Out: one prompt and completion a question that fits into
`model.max_length`, and a reject for each that does not. The order of the passages is drawn from the
seed and the question's id, so a question that comes or goes changes no other.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from groundwork.answer.extracts import extracts
from groundwork.answer.matching import Query, is_evidence, make_query, squash
from groundwork.answer.prompt import Shown, completion, fit, show, user_turn
from groundwork.config import DomainConfig
from groundwork.errors import InputError
from groundwork.index import Encoder, Index
from groundwork.records import Question, Reject
from groundwork.train.config import TrainConfig

Messages = list[dict[str, str]]


class Reason(StrEnum):
    """Why a pair is not trained on."""

    TOO_LONG = "too_long"
    NO_EVIDENCE = "no_evidence"
    NO_COUNTERPART = "no_counterpart"
    """Preference tuning found no ungrounded answer to set beside the grounded one."""


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
    """A question with the numbers of its passages in the index, most important first."""

    key: str
    question: Question
    query: Query
    gold: tuple[int, ...]
    distractors: tuple[int, ...]


def prepare_pairs(
    questions: Sequence[Question],
    index: Index,
    *,
    encoder: Encoder,
    tokenizer: Any,
    settings: "Settings",
) -> Prepared:
    """Turn the questions of one split into prompts. Deterministic.

    `settings.config.refusals` of the answerable ones come once more without their evidence, with
    the refusal as their answer.
    """
    pairs: list[TrainingPair] = []
    rejects: list[Reject] = []
    tasks = 0
    for task in _tasks(questions, index, encoder=encoder, config=settings.config):
        tasks += 1
        made = _pair(task, index, tokenizer=tokenizer, settings=settings)
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
    extracts: int
    """Sentences of the passages that a prompt shows; 0: the passages whole."""


def _tasks(
    questions: Sequence[Question], index: Index, *, encoder: Encoder, config: TrainConfig
) -> Iterator[_Task]:
    numbers = {chunk.passage_id: number for number, chunk in enumerate(index.chunks)}
    documents = {question.document_id for question in questions}
    documents |= {
        index.chunks[numbers[e.passage_id]].document_id
        for q in questions
        for e in q.evidence
        if e.passage_id in numbers
    }
    pool = [n for n, chunk in enumerate(index.chunks) if chunk.document_id in documents]
    encoded = encoder.encode_tokens([q.question for q in questions], skip=[0] * len(questions))
    for row, question in enumerate(questions):
        query = make_query(
            question.question,
            encoded.vectors_BD[row],
            encoded.tokens[row],
            spans=encoded.spans[row],
            lexicon=index.lexicon,
        )
        order = np.argsort(-(index.vectors_ND[pool] @ query.vector_D), kind="stable")
        gold_ids = dict.fromkeys(evidence.passage_id for evidence in question.evidence)
        gold = tuple(numbers[i] for i in gold_ids if i in numbers)
        others = [pool[i] for i in order if pool[i] not in gold]
        room = max(0, config.passages - len(gold))
        yield _Task(question.question_id, question, query, gold, tuple(others[:room]))
        if question.answerable and _draw(question, config) < config.refusals:
            key = f"{question.question_id}:refusal"
            elsewhere = [n for n in others if index.chunks[n].document_id != question.document_id]
            yield _Task(key, question, query, (), tuple(elsewhere[: config.passages]))


def _draw(question: Question, config: TrainConfig) -> float:
    return random.Random(f"{config.seed}:{question.question_id}:refusal").random()  # noqa: S311


def _pair(
    task: _Task, index: Index, *, tokenizer: Any, settings: Settings
) -> TrainingPair | Reject:
    question = task.question
    refuses = not question.answerable or (not task.gold and task.key != question.question_id)
    if not refuses and not task.gold:
        found = ", ".join(e.passage_id for e in question.evidence) or "none"
        return Reject(task.key, Reason.NO_EVIDENCE, f"passages {found}: not in artifacts/index")
    importance, order = _shown(task, index, settings=settings)
    build = _builder(task, order, tokenizer=tokenizer, settings=settings, refuses=refuses)
    gold_ids = {index.chunks[number].passage_id for number in task.gold}
    try:
        kept = fit(
            importance,
            protected=sum(item.chunk.passage_id in gold_ids for item in importance),
            room_tokens=settings.max_length,
            count=lambda shown: build(shown).tokens,
        )
    except InputError as error:
        return Reject(task.key, Reason.TOO_LONG, f"evidence and answer: {error}")
    return build(kept)


def _shown(task: _Task, index: Index, *, settings: Settings) -> tuple[list[Shown], list[int]]:
    """What the prompt shows, the evidence first, and the order in which it stands there.

    Whole passages stand in a drawn order; extracts as they do when the model answers: by rank.
    """
    numbers = (*task.gold, *task.distractors)
    if not settings.extracts:
        order = list(range(len(numbers)))
        random.Random(f"{settings.config.seed}:{task.key}").shuffle(order)  # noqa: S311
        return [show(index.chunks[number]) for number in numbers], order
    quotes = [squash(evidence.quote) for evidence in task.question.evidence]
    evidence = [
        s
        for number in task.gold
        for s in range(*index.first_sentence_N[number : number + 2])
        if is_evidence(_sentence(s, index), quotes)
    ]
    ranked = extracts(task.query, numbers, index, limit=settings.extracts, keep=evidence)
    gold_ids = {index.chunks[number].passage_id for number in task.gold}
    importance = sorted(ranked, key=lambda item: item.chunk.passage_id not in gold_ids)
    return importance, [importance.index(item) for item in ranked]


def _sentence(number: int, index: Index) -> str:
    span = index.sentences[number]
    return index.chunks[span.passage].text[span.start : span.end]


def _builder(
    task: _Task,
    order: Sequence[int],
    *,
    tokenizer: Any,
    settings: Settings,
    refuses: bool,
) -> Callable[[list[Shown]], TrainingPair]:
    """A function that makes the pair from the passages that are left."""

    def build(shown: list[Shown]) -> TrainingPair:
        ordered = [shown[rank] for rank in order if rank < len(shown)]
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

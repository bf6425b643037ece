"""An LLM teacher behind any OpenAI-compatible endpoint.

In: passages. Out: questions, and a reject for each answer or pair that cannot be used. What the
endpoint said is kept per passage in the content-addressed store, so an aborted run goes on where
it stopped and a second run asks nothing.
"""

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from groundwork.artifacts import code_version, sha256_bytes
from groundwork.qa.config import TeacherConfig
from groundwork.qa.endpoint import Endpoint, Reply
from groundwork.qa.pairs import Kind, Pair
from groundwork.qa.reasons import Reason
from groundwork.qa.rules import as_question
from groundwork.records import Chunk, Question, Reject
from groundwork.store import cached

ORIGIN = "teacher"
_DECLINES = re.compile(
    r"\s*(?:i(?:'|’)m sorry|i am sorry|sorry|i cannot|i can(?:'|’)t|as an ai)", re.I
)
_FENCE = re.compile(r"^\s*```(?:json)?\s*(?P<body>.*?)\s*```\s*$", re.DOTALL)
_SYSTEM = (
    "You write question-answer pairs that test whether a reader understood a passage. "
    "Answer with one JSON object and nothing else."
)
_TASK = """\
Write up to {pairs} question-answer pairs about the passage below.
{style}
Each question must be answered by the passage alone, be understood by somebody who has not seen the
passage (name the subject, no "this" or "it").
Each answer is one to three full sentences that say nothing beyond the passage.
Each quote is copied character by character from the passage and by itself supports the answer.
kind is one of: {kinds}.
Answer with {{"pairs": [{{"question": "…", "answer": "…", "quote": "…", "kind": "…"}}]}}; an empty
list when the passage holds nothing worth asking.

Page: {title}
Section: {heading}
Passage:
{text}"""


_STYLES = {
    "plain": "Ask as a textbook would: one fact a question, in the passage's own terms.",
    "user": (
        "Ask as a hurried user would type it: everyday words, not the passage's, and nothing that "
        "only an expert would call by that name."
    ),
    "reasoning": (
        "Ask for what follows from two or more sentences: causes, comparisons, conditions, sums."
    ),
}


class TaughtPair(BaseModel):
    """One pair as the teacher writes it."""

    model_config = ConfigDict(extra="ignore")

    question: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    quote: str = Field(min_length=1)
    kind: Literal[
        "fact", "number", "definition", "procedure", "comparison", "cause", "yes_no", "list"
    ]


class TaughtPairs(BaseModel):
    """The teacher's whole answer to one passage."""

    pairs: list[TaughtPair]


@dataclass(frozen=True, slots=True)
class Taught:
    """What the teacher made of all passages."""

    questions: tuple[Question, ...]
    rejects: tuple[Reject, ...]
    prompt_tokens: int
    completion_tokens: int
    cost: float = 0.0
    """By the prices of the configuration, in their currency; what was remembered is counted too."""


def generate_by_teacher(chunks: Sequence[Chunk], *, config: TeacherConfig) -> Taught:
    """Ask the teacher about each passage in each style, several at a time.

    Results are in the passages' order. What an earlier run was told is not asked again.

    Raises: `EndpointError` when the endpoint is down, refuses the key or does not know the model.
    """
    from tqdm import tqdm

    endpoint = Endpoint(config)
    version = code_version(Path(__file__).parent)
    asked = [(chunk, style) for chunk in chunks for style in config.styles]
    pool = ThreadPoolExecutor(max_workers=config.concurrency)
    try:
        replies = list(
            tqdm(
                pool.map(lambda task: _ask(task[0], task[1], endpoint, version), asked),
                desc=f"teacher {config.model}",
                total=len(asked),
                unit="request",
                disable=None,
            )
        )
    finally:
        pool.shutdown(cancel_futures=True)
    questions: list[Question] = []
    rejects: list[Reject] = []
    for (chunk, _), reply in zip(asked, replies, strict=True):
        taken, refused = _read(chunk, reply, config=config)
        questions += taken
        rejects += refused
    sent = sum(reply.prompt_tokens for reply in replies)
    received = sum(reply.completion_tokens for reply in replies)
    cost = (sent * config.prompt_price + received * config.completion_price) / 1e6
    return Taught(tuple(questions), tuple(rejects), sent, received, round(cost, 6))


def _ask(chunk: Chunk, style: str, endpoint: Endpoint, version: str) -> Reply:
    config = endpoint.config
    prompt = _TASK.format(
        style=_STYLES[style],
        pairs=config.pairs_per_passage,
        kinds=", ".join(Kind),
        title=chunk.title,
        heading=chunk.heading or "-",
        text=chunk.text,
    )
    settings = {
        name: getattr(config, name)
        for name in ("base_url", "model", "temperature", "max_tokens", "json_mode")
    }
    key = sha256_bytes(json.dumps([_SYSTEM, prompt, settings, version]).encode())
    stored = cached("qa_teacher", key, lambda: asdict(endpoint.complete(_SYSTEM, prompt)))
    return Reply(**stored)


def _read(
    chunk: Chunk, reply: Reply, *, config: TeacherConfig
) -> tuple[list[Question], list[Reject]]:
    where = f"{chunk.url} {chunk.passage_id}"
    if reply.refused or _DECLINES.match(reply.text):
        return [], [_reject(chunk, Reason.REFUSED, f"{where}: {reply.text[:120]!r}")]
    if reply.truncated:
        detail = f"{where}: the answer ended at qa.teacher.max_tokens={config.max_tokens}"
        return [], [_reject(chunk, Reason.TRUNCATED, detail)]
    fenced = _FENCE.match(reply.text)
    try:
        taught = TaughtPairs.model_validate_json(fenced["body"] if fenced else reply.text)
    except ValidationError as error:
        problem = f"{error.errors()[0]['msg']}: {reply.text[:120]!r}"
        return [], [_reject(chunk, Reason.BROKEN_JSON, f"{where}: {problem}")]
    questions, rejects = [], []
    for pair in taught.pairs:
        quote = _verbatim(pair.quote, chunk.text)
        if quote:
            made = Pair(
                " ".join(pair.question.split()), pair.answer.strip(), Kind(pair.kind), quote
            )
            questions.append(as_question(made, chunk=chunk, origin=ORIGIN))
        else:
            detail = f"{where}: {pair.question} — not in the passage: {pair.quote[:120]!r}"
            rejects.append(_reject(chunk, Reason.QUOTE, detail))
    return questions, rejects


def _reject(chunk: Chunk, reason: Reason, detail: str) -> Reject:
    return Reject(key=chunk.passage_id, reason=str(reason), detail=" ".join(detail.split()))


def _verbatim(quote: str, text: str) -> str:
    """The span of `text` that `quote` stands for, blanks apart; empty when there is none."""
    words = [re.escape(word) for word in quote.split()]
    found = re.search(r"\s+".join(words), text) if words else None
    return found.group() if found else ""

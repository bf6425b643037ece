"""Pairs in the formats that other trainers read: chat messages, Alpaca, ShareGPT.

In: questions, the passages that answer them, the domain's words. Out: one JSON object a pair. An
answerable question comes with the passages of its evidence; an unanswerable one with none, and its
answer is the refusal.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from groundwork.errors import InputError
from groundwork.records import Chunk, Question


class ExportFormat(StrEnum):
    """Formats by the name of what made them known."""

    CHAT = "chat"
    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one exported pair says."""

    system: str
    question: str
    context: str
    answer: str


def export_pairs(
    questions: Sequence[Question],
    chunks: Sequence[Chunk],
    *,
    form: ExportFormat,
    persona: str,
    refusal: str,
) -> Iterator[dict[str, Any]]:
    """One row a question, in their order.

    Raises: `InputError` when evidence names a passage that is not among the chunks.
    """
    passages = {chunk.passage_id: chunk for chunk in chunks}
    shape = _SHAPES[form]
    for question in questions:
        context = "\n\n".join(_passages(question, passages))
        answer = question.answer if question.answerable else refusal
        yield shape(Turn(persona, question.question, context, answer))


def _passages(question: Question, passages: Mapping[str, Chunk]) -> Iterator[str]:
    for passage_id in dict.fromkeys(evidence.passage_id for evidence in question.evidence):
        if passage_id not in passages:
            raise InputError(
                f"artifacts/qa: question {question.question_id} stands on passage {passage_id}, "
                "which artifacts/chunk does not hold; run `dvc repro qa`"
            )
        yield passages[passage_id].text


def _chat(turn: Turn) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": turn.system},
            {"role": "user", "content": _asked(turn)},
            {"role": "assistant", "content": turn.answer},
        ]
    }


def _alpaca(turn: Turn) -> dict[str, Any]:
    return {"instruction": turn.question, "input": turn.context, "output": turn.answer}


def _sharegpt(turn: Turn) -> dict[str, Any]:
    return {
        "conversations": [
            {"from": "system", "value": turn.system},
            {"from": "human", "value": _asked(turn)},
            {"from": "gpt", "value": turn.answer},
        ]
    }


def _asked(turn: Turn) -> str:
    return f"{turn.context}\n\n{turn.question}" if turn.context else turn.question


_SHAPES: dict[ExportFormat, Callable[[Turn], dict[str, Any]]] = {
    ExportFormat.CHAT: _chat,
    ExportFormat.ALPACA: _alpaca,
    ExportFormat.SHAREGPT: _sharegpt,
}

"""Exported pairs: what each format holds, and what cannot be exported."""

from typing import Any

import pytest

from groundwork.errors import InputError
from groundwork.qa import ExportFormat, export_pairs
from groundwork.records import Chunk, Evidence, Question

TEXT = "A residual current device trips at 30 mA."
CHUNK = Chunk(
    passage_id="p1", document_id="d1", url="https://example.org/", title="Safety", heading="",
    text=TEXT, start=0, end=len(TEXT), tokens=9, category="safety", licence="CC",
)  # fmt: skip


def question(*, answerable: bool = True, passage_id: str = "p1") -> Question:
    evidence = (Evidence(passage_id=passage_id, quote=TEXT, url=CHUNK.url),) if answerable else ()
    return Question(
        question_id="q1", question="At what current does it trip?",
        answer="At 30 mA." if answerable else "", answerable=answerable, category="safety",
        kind="number", evidence=evidence, facts=(), document_id="d1", split="train", origin="rules",
    )  # fmt: skip


def exported(form: ExportFormat, **changes: Any) -> dict[str, Any]:
    rows = export_pairs(
        [question(**changes)], [CHUNK], form=form, persona="Be brief.", refusal="I cannot say."
    )
    return next(rows)


def test_chat_messages_hold_persona_passage_question_and_answer() -> None:
    """The passage stands before the question, in the user's turn."""
    assert exported(ExportFormat.CHAT) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": f"{TEXT}\n\nAt what current does it trip?"},
            {"role": "assistant", "content": "At 30 mA."},
        ]
    }


def test_alpaca_keeps_the_passage_apart() -> None:
    """Instruction, input, output."""
    assert exported(ExportFormat.ALPACA) == {
        "instruction": "At what current does it trip?",
        "input": TEXT,
        "output": "At 30 mA.",
    }


def test_sharegpt_names_its_speakers() -> None:
    """system, human, gpt."""
    turns = exported(ExportFormat.SHAREGPT)["conversations"]
    assert [turn["from"] for turn in turns] == ["system", "human", "gpt"]
    assert turns[1]["value"] == f"{TEXT}\n\nAt what current does it trip?"


@pytest.mark.parametrize("form", list(ExportFormat))
def test_what_has_no_answer_is_refused_without_a_passage(form: ExportFormat) -> None:
    """The refusal is the answer; no passage is shown."""
    row = str(exported(form, answerable=False))
    assert "I cannot say." in row
    assert TEXT not in row


def test_evidence_without_its_passage_is_an_error() -> None:
    """The message names question, passage and way out."""
    with pytest.raises(InputError, match=r"q1 stands on passage gone.*dvc repro qa"):
        exported(ExportFormat.CHAT, passage_id="gone")

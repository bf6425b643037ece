"""Questions that a candidate and a champion of another day have in common.

The champion's rows were stored with its release. When the golden set or the pages changed since,
only questions that stayed the same can be compared one by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from groundwork.evaluate import Row
from groundwork.promote.gate import Decision, Reason
from groundwork.promote.pairing import gate_dataset
from groundwork.records import Split

LEAST_COMMON = 50
"""Fewer unchanged questions say too little about the set that they are left over from."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Rows about the same questions."""

    candidate_rows: tuple[Row, ...]
    champion_rows: tuple[Row, ...]
    common: int
    """Test questions that both sides were asked."""
    asked: int
    """Test questions that the candidates were asked."""
    missing: int
    """Test questions that only the champion was asked."""

    @property
    def note(self) -> str:
        """One sentence when the questions differ, else an empty string."""
        if self.common == self.asked and not self.missing:
            return ""
        return (
            f"the questions changed since the champion was evaluated: {self.common} of "
            f"{self.asked} are the same and were compared"
        )


def match_questions(candidate_rows: Sequence[Row], champion_rows: Sequence[Row]) -> Matched:
    """Keep the rows of questions that candidates and champion were asked alike, in their order."""
    dataset = gate_dataset(candidate_rows)
    candidates = [row for row in candidate_rows if _is_test(row, dataset)]
    champions = [row for row in champion_rows if _is_test(row, dataset)]
    ours, theirs = {_about(row) for row in candidates}, {_about(row) for row in champions}
    return Matched(
        candidate_rows=tuple(row for row in candidates if _about(row) in theirs),
        champion_rows=tuple(row for row in champions if _about(row) in ours),
        common=len(ours & theirs),
        asked=len(ours),
        missing=len(theirs - ours),
    )


def refuse_few(decision: Decision, matched: Matched) -> Decision:
    """Withhold the promotion when the questions changed and too few stayed the same."""
    if not matched.note or matched.common >= LEAST_COMMON:
        return decision
    detail = (
        f"{matched.note}; expected at least {LEAST_COMMON}. `groundwork release rollback VERSION` "
        "makes a registered release champion all the same"
    )
    return replace(decision, promoted=False, reasons=(Reason.OTHER_QUESTIONS,), details=(detail,))


def _is_test(row: Row, dataset: str) -> bool:
    return (row.dataset, row.split) == (dataset, Split.TEST)


def _about(row: Row) -> tuple[object, ...]:
    """What makes it the same question, asked for the same reason."""
    return (
        row.question_id,
        row.question,
        row.answerable,
        row.reference,
        row.facts,
        row.category,
    )

"""Are the rows of all sides fit to be compared question by question?"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum

from groundwork.errors import InputError
from groundwork.evaluate import Row
from groundwork.records import Split

Sides = Mapping[str, Sequence[Row]]
"""Rows by the name of a side: each candidate's answerer, and `champion`."""
CHAMPION = "champion"


class Fault(StrEnum):
    """Why rows cannot be compared."""

    NO_ROWS = "no_rows"
    DUPLICATE_ROWS = "duplicate_rows"
    NAN_ROWS = "nan_rows"
    MISSING_ROWS = "missing_rows"
    OTHER_QUESTIONS = "other_questions"


def gate_dataset(rows: Sequence[Row]) -> str:
    """`golden` when there are golden questions, else `generated`."""
    return "golden" if any(row.dataset == "golden" for row in rows) else "generated"


def make_sides(
    candidate_rows: Sequence[Row], champion_rows: Sequence[Row] | None, *, dataset: str
) -> dict[str, list[Row]]:
    """Test rows of `dataset` by side, sorted by question.

    Raises: `InputError` when the champion's rows are those of several answerers.
    """
    sides: dict[str, list[Row]] = {row.answerer: [] for row in candidate_rows}
    for row in candidate_rows:
        sides[row.answerer].append(row)
    if champion_rows is not None:
        answerers = sorted({row.answerer for row in champion_rows})
        if len(answerers) > 1:
            raise InputError(
                f"champion's rows: answerers {', '.join(answerers)}; expected those of one"
            )
        sides[CHAMPION] = list(champion_rows)
    return {name: _chosen(rows, dataset) for name, rows in sides.items()}


def _chosen(rows: Sequence[Row], dataset: str) -> list[Row]:
    chosen = [row for row in rows if (row.dataset, row.split) == (dataset, Split.TEST)]
    return sorted(chosen, key=lambda row: row.question_id)


def find_faults(sides: Sides, *, primary: str) -> dict[Fault, str]:
    """What makes the rows of `sides` unfit, each fault with one sentence; empty when they fit."""
    faults: dict[Fault, str] = {}
    if not sides:
        faults[Fault.NO_ROWS] = "no rows of any candidate"
    every = {row.question_id: row for rows in sides.values() for row in rows}
    for name, rows in sides.items():
        ids = [row.question_id for row in rows]
        changed = [row.question_id for row in rows if _about(row) != _about(every[row.question_id])]
        found = {
            Fault.NO_ROWS: [] if rows else ["test questions"],
            Fault.DUPLICATE_ROWS: sorted({i for i in ids if ids.count(i) > 1}),
            Fault.NAN_ROWS: [row.question_id for row in rows if not _is_whole(row, primary)],
            Fault.MISSING_ROWS: sorted(set(every) - set(ids)) if rows else [],
            Fault.OTHER_QUESTIONS: changed,
        }
        for fault, questions in found.items():
            if questions and fault not in faults:
                faults[fault] = _sentence(fault, name, questions, primary)
    return faults


def _sentence(fault: Fault, side: str, questions: Sequence[str], primary: str) -> str:
    more = f" and {len(questions) - 1} more" if len(questions) > 1 else ""
    about = f"{questions[0]}{more}"
    return {
        Fault.NO_ROWS: f"{side} has no rows about {about}",
        Fault.DUPLICATE_ROWS: f"{side} has several rows about {about}",
        Fault.NAN_ROWS: f"{side} has no finite {primary}, groundedness or latency for {about}",
        Fault.MISSING_ROWS: f"{side} has no row about {about}",
        Fault.OTHER_QUESTIONS: f"{side} was asked something else under the id {about}; "
        "evaluate both sides on the same questions",
    }[fault]


def _about(row: Row) -> tuple[object, ...]:
    """What makes it the same question."""
    return row.question, row.answerable, row.reference, row.facts, row.category


def _is_whole(row: Row, primary: str) -> bool:
    values = [row.scores.get(primary), row.latency_ms, row.scores.get("grounded", math.nan)]
    if row.scores.get(primary) is None:
        return False
    return all(value is None or math.isfinite(value) for value in values)

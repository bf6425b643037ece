"""Markdown spans become sentences for people."""

import pytest

from groundwork.answer.readable import readable
from groundwork.chunk import split_sentences

TABLE = """\
Rates by bicycle:

| Bicycle | Per day | |
|:---|---:|---|
| **City** | £12 | new |
| Tandem | | old |
"""


def _all(text: str) -> list[str]:
    return [readable(text, start=start, end=end) for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Plain words stay.", "Plain words stay."),
        ("**Lock** it `now`, __please__.", "Lock it now, please."),
        ("Call `__init__` or `*****`, **not** `a**b`.", "Call __init__ or *****, not a**b."),
        ("**`__main__`** and a lone ` mark.", "__main__ and a lone mark."),
        ("See [the rates](https://bikes.example/prices/).", "See the rates."),
        ("Two\n  lines   here.", "Two lines here."),
        ("- a pump", "a pump"),
        ("12) Sign here.", "Sign here."),
        ("7.4 kW is enough.", "7.4 kW is enough."),
    ],
)
def test_marks_go_and_words_stay(text: str, expected: str) -> None:
    """Emphasis, links, line breaks and list markers."""
    assert readable(text, start=0, end=len(text)) == expected


def test_row_carries_its_headings() -> None:
    """Cells without a heading stand alone; empty cells are left out."""
    assert _all(TABLE) == [
        "Rates by bicycle:",
        "Bicycle: City; Per day: £12; new.",
        "Bicycle: Tandem; old.",
    ]


def test_row_without_its_head_is_cells_alone() -> None:
    """A table that was cut, and a row with more cells than its head."""
    row = "| City | £12 | |"
    assert readable(row, start=0, end=len(row)) == "City; £12."
    wide = "| Bicycle | Per day |\n|---|---|\n| City | £12 | £50 |"
    assert _all(wide) == ["City; £12; £50."]


def test_row_belongs_to_the_table_right_above() -> None:
    """Of two tables the nearer head counts."""
    text = f"{TABLE}\n| Tool | Price |\n|---|---|\n| Pump | £3 |"
    assert _all(text)[-1] == "Tool: Pump; Price: £3."

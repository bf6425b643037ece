"""Passages: offsets, limits, headings, tables."""

import itertools
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from chunk_document import document_of

from groundwork.chunk import ChunkConfig, chunk_documents, count_tokens
from groundwork.chunk.config import HeadingsConfig
from groundwork.config import check
from groundwork.errors import ConfigError
from groundwork.records import Chunk

CONFIG = ChunkConfig(
    strategy="headings",
    target_tokens=60,
    max_tokens=80,
    table_tokens=100,
    overlap_tokens=15,
    parent_tokens=150,
    headings=HeadingsConfig(small_tokens=20, tiny_tokens=5),
    semantic=None,
)


def _chunk(text: str, **changes: Any) -> list[Chunk]:
    document = document_of(text)
    chunks = chunk_documents([document], config=replace(CONFIG, **changes))
    for chunk in chunks:
        assert document.text[chunk.start : chunk.end] == chunk.text
        assert chunk.tokens == count_tokens(chunk.text)
    return chunks


def _prose(number: int) -> str:
    return " ".join(f"Sentence {i} says that cables have limits." for i in range(number))


def _words_covered(text: str, chunks: list[Chunk]) -> bool:
    covered = {i for chunk in chunks for i in range(chunk.start, chunk.end)}
    return all(i in covered for i, letter in enumerate(text) if not letter.isspace())


def test_a_section_is_a_passage_with_its_headings() -> None:
    """The title is no heading; the headings above the text are, outermost first."""
    text = f"# Charging\n\n{_prose(4)}\n\n## At home\n\n{_prose(4)}\n\n### `Cables`\n\n{_prose(3)}"
    chunks = _chunk(text)
    assert [chunk.heading for chunk in chunks] == ["", "At home", "At home > Cables"]
    assert chunks[1].text == _prose(4)
    assert (chunks[0].title, chunks[0].licence) == ("Charging", "CC-BY-4.0")


def test_long_sections_are_cut_between_sentences_with_overlap() -> None:
    """Every passage ends with a sentence, begins with the last one's end, and keeps the limit."""
    text = _prose(40)
    chunks = _chunk(text)
    assert len(chunks) > 4
    assert all(chunk.tokens <= 80 for chunk in chunks)
    assert all(chunk.text.startswith("Sentence") for chunk in chunks)
    assert all(chunk.text.endswith("limits.") for chunk in chunks)
    assert all(b.start < a.end for a, b in itertools.pairwise(chunks))
    assert _words_covered(text, chunks)


def test_overlap_can_be_switched_off() -> None:
    """Without overlap passages do not share a character."""
    chunks = _chunk(_prose(40), overlap_tokens=0)
    assert all(a.end < b.start for a, b in itertools.pairwise(chunks))


def test_small_neighbours_join_under_the_same_heading_only() -> None:
    """Below one second-level heading small sections share a passage; across, only tiny ones."""
    text = (
        "## A\n\nOne rather short point stands here.\n\n### A1\n\n"
        "Another rather short point stands here."
        "\n\n## B\n\nThe third and last point stands here."
    )
    chunks = _chunk(text)
    assert [(chunk.heading, chunk.text) for chunk in chunks] == [
        (
            "A",
            "One rather short point stands here.\n\n### A1\n\n"
            "Another rather short point stands here.",
        ),
        ("B", "The third and last point stands here."),
    ]
    (whole,) = _chunk(text, headings=HeadingsConfig(small_tokens=20, tiny_tokens=10))
    assert (whole.heading, whole.text) == ("", text)


def test_joined_sections_keep_the_headings_that_they_do_not_share() -> None:
    """Two small sub-sections: the common heading is a heading, their own are in the text."""
    text = "## A\n\n### A1\n\nOne short point.\n\n### A2\n\nAnother rather short point stands here."
    (chunk,) = _chunk(text)
    assert (chunk.heading, chunk.text) == ("A", text.removeprefix("## A\n\n"))


def test_a_table_stays_whole_while_it_fits() -> None:
    """A table may be longer than a passage of prose, up to its own limit."""
    rows = "\n".join(f"| item {i} | value {i} |" for i in range(11))
    text = f"{_prose(6)}\n\n| Name | Value |\n|---|---|\n{rows}"
    chunks = _chunk(text)
    assert chunks[-1].text == text[text.index("| Name") :]
    assert 80 < chunks[-1].tokens <= 100


def test_a_long_table_is_cut_between_rows_and_its_head_goes_on() -> None:
    """Passages from the midst of a table name its head after the headings."""
    rows = "\n".join(f"| item number {i} | value {i} |" for i in range(40))
    other = "| Other | Table |\n|---|---|\n| x | y |"
    text = f"## Prices\n\n| Name | Value |\n|:--|--:|\n{rows}\n\n{other}"
    chunks = _chunk(text)
    assert len(chunks) > 3
    assert chunks[0].heading == "Prices"
    assert {chunk.heading for chunk in chunks[1:]} == {"Prices > Name | Value"}
    lines = set(text.split("\n"))
    assert all(line in lines for chunk in chunks for line in chunk.text.split("\n"))
    assert _words_covered(" " * 9 + text[9:], chunks)


def test_rows_without_a_head_and_a_head_without_rows() -> None:
    """Neither kind of half a table is lost."""
    rows = "\n".join(f"| item number {i} | value {i} |" for i in range(40))
    assert _words_covered(rows, _chunk(rows))
    head = "| " + " | ".join(f"column {i}" for i in range(60)) + " |\n" + "|---" * 60 + "|"
    assert _words_covered(head.split("\n")[0], _chunk(head))


def test_long_code_is_cut_between_lines() -> None:
    """Code is whole while it fits; else its lines are."""
    code = "\n".join(f"key_{i}: value  # remark {i}" for i in range(40))
    text = f"{_prose(2)}\n\n```\n{code}\n\n```"
    chunks = _chunk(text)
    assert len(chunks) > 2
    assert all(chunk.tokens <= 80 for chunk in chunks)
    assert _words_covered(text, chunks)


def test_a_sentence_or_word_that_is_too_long_is_cut() -> None:
    """No passage exceeds the limit, whatever the page holds."""
    text = "word " * 300 + "x1y2" * 20 + " " + ",".join("ab" * 40)
    chunks = _chunk(text.strip())
    assert all(chunk.tokens <= 80 for chunk in chunks)
    assert _words_covered(text, chunks)


def test_an_announcement_stays_with_its_list() -> None:
    """A sentence with a colon at its end begins the passage of what it announces."""
    for number, count in ((5, 4), (6, 20), (13, 4), (20, 8), (31, 31), (39, 12)):
        items = "\n".join(f"- item {i} of the things to check first" for i in range(count))
        text = f"{_prose(number)}\n\nCheck these:\n\n{items}"
        chunks = _chunk(text, overlap_tokens=0)
        (at,) = [i for i, chunk in enumerate(chunks) if "Check these:" in chunk.text]
        assert "- item 0" in chunks[at].text


def test_what_holds_no_word_is_no_passage() -> None:
    """A rule or an empty document gives nothing."""
    assert _chunk("") == []
    assert _chunk("---") == []


def test_identifiers_are_stable_and_unique() -> None:
    """The same document gives the same passages, each with its own id."""
    first, second = _chunk(_prose(40)), _chunk(_prose(40))
    assert first == second
    assert len({chunk.passage_id for chunk in first}) == len(first)


VALUES: dict[str, Any] = asdict(CONFIG)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("strategy", "sentences", "expected null under headings with strategy=sentences"),
        ("headings", None, "expected settings under headings with strategy=headings"),
        ("parent_tokens", 99, r"parent_tokens \(99\) of at least .* table_tokens \(100\)"),
        ("max_tokens", 256, "expected at most 254"),
        ("max_tokens", 50, r"target_tokens \(60\) of at most max_tokens"),
        ("overlap_tokens", 31, r"overlap_tokens \(31\) of at most half"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    key: str, value: Any, message: str
) -> None:
    """The message names the settings and their values."""
    with pytest.raises(ConfigError, match=message):
        check("chunk", ChunkConfig, VALUES | {key: value}, Path("params.yaml"))

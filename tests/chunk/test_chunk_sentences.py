"""Sentences of Markdown."""

import pytest

from groundwork.chunk import split_sentences


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It draws 7.4 kW. It stops.", ["It draws 7.4 kW.", "It stops."]),
        ("At 27 p/kWh, e.g. 5.4 p a mile.", ["At 27 p/kWh, e.g. 5.4 p a mile."]),
        ("See No. 6. The answer is no. It is.", ["See No. 6.", "The answer is no.", "It is."]),
        ("Wait 30 min. 5 A remain.", ["Wait 30 min.", "5 A remain."]),
        ("It takes 30 min. The car", ["It takes 30 min.", "The car"]),
        ("Under BS 7671:2018 (sec. 722). It", ["Under BS 7671:2018 (sec. 722).", "It"]),
        ("It draws 32 A. The car", ["It draws 32 A.", "The car"]),
        ("Fit an RCD of type B. It trips.", ["Fit an RCD of type B.", "It trips."]),
        ("Fit Type B. It trips.", ["Fit Type B.", "It trips."]),
        ("Ask Jane B. Smith. J. Doe too.", ["Ask Jane B. Smith.", "J. Doe too."]),
        ("In the U.S. Department of Energy", ["In the U.S. Department of Energy"]),
        ("Open until 7 p.m. The end.", ["Open until 7 p.m.", "The end."]),
        ("Until 7 p.m. on weekdays.", ["Until 7 p.m. on weekdays."]),
        ("Works with evcc. evcc reads it.", ["Works with evcc.", "evcc reads it."]),
        ("The min. speed is low.", ["The min. speed is low."]),
        ('He said "Stop." Then he left!', ['He said "Stop."', "Then he left!"]),
        ("**Mind the gap.** Go on… Now.", ["**Mind the gap.**", "Go on…", "Now."]),
        ("Why? because. Yahoo! is a name.", ["Why? because.", "Yahoo! is a name."]),
        ("Do this: 1. Plug in. 2. Wait.", ["Do this: 1.", "Plug in.", "2. Wait."]),
        ("Das heißt z. B. Strom.", ["Das heißt z. B. Strom."]),
        ("充电需要时间。请等待。", ["充电需要时间。", "请等待。"]),
        (". Odd start", [". Odd start"]),
    ],
)
def test_prose_is_cut_at_sentence_ends_alone(text: str, expected: list[str]) -> None:
    """Abbreviations, initials, decimals and units do not end a sentence."""
    assert _sentences(text) == expected


def test_items_and_rows_are_sentences_and_headings_are_not() -> None:
    """Markers are left out; heads and rules of tables and code are no sentences."""
    text = (
        "# A title. Here\n\nOne. Two.\nstill two.\n\n- An item. Of two.\n  Continued\n"
        "2. Next\n\n| Plug | Power |\n|---|---:|\n| Type 2. | 22 kW |\n\n"
        "```yaml\nnot: this. Never\n\nnor: this\n```\n\n---\n\n> Quoted. Twice.\n>\n"
    )
    assert _sentences(text) == [
        "One.",
        "Two.\nstill two.",
        "An item. Of two.\n  Continued",
        "Next",
        "| Type 2. | 22 kW |",
        "Quoted.",
        "Twice.",
    ]


def test_a_table_without_head_has_rows_only() -> None:
    """Every line counts when no rule says that the first is the head."""
    assert _sentences("| a | b |\n| c | d |") == ["| a | b |", "| c | d |"]


def test_a_long_item_is_cut() -> None:
    """An item that holds a paragraph is no single sentence."""
    sentence = "This sentence about charging fills the item until it is far too long to quote."
    item = "- " + " ".join([sentence] * 8)
    assert _sentences(item) == [sentence] * 8


def test_an_unclosed_code_block_runs_to_the_end() -> None:
    """A fence that is never closed hides the rest."""
    assert _sentences("Before.\n\n```\ncode. More") == ["Before."]


def test_an_empty_text_has_no_sentences() -> None:
    """Nothing in, nothing out."""
    assert split_sentences("") == []
    assert split_sentences(" \n\n ") == []

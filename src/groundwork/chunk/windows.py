"""Strategy `tokens`: windows of equal length over a whole document, whatever they cut."""

from collections.abc import Iterator

from groundwork.chunk.config import ChunkConfig
from groundwork.chunk.tokens import TokenIndex


def cut_windows(text: str, *, tokens: TokenIndex, config: ChunkConfig) -> Iterator[tuple[int, int]]:
    """Spans of windows in order; they begin and end with a word, unless one fills half of them."""
    first, last = 0, len(tokens.starts)
    while last - first > config.max_tokens:
        start = tokens.starts[first]
        end = _word_end(text, start, tokens.starts[first + config.target_tokens])
        yield start, end
        stop = first + tokens.count(start, end)
        first = max(first + 1, _word_start(text, tokens, stop - config.overlap_tokens, stop))
    if first < last:
        yield tokens.starts[first], len(text.rstrip())


def _word_end(text: str, start: int, stop: int) -> int:
    """End of the last whole word before `stop`; `stop` where that would halve the window."""
    if text[stop - 1].isspace():
        return start + len(text[start:stop].rstrip())
    words = text[start:stop].split()
    end = start + len(text[start:stop].removesuffix(words[-1]).rstrip())
    return end if end - start >= (stop - start) / 2 else stop


def _word_start(text: str, tokens: TokenIndex, first: int, stop: int) -> int:
    """The first token from `first` on that begins a word; `stop` when none does before it."""
    for number in range(max(first, 0), stop):
        if text[tokens.starts[number] - 1].isspace():
            return number
    return stop

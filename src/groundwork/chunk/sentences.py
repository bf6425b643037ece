"""Sentences of Markdown, by rules.

In: text. Out: spans. Prose is cut after a full stop, question or exclamation mark that a capital or
a digit follows, unless the stop belongs to an abbreviation, an initial or the number of a list.
Before a small letter ("evcc reads the meter") it is cut after a plain, long word alone. Rules suit
texts full of numbers, units and standards, and their mistakes can be mended one by one.
"""

import re

from groundwork.chunk.blocks import Block, BlockKind, parse_blocks

MAX_ITEM_CHARS = 400
"""Longer list items are cut into their sentences: they hold paragraphs, not points."""
MIN_PLAIN_WORD = 4
"""Shorter words before a stop and a small letter may be abbreviations that no list knows."""

_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]*_`]*(\s+)(?=[\"'“‘«„(\[*_`]*[^\W_])|[。！？]+)")
_LAST_WORD = re.compile(r"(?:(\S+)\s+)?(\S+)$")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_NEVER = re.compile(
    r"e\.?g|i\.?e|cf|vs|viz|mr|mrs|ms|dr|prof|st|messrs|resp|incl|excl|approx"
    r"|z\.b|d\.h|u\.a|o\.ä|bzw|ggf|evtl|inkl|sog|vgl"
)
"""Abbreviations after which no sentence ends."""
_BEFORE_DIGIT = re.compile(
    r"nos?|figs?|pp?|vol|sec|ch|art|nr|abs|ca|eq|para|cl|reg|max|min|rev|ver"
)
"""Abbreviations when a number follows: "No. 5", but "The answer is no."""
_ENDS_TOO = re.compile(r"a\.m|p\.m|etc")
"""Abbreviations that may end a sentence: when a capital follows, they do."""
_LABELS = re.compile(
    r"type|class|phase|plan|option|group|grade|level|annex|part|section|mode|category|zone|step"
    r"|appendix|table|model|version|schedule|pin|curve"
)
"""Words whose letter is a name: "an RCD of Type B. It …" ends a sentence, "Jane B. Smith" not."""


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text` in order, without surrounding blanks and list markers.

    A list item and a table row are one sentence each (items over `MAX_ITEM_CHARS` are cut).
    Headings, the head and rule of a table, and code are none.
    """
    return [span for block in parse_blocks(text) for span in block_sentences(text, block)]


def block_sentences(text: str, block: Block) -> list[tuple[int, int]]:
    """Spans of the sentences of one block of `text`."""
    if block.content >= block.end:
        return []
    if block.kind is BlockKind.TABLE_ROW:
        return [(block.content, block.end)]
    if block.kind is BlockKind.ITEM and block.end - block.content <= MAX_ITEM_CHARS:
        return [(block.content, block.end)]
    if block.kind in (BlockKind.ITEM, BlockKind.PARAGRAPH):
        return _split_prose(text, block.content, block.end)
    return []


def _split_prose(text: str, start: int, end: int) -> list[tuple[int, int]]:
    spans = []
    for match in _END.finditer(text, start, end):
        # A lookahead sees the end of the region as the end of the text: that is what we want.
        gap = match.group(1) or ""
        stop = match.end() - len(gap)
        if gap and _mark_is_inside(text, start, match):
            continue
        spans.append((start, stop))
        start = match.end()
    if start < end:
        spans.append((start, end))
    return spans


def _mark_is_inside(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether the mark at `match` belongs to a word or a clause and ends no sentence."""
    first = text[match.end() :][:8].lstrip("\"'“‘«„([*_`")[:1]
    if text[match.start()] != ".":
        return first.islower()
    words = _LAST_WORD.search(text[max(start, match.start() - 80) : match.start()])
    if words is None:
        return True
    before, word = (words[1] or "").lstrip("(["), words[2].lstrip("([\"'“‘*_")
    lower = word.lower()
    if _NEVER.fullmatch(lower):
        return True
    if first.islower():
        return not (len(word) >= MIN_PLAIN_WORD and word.isalpha())
    if _ENDS_TOO.fullmatch(lower):
        return False
    if _BEFORE_DIGIT.fullmatch(lower) and first.isdigit():
        return not _NUMBER.fullmatch(before)  # "30 min. 5 A remain" ends with a unit
    if not before and word.isdigit():
        return True
    if len(word) == 1 and word.isalpha():
        return _letter_is_initial(before, word)
    return bool(re.fullmatch(r"(?:[^\W\d_]\.)+[^\W\d_]", word))


def _letter_is_initial(before: str, letter: str) -> bool:
    if before[-1:].isdigit():
        return False  # a unit: "32 A."
    if letter.islower():
        return True  # "z. B.", "d. h."
    is_name = before[:1].isupper() and not _LABELS.fullmatch(before.strip(".,").lower())
    return not before or before.endswith(".") or is_name

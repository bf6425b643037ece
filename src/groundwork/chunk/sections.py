"""Sections of a document: its headings and the text under each.

In: text. Out: consecutive sections with the headings above them; small ones joined.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from groundwork.chunk.blocks import Block, BlockKind, parse_blocks
from groundwork.chunk.config import ChunkConfig
from groundwork.chunk.tokens import TokenIndex

TOP_LEVELS = 2
"""Headings of these levels part topics; deeper ones part aspects of a topic."""


@dataclass(frozen=True, slots=True)
class Section:
    """A span of text whose headings are all in `path`, or (when joined) inside the span."""

    heading_start: int
    """Where its own heading begins; equals `start` when it has none."""
    start: int
    end: int
    path: tuple[str, ...]
    """Headings above the text, outermost first, without the document's title."""
    top: tuple[str, ...]
    """Headings of the first two levels: what the section belongs to."""


def split_sections(text: str, *, title: str) -> list[Section]:
    """Sections of `text` that hold anything but their heading, in order."""
    sections = []
    stack: list[tuple[int, str]] = []
    body: list[Block] = []
    heading: Block | None = None
    for block in [*parse_blocks(text), None]:
        if block is not None and block.kind is not BlockKind.HEADING:
            body.append(block)
            continue
        if body:
            sections.append(_section(heading, body, stack, title))
        body, heading = [], block
        if block is not None:
            words = plain_heading(text[block.content : block.end])
            stack = [*(item for item in stack if item[0] < block.level), (block.level, words)]
    return sections


def plain_heading(text: str) -> str:
    """A heading without its marks of emphasis and code."""
    return text.strip().rstrip("#").replace("**", "").replace("`", "").strip(" *_")


def _section(
    heading: Block | None, body: Sequence[Block], stack: Sequence[tuple[int, str]], title: str
) -> Section:
    return Section(
        heading_start=heading.start if heading else body[0].start,
        start=body[0].start,
        end=body[-1].end,
        path=tuple(words for _, words in stack if words.casefold() != title.casefold()),
        top=tuple(words for level, words in stack if level <= TOP_LEVELS),
    )


def whole_text(text: str) -> Section:
    """All of `text` as one section, its headings inside it."""
    return Section(0, 0, len(text.rstrip()), (), ())


def common_path(sections: Sequence[Section], start: int, end: int) -> tuple[str, ...]:
    """Headings that stand above all of `[start, end)`, outermost first."""
    first = bisect_right(sections, start, key=lambda section: section.end)
    last = bisect_left(sections, end, key=lambda section: section.heading_start)
    touched = sections[first:last]
    if not touched:
        return ()
    depth = min(_shared(touched[0].path, section.path) for section in touched)
    return touched[0].path[:depth]


def _shared(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    depth = 0
    while depth < min(len(left), len(right)) and left[depth] == right[depth]:
        depth += 1
    return depth


def join_sections(
    sections: Sequence[Section], *, tokens: TokenIndex, config: ChunkConfig
) -> list[Section]:
    """Join neighbours while one of them is small and both together fit into a passage.

    A joined section keeps the headings that all have in common; the others are in its text.
    """
    joined: list[Section] = []
    for section in sections:
        if joined and _may_join(joined[-1], section, tokens=tokens, config=config):
            joined[-1] = _join(joined[-1], section)
        else:
            joined.append(section)
    return joined


def _may_join(left: Section, right: Section, *, tokens: TokenIndex, config: ChunkConfig) -> bool:
    if tokens.count(left.heading_start, right.end) > config.max_tokens:
        return False
    assert config.headings is not None
    limits = config.headings
    limit = limits.small_tokens if left.top == right.top else limits.tiny_tokens
    shorter = min(tokens.count(left.start, left.end), tokens.count(right.start, right.end))
    return shorter < limit


def _join(left: Section, right: Section) -> Section:
    path = left.path[: _shared(left.path, right.path)]
    start = left.start if path == left.path else left.heading_start
    return Section(left.heading_start, start, right.end, path, left.top)

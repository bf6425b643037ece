"""The parent of each passage: what a hit may be widened to.

In: the spans of a document's passages. Out: for each a span that holds it, the largest section
around it that is short enough; where even the smallest is too long, consecutive passages of that
section, as many as are short enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from groundwork.chunk.blocks import Block, BlockKind, parse_blocks
from groundwork.chunk.packing import Span
from groundwork.chunk.tokens import TokenIndex


@dataclass(frozen=True, slots=True)
class Node:
    """A section with all below it, or the text between a heading and the next."""

    start: int
    end: int


def parents_of(
    text: str, spans: Sequence[Span], *, tokens: TokenIndex, limit: int
) -> list[tuple[int, int]]:
    """Start and end of the parent of each span, in their order; siblings have the same."""
    homes = _homes(spans, section_nodes(text), tokens, limit)
    parents: list[tuple[int, int]] = []
    while len(parents) < len(spans):
        at = len(parents)
        home, fits = homes[at]
        if fits:
            parents.append((home.start, home.end))
            continue
        last = at
        while last + 1 < len(spans) and homes[last + 1] == homes[at]:
            if tokens.count(spans[at].start, spans[last + 1].end) > limit:
                break
            last += 1
        parents += [(spans[at].start, spans[last].end)] * (last + 1 - at)
    return parents


def section_nodes(text: str) -> list[Node]:
    """Every section of `text`, the whole text first; a parent comes before its children."""
    blocks = parse_blocks(text)
    if not blocks:
        return []
    bounds = [n for n, block in enumerate(blocks) if block.kind is BlockKind.HEADING]
    bounds.append(len(blocks))
    nodes = [Node(blocks[0].start, blocks[-1].end)]
    if bounds[0]:
        nodes.append(Node(blocks[0].start, blocks[bounds[0] - 1].end))
    for position, number in enumerate(bounds[:-1]):
        after = _after_subtree(blocks, bounds, position)
        nodes.append(Node(blocks[number].start, blocks[after - 1].end))
        nodes.append(Node(blocks[number].start, blocks[bounds[position + 1] - 1].end))
    return nodes


def _after_subtree(blocks: Sequence[Block], bounds: Sequence[int], position: int) -> int:
    """The next heading that is not below this one; the number of blocks when none comes."""
    level = blocks[bounds[position]].level
    later = position + 1
    while bounds[later] < len(blocks) and blocks[bounds[later]].level > level:
        later += 1
    return bounds[later]


def _homes(
    spans: Sequence[Span], nodes: Sequence[Node], tokens: TokenIndex, limit: int
) -> list[tuple[Node, bool]]:
    """Of each span the largest section within `limit` around it; else the smallest, and False.

    Spans begin and end in ascending order, so that a section which ended before one holds no later.
    """
    open_nodes: list[Node] = []
    homes = []
    waiting = 0
    for span in spans:
        while waiting < len(nodes) and nodes[waiting].start <= span.start:
            _close(open_nodes, nodes[waiting].end)
            open_nodes.append(nodes[waiting])
            waiting += 1
        _close(open_nodes, span.end)
        short = (n for n in open_nodes if tokens.count(n.start, n.end) <= limit)
        home = next(short, None)
        homes.append((home or open_nodes[-1], home is not None))
    return homes


def _close(open_nodes: list[Node], end: int) -> None:
    """Leave the sections that end before `end`."""
    while open_nodes[1:] and open_nodes[-1].end < end:
        open_nodes.pop()

"""The smallest parts of a section that a passage does not cut, unless one alone is too long.

In: a section. Out: its sentences, list items, tables or their rows, and code, with their lengths.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from groundwork.chunk.blocks import Block, BlockKind, parse_blocks
from groundwork.chunk.code import cut_code, opens
from groundwork.chunk.config import ChunkConfig
from groundwork.chunk.sections import Section
from groundwork.chunk.sentences import block_sentences
from groundwork.chunk.tokens import TokenIndex

_TABLE = (BlockKind.TABLE_HEAD, BlockKind.TABLE_RULE, BlockKind.TABLE_ROW)


@dataclass(frozen=True, slots=True)
class Piece:
    """A span that stays whole."""

    kind: BlockKind
    start: int
    end: int
    tokens: int
    announces: bool
    """Whether what follows belongs to it: a heading, a colon or open bracket at its end."""
    table_head: str
    """Of a row that is not the table's first: the head of its table; else empty."""


@dataclass(frozen=True, slots=True)
class _Source:
    text: str
    tokens: TokenIndex
    config: ChunkConfig

    def piece(self, kind: BlockKind, start: int, end: int, *, head: str = "") -> Piece:
        colon = self.text[start:end].rstrip("*_ ").endswith(":")
        announces = colon or kind is BlockKind.HEADING
        return Piece(kind, start, end, self.tokens.count(start, end), announces, head)


def section_pieces(
    text: str, section: Section, *, tokens: TokenIndex, config: ChunkConfig
) -> list[Piece]:
    """Pieces of `section` in order, none longer than a passage but whole tables."""
    source = _Source(text, tokens, config)
    pieces = []
    for run in _runs(text, section):
        for piece in _read_run(source, run):
            limit = config.table_tokens if piece.kind in _TABLE else config.max_tokens
            pieces.extend([piece] if piece.tokens <= limit else _cut(source, piece))
    return pieces


def _runs(text: str, section: Section) -> Iterator[list[Block]]:
    """Single blocks, but the lines of a table together."""
    table: list[Block] = []
    for block in parse_blocks(text[section.start : section.end]):
        if table and (block.kind not in _TABLE or block.kind is BlockKind.TABLE_HEAD):
            yield table
            table = []
        moved = Block(
            block.kind,
            block.start + section.start,
            block.content + section.start,
            block.end + section.start,
            block.level,
        )
        if block.kind in _TABLE:
            table.append(moved)
        else:
            yield [moved]
    if table:
        yield table


def _read_run(source: _Source, run: Sequence[Block]) -> list[Piece]:
    first = run[0]
    if first.kind in _TABLE:
        return _read_table(source, run)
    if first.kind is BlockKind.CODE:
        return _read_code(source, first)
    spans = block_sentences(source.text, first)
    if len(spans) < 2:
        return [source.piece(first.kind, first.start, first.end)]
    starts = [first.start, *(start for start, _ in spans[1:])]
    return [
        source.piece(first.kind, start, end) for start, (_, end) in zip(starts, spans, strict=True)
    ]


def _read_table(source: _Source, run: Sequence[Block]) -> list[Piece]:
    whole = source.piece(BlockKind.TABLE_ROW, run[0].start, run[-1].end)
    if whole.tokens <= source.config.table_tokens:
        return [whole]
    rows = [block for block in run if block.kind is BlockKind.TABLE_ROW]
    if not rows:
        return [whole]
    head = ""
    if run[0].kind is BlockKind.TABLE_HEAD:
        cells = source.text[run[0].content : run[0].end].strip("|").split("|")
        head = " | ".join(cell.strip() for cell in cells)
    first = source.piece(BlockKind.TABLE_ROW, run[0].start, rows[0].end)
    rest = [source.piece(BlockKind.TABLE_ROW, row.start, row.end, head=head) for row in rows[1:]]
    return [first, *rest]


def _read_code(source: _Source, block: Block) -> list[Piece]:
    whole = source.piece(BlockKind.CODE, block.start, block.end)
    if whole.tokens <= source.config.max_tokens:
        return [whole]
    spans = cut_code(
        source.text,
        block.start,
        block.end,
        count=source.tokens.count,
        limit=source.config.max_tokens,
    )
    *pieces, last = [source.piece(BlockKind.CODE, start, end) for start, end in spans]
    opening = [replace(p, announces=opens(source.text, p.start, p.end)) for p in pieces]
    return [*opening, last]


def _cut(source: _Source, piece: Piece) -> list[Piece]:
    """Cut a piece that is too long between words, or inside a word that alone is too long."""
    pieces = []
    start = piece.start
    limit = source.config.max_tokens
    while source.tokens.count(start, piece.end) > limit:
        stop = source.tokens.start_of(start, limit)
        blank = max(source.text.rfind(" ", start, stop), source.text.rfind("\n", start, stop))
        end = blank if blank > start else stop
        pieces.append(source.piece(piece.kind, start, end, head=piece.table_head))
        start = source.tokens.start_of(end, 0)
    pieces.append(source.piece(piece.kind, start, piece.end, head=piece.table_head))
    return pieces

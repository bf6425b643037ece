"""Packs pieces into passages of about equal length.

In: consecutive pieces. Out: runs of them, each a passage, which may repeat the end of the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from groundwork.chunk.blocks import BlockKind
from groundwork.chunk.config import ChunkConfig
from groundwork.chunk.pieces import Piece

MAX_LEAD_IN = 0.25
"""Of a passage that several pieces which announce the next may take along."""


@dataclass(frozen=True, slots=True)
class Span:
    """A passage to be: where it stands, and the headings above it."""

    start: int
    end: int
    path: tuple[str, ...]


def span_of(run: Sequence[Piece], path: tuple[str, ...]) -> Span:
    """The span of `run`; when it begins in the midst of a table, the table's head ends the path."""
    head = run[0].table_head
    return Span(run[0].start, run[-1].end, (*path, head) if head else path)


def pack_pieces(pieces: Sequence[Piece], config: ChunkConfig) -> list[list[Piece]]:
    """Consecutive runs of about equal length, each beginning with the overlap of the last."""
    total = _length(pieces)
    goal = total / -(-total // config.target_tokens) if total else 1.0
    runs: list[list[Piece]] = []
    run: list[Piece] = []
    repeated = 0
    for piece in pieces:
        length = _length(run)
        if run and (length + piece.tokens > config.max_tokens or length - repeated >= goal):
            done, carried = _part_lead_in(run, piece, config)
            runs.append(done)
            head = _overlap(done, config.overlap_tokens)
            if _length([*head, *carried, piece]) > config.max_tokens:
                head = []
            run, repeated = [*head, *carried], _length(head)
        run.append(piece)
    return [*runs, run] if run else runs


def _length(pieces: Sequence[Piece]) -> int:
    return sum(piece.tokens for piece in pieces)


def _part_lead_in(
    run: list[Piece], following: Piece, config: ChunkConfig
) -> tuple[list[Piece], list[Piece]]:
    """Part from `run` the last pieces that announce `following` and fit beside it."""
    at = len(run)
    while at > 1 and run[at - 1].announces:
        length = _length(run[at - 1 :])
        if length + following.tokens > config.max_tokens:
            break
        if at < len(run) and length > config.target_tokens * MAX_LEAD_IN:
            break
        at -= 1
    return run[:at], run[at:]


def _overlap(run: Sequence[Piece], limit: int) -> list[Piece]:
    """The last sentences of `run` that fit into `limit` tokens; rows and code are not repeated."""
    taken: list[Piece] = []
    for piece in reversed(run[1:]):
        prose = piece.kind in (BlockKind.PARAGRAPH, BlockKind.ITEM)
        if not prose or _length(taken) + piece.tokens > limit:
            break
        taken.insert(0, piece)
    return taken

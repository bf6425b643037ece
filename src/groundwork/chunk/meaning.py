"""Strategy `semantic`: neighbours that are alike stay together.

In: the pieces of a document, gathered to units. Out: runs of units. The cut is the best of all by
dynamic programming: it maximises the similarity of the units inside passages, each pair counted
above the mean of all pairs of the document, under a limit of length.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from groundwork.chunk.blocks import BlockKind
from groundwork.chunk.pieces import Piece


@dataclass(frozen=True, slots=True)
class Meaning:
    """What turns units into vectors."""

    encode: Callable[[Sequence[str]], np.ndarray]
    """Texts to unit vectors (B, D)."""
    encoder_id: str
    """Hash of the encoder's weights: what is remembered belongs to them."""

    def group(self, text: str, units: Sequence[Sequence[Piece]], limit: int) -> list[list[Piece]]:
        """Runs of pieces, none longer than `limit` tokens but single units.

        Cuts depend on this document alone, and are the same on one type of processor.
        """
        if len(units) < 2:
            return [list(unit) for unit in units]
        texts = [text[unit[0].start : unit[-1].end] for unit in units]
        lengths = [sum(piece.tokens for piece in unit) for unit in units]
        ends = best_cut(np.asarray(self.encode(texts)), lengths, limit)
        starts = [0, *ends[:-1]]
        return [
            [piece for unit in units[first:last] for piece in unit]
            for first, last in zip(starts, ends, strict=True)
        ]


def gather_units(pieces: Sequence[Piece], *, unit_tokens: int, limit: int) -> list[list[Piece]]:
    """Consecutive pieces up to `unit_tokens`; what announces the next piece stays with it.

    No unit but a single piece is longer than `limit`.
    """
    units: list[list[Piece]] = []
    unit: list[Piece] = []
    for piece in pieces:
        if unit and _parts(unit, piece, unit_tokens, limit):
            units.append(unit)
            unit = []
        unit.append(piece)
    return [*units, unit] if unit else units


def _parts(unit: Sequence[Piece], piece: Piece, unit_tokens: int, limit: int) -> bool:
    length = sum(part.tokens for part in unit) + piece.tokens
    if length > limit:
        return True
    if all(part.announces for part in unit):
        return False
    full = length > unit_tokens and not unit[-1].announces
    return full or piece.kind is BlockKind.HEADING


def best_cut(vectors_BD: np.ndarray, lengths: Sequence[int], limit: int) -> list[int]:
    """Numbers of the units after which the best cut ends a run, the last one included.

    Each pair inside a run counts its similarity less the mean of all pairs of the document.
    `vectors_BD` have length 1.
    """
    count = len(vectors_BD)
    vectors = vectors_BD.astype(np.float64)
    sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(vectors, axis=0)])
    mean = (float(sums[-1] @ sums[-1]) - count) / (count * (count - 1)) if count > 1 else 0.0
    best = [0.0]
    first_of = [0]
    for last in range(count):
        gain, tokens = 0.0, lengths[last]
        score, chosen = best[last], last
        for first in range(last - 1, -1, -1):
            tokens += lengths[first]
            if tokens > limit:
                break
            gain += float(vectors[first] @ (sums[last + 1] - sums[first + 1]))
            gain -= mean * (last - first)
            if best[first] + gain >= score:
                score, chosen = best[first] + gain, first
        best.append(score)
        first_of.append(chosen)
    ends = [count]
    while first_of[ends[-1]]:
        ends.append(first_of[ends[-1]])
    return ends[::-1]

"""What an answerer returns before the guards decide: sentences with the passages behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from groundwork.records import Retrieved


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence of an answer and what it rests on."""

    text: str
    passage_id: str
    """Empty when no retrieved passage supports the sentence."""
    quote: str
    """Verbatim span of that passage; empty when unsupported."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before calibration and guards."""

    supports: tuple[Support, ...]
    refused: bool
    """The answerer itself declined, whatever its signals say."""
    signals: Mapping[str, float]
    """Numbers that the calibration turns into a confidence; the same keys for every question."""


class Answerer(Protocol):
    """Anything that drafts an answer from passages."""

    name: str

    def draft(self, question: str, retrieved: Sequence[Retrieved]) -> Draft:
        """Draft an answer to `question` from `retrieved`, best passage first."""
        ...

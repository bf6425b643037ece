"""What says what a text is about: the head on the encoder, words, and neighbours.

In: texts. Out: their scores, which `calibration` weighs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundwork.classify.calibration import Scores
from groundwork.classify.head import Head
from groundwork.classify.neighbours import Neighbours
from groundwork.classify.words import Words
from groundwork.index import Encoder


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Three that err in different places."""

    encoder: Encoder
    """With the adapter merged in, as it serves."""
    head: Head
    words: Words
    neighbours: Neighbours

    def scores(self, texts: Sequence[str], passages_BC: np.ndarray | None = None) -> Scores:
        """Of some texts; `passages_BC` are the shares of the passages found for them."""
        vectors_BD = self.encoder.encode(texts)
        return Scores(
            self.head.logits(vectors_BD),
            self.words.scores(texts),
            self.neighbours.shares(vectors_BD),
            passages_BC,
        )

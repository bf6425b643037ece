"""What says what a text is about: the head on the encoder, and words.

In: texts. Out: their scores, which `calibration` weighs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundwork.classify.calibration import Scores
from groundwork.classify.head import Head
from groundwork.classify.words import Words
from groundwork.index import Encoder


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Two that err in different places."""

    encoder: Encoder
    """With the adapter merged in, as it serves."""
    head: Head
    words: Words

    def scores(self, texts: Sequence[str], passages_BC: np.ndarray | None = None) -> Scores:
        """Of some texts; `passages_BC` are the shares of the passages found for them."""
        logits_BC = self.head.logits(self.encoder.encode(texts))
        return Scores(logits_BC, self.words.scores(texts), passages_BC)

"""Passages as the round trip searches them: by meaning and by words.

In: chunks. Out: vectors and BM25 of all passages; every text is embedded once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundwork.records import Chunk

if TYPE_CHECKING:
    import numpy as np

    from groundwork.index import Encoder

BATCH = 256
"""Texts between two steps of the progress bar."""


@dataclass(frozen=True, slots=True)
class Passages:
    """Chunks, their vectors (N, D) and their words."""

    chunks: tuple[Chunk, ...]
    vectors_ND: "np.ndarray"
    scores: "LexicalScores"


class LexicalScores:
    """BM25 of all passages for a question, as the index stage computes it."""

    def __init__(self, texts: Sequence[str]) -> None:
        from groundwork.index import Lexicon

        self._lexicon = Lexicon.build(texts, k1=1.5, b=0.75)

    def of(self, question: str) -> "np.ndarray":
        """BM25 -> float32 (N,)."""
        return self._lexicon.scores(question)


def embed_passages(chunks: Sequence[Chunk], encoder: "Encoder") -> Passages:
    """Passages with their vectors (N, D) and lexical index."""
    from groundwork.index import passage_text

    texts = [passage_text(chunk) for chunk in chunks]
    return Passages(tuple(chunks), embed(encoder, texts, label="passages"), LexicalScores(texts))


def embed(encoder: "Encoder", texts: Sequence[str], *, label: str) -> "np.ndarray":
    """Unit vectors (B, D) of `texts`, with a progress bar."""
    import numpy as np
    from tqdm import tqdm

    starts = tqdm(range(0, len(texts), BATCH), desc=f"embed {label}", unit="batch", disable=None)
    parts = [encoder.encode(texts[start : start + BATCH]) for start in starts]
    return np.concatenate(parts) if parts else np.zeros((0, 1), dtype=np.float32)

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
    from groundwork.index import documents_of, passage_text

    texts = [passage_text(chunk) for chunk in chunks]
    vectors_ND = embed(encoder, [texts[part] for part in documents_of(chunks)], label="passages")
    return Passages(tuple(chunks), vectors_ND, LexicalScores(texts))


def embed(encoder: "Encoder", groups: Sequence[Sequence[str]], *, label: str) -> "np.ndarray":
    """Unit vectors (B, D) of the texts of all groups, each group embedded apart from the others."""
    import numpy as np

    from groundwork.index import DIMENSION

    empty = np.zeros((0, DIMENSION), dtype=np.float32)
    return np.concatenate([empty, *encoder.encode_groups(groups, label=f"embed {label}")])

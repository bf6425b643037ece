"""An encoder of counted words, and indexes of the tiny passages: similarities are known by hand."""

import re
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.linalg import hadamard
from tiny_base import NEEDS, PLANTS, make_chunks

from groundwork.answer import Retrieval
from groundwork.answer.config import RetrievalConfig
from groundwork.answer.matching import Query, make_query
from groundwork.index import Encoder, Index, IndexConfig, build_index, load_index
from groundwork.index.encoder import DIMENSION, TOKEN_DIMENSION, Encoded
from groundwork.records import Chunk

_WORD = re.compile(r"\w+")
PACKED = 32 * TOKEN_DIMENSION**0.5 / (127 * TOKEN_DIMENSION**0.5 / 4)
"""Cosine of a word with itself in the index: 1 / sqrt(128) is stored as round(31.75) = 32."""


class Words(Encoder):
    """A text is its plants and needs, counted; a token is a word, at right angles to any other."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self._rows: dict[str, int] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (B, 384)"""
        rows = [[text.lower().count(word) + 1e-3 for word in (*PLANTS, *NEEDS)] for text in texts]
        vectors_BD = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, counts in enumerate(rows):
            vectors_BD[row, : len(counts)] = counts / np.linalg.norm(counts)
        return vectors_BD

    def encode_tokens(self, texts: Sequence[str], *, skip: Sequence[int]) -> Encoded:
        """Words that begin at `skip` or later."""
        words = [
            [word for word in _WORD.finditer(text) if word.start() >= first]
            for text, first in zip(texts, skip, strict=True)
        ]
        return Encoded(
            self.encode(texts),
            tuple(np.array([self._word(w[0]) for w in found]).reshape(-1, 128) for found in words),
            tuple(tuple(word.span() for word in found) for found in words),
        )

    def _word(self, word: str) -> np.ndarray:
        row = self._rows.setdefault(word.lower(), len(self._rows))
        return np.asarray(hadamard(TOKEN_DIMENSION)[row] / TOKEN_DIMENSION**0.5, dtype=np.float32)


WORDS = Words()


@lru_cache(maxsize=32)
def index_of(chunks: tuple[Chunk, ...]) -> Index:
    """The index of `chunks`; its folder goes at once, for what is mapped stays readable."""
    with tempfile.TemporaryDirectory() as folder:
        config = IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75)
        build_index(chunks, config=config, encoder=WORDS, folder=Path(folder))
        return load_index(Path(folder), WORDS)


def tiny_retrieval() -> Retrieval:
    """Over the passages of `make_chunks`."""
    config = RetrievalConfig(
        top_k=4,
        candidates=6,
        dense_weight=1.0,
        sentence_weight=0.5,
        token_weight=0.0,
        lexical_weight=0.3,
        returned="passage",
    )
    return Retrieval(index_of(tuple(make_chunks())), WORDS, config)


def query_of(text: str, index: Index) -> Query:
    """`text` as the answerers see it."""
    encoded = WORDS.encode_tokens([text], skip=[0])
    return make_query(
        text,
        encoded.vectors_BD[0],
        encoded.tokens[0],
        spans=encoded.spans[0],
        lexicon=index.lexicon,
    )

"""Opens the search index of a corpus.

In: the files that `build` wrote. Out: everything that retrieval needs, in memory.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from groundwork.artifacts import check_manifest, read_parquet
from groundwork.errors import ArtifactError
from groundwork.index.build import SENTENCE_VECTORS, SENTENCES, WORD_VECTORS, Sentence
from groundwork.index.encoder import Encoder, encoder_sha256
from groundwork.index.lexical import Lexicon
from groundwork.records import Chunk

if TYPE_CHECKING:
    from langchain_core.documents import Document

    from groundwork.index.store import PassageStore


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that retrieval needs, in memory."""

    store: "PassageStore"
    lexicon: Lexicon
    chunks: tuple[Chunk, ...]
    vectors_ND: np.ndarray
    sentences: tuple[Sentence, ...]
    sentence_vectors_SD: np.ndarray
    first_sentence_N: np.ndarray
    """Sentences of passage n are `first_sentence_N[n]:first_sentence_N[n + 1]`; length N + 1."""
    tokens_MP: np.ndarray
    """int8 vectors of all sentences' tokens, memory-mapped; see `TOKEN_SCALE`."""
    first_token_S: np.ndarray
    """Tokens of sentence s are `first_token_S[s]:first_token_S[s + 1]`; length S + 1."""


def load_index(folder: Path, encoder: Encoder) -> Index:
    """Open an index after checking every file of it.

    Raises: `ArtifactError` when a file was damaged, or the index was built with another encoder.
    """
    import faiss

    from groundwork.index.store import EncoderEmbeddings, PassageStore

    manifest = check_manifest(folder)
    built_with = manifest["encoder"]["sha256"]
    if built_with != encoder_sha256():
        raise ArtifactError(
            f"{folder}: built with encoder {built_with[:12]}…, but the installed one is "
            f"{encoder_sha256()[:12]}…; install the versions of requirements.lock"
        )
    store = PassageStore.load(folder, EncoderEmbeddings(encoder), factory=manifest["faiss"])
    sentences = read_parquet(folder / SENTENCES, Sentence)
    flat = faiss.read_index(str(folder / SENTENCE_VECTORS))
    chunks = tuple(_chunk(document) for document in store.documents)
    tokens_MP = np.load(folder / WORD_VECTORS, mmap_mode="r", allow_pickle=False)
    counts_N = np.bincount([s.passage for s in sentences], minlength=len(chunks))
    return Index(
        store=store,
        lexicon=Lexicon.load(folder / "bm25", size=len(chunks)),
        chunks=chunks,
        vectors_ND=store.vectors(),
        sentences=tuple(sentences),
        sentence_vectors_SD=flat.reconstruct_n(0, flat.ntotal),
        first_sentence_N=np.concatenate([[0], np.cumsum(counts_N)]),
        tokens_MP=tokens_MP,
        first_token_S=np.concatenate([[0], np.cumsum([s.tokens for s in sentences])]),
    )


def _chunk(document: "Document") -> Chunk:
    return Chunk(passage_id=document.id or "", text=document.page_content, **document.metadata)

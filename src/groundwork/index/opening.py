"""Opens the search index of a corpus.

In: the files that `build` wrote. Out: everything that retrieval needs, in memory.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from groundwork.artifacts import check_manifest, read_parquet
from groundwork.errors import ArtifactError
from groundwork.index.build import (
    PLAIN_VECTORS,
    RETRIEVER,
    SENTENCE_VECTORS,
    SENTENCES,
    WORD_VECTORS,
    Sentence,
)
from groundwork.index.encoder import Encoder, encoder_sha256
from groundwork.index.lexical import Lexicon
from groundwork.index.vectors import read_flat
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
    """Of the base encoder: what answerers and refusal learn from."""
    searched_ND: np.ndarray
    """Of the encoder that searches; the same array when no adapter serves."""
    retriever: Encoder | None
    """The adapted encoder that embeds a question to be searched; None when the base does."""
    sentences: tuple[Sentence, ...]
    sentence_vectors_SD: np.ndarray
    first_sentence_N: np.ndarray
    """Sentences of passage n are `first_sentence_N[n]:first_sentence_N[n + 1]`; length N + 1."""
    tokens_MP: np.ndarray
    """int8 vectors of all sentences' tokens, memory-mapped; see `TOKEN_SCALE`."""
    first_token_S: np.ndarray
    """Tokens of sentence s are `first_token_S[s]:first_token_S[s + 1]`; length S + 1."""

    def unadapted(self, encoder: Encoder) -> "Index":
        """The same index searched by the base encoder, to compare with."""
        from groundwork.index.store import EncoderEmbeddings, PassageStore

        if self.retriever is None:
            return self
        store = PassageStore(EncoderEmbeddings(encoder))
        ids = [chunk.passage_id for chunk in self.chunks]
        store.add_vectors([chunk.text for chunk in self.chunks], self.vectors_ND, ids=ids)
        return replace(self, store=store, searched_ND=self.vectors_ND, retriever=None)


def load_index(folder: Path, encoder: Encoder) -> Index:
    """Open an index after checking every file of it.

    Raises: `ArtifactError` when a file was damaged, or the index was built with another encoder.
    """
    from groundwork.index.store import EncoderEmbeddings, PassageStore

    manifest = check_manifest(folder)
    built_with = manifest["encoder"]["sha256"]
    if built_with != encoder_sha256():
        raise ArtifactError(
            f"{folder}: built with encoder {built_with[:12]}…, but the installed one is "
            f"{encoder_sha256()[:12]}…; install the versions of requirements.lock"
        )
    retriever = _read_retriever(folder, manifest, encoder)
    store = PassageStore.load(
        folder, EncoderEmbeddings(retriever or encoder), factory=manifest["faiss"]
    )
    searched_ND = store.vectors()
    sentences = read_parquet(folder / SENTENCES, Sentence)
    chunks = tuple(_chunk(document) for document in store.documents)
    tokens_MP = np.load(folder / WORD_VECTORS, mmap_mode="r", allow_pickle=False)
    counts_N = np.bincount([s.passage for s in sentences], minlength=len(chunks))
    return Index(
        store=store,
        lexicon=Lexicon.load(folder / "bm25", size=len(chunks)),
        chunks=chunks,
        vectors_ND=read_flat(folder / PLAIN_VECTORS) if retriever else searched_ND,
        searched_ND=searched_ND,
        retriever=retriever,
        sentences=tuple(sentences),
        sentence_vectors_SD=read_flat(folder / SENTENCE_VECTORS),
        first_sentence_N=np.concatenate([[0], np.cumsum(counts_N)]),
        tokens_MP=tokens_MP,
        first_token_S=np.concatenate([[0], np.cumsum([s.tokens for s in sentences])]),
    )


def _read_retriever(folder: Path, manifest: dict[str, Any], encoder: Encoder) -> Encoder | None:
    """The adapted encoder; None when the base serves, or in indexes older than adapters."""
    if not manifest.get("retriever", {}).get("adapter_sha256"):
        return None
    return encoder.adapted(folder / RETRIEVER)


def _chunk(document: "Document") -> Chunk:
    return Chunk(passage_id=document.id or "", text=document.page_content, **document.metadata)

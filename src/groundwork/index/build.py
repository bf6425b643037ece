"""Builds and opens the search index of a corpus.

In: chunks. Out: `vectors.faiss`, `passages.parquet`, `bm25/`, and the sentences of every passage
with their vectors and those of their tokens (`sentences.parquet`, `sentences.faiss`, `tokens.npy`),
so that answering a question embeds nothing but the question. An adapter that was trained for the
domain serves the search for passages alone: then `vectors.faiss` is the adapted encoder's,
`plain.faiss` the base encoder's, and `retriever/` holds the adapter.
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from langchain_core.documents import Document

from groundwork.artifacts import (
    check_manifest,
    read_parquet,
    replacing,
    write_manifest,
    write_parquet,
)
from groundwork.chunk import split_sentences
from groundwork.errors import ArtifactError, InputError
from groundwork.index.config import IndexConfig
from groundwork.index.encoder import Encoder, encoder_sha256, retriever_sha256
from groundwork.index.lexical import Lexicon
from groundwork.index.lora import ADAPTER_FILES, adapter_sha256
from groundwork.index.store import PASSAGES, VECTORS, EncoderEmbeddings, PassageStore
from groundwork.records import Chunk

SENTENCES = "sentences.parquet"
SENTENCE_VECTORS = "sentences.faiss"
WORD_VECTORS = "tokens.npy"
PLAIN_VECTORS = "plain.faiss"
RETRIEVER = "retriever"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage: `passage.text[start:end]`."""

    passage: int
    """Number of the passage, as in `passages.parquet`."""
    start: int
    end: int
    tokens: int
    """Rows of `tokens.npy` that are its own; those of the sentences before it come first."""


@dataclass(frozen=True, slots=True)
class Index:
    """Everything that retrieval needs, in memory."""

    store: PassageStore
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
        if self.retriever is None:
            return self
        store = PassageStore(EncoderEmbeddings(encoder))
        ids = [chunk.passage_id for chunk in self.chunks]
        store.add_vectors([chunk.text for chunk in self.chunks], self.vectors_ND, ids=ids)
        return replace(self, store=store, searched_ND=self.vectors_ND, retriever=None)


def passage_text(chunk: Chunk) -> str:
    """What is embedded and indexed for a passage: its title and headings give it its subject."""
    heading = f"{chunk.title}. {chunk.heading}" if chunk.heading else chunk.title
    return f"{heading}. {chunk.text}"


def subject_of(chunk: Chunk) -> str:
    """What is put in front of a sentence before it is embedded: alone, it often lacks its subject,
    which title and heading give."""
    heading = chunk.heading.rpartition(" > ")[2]
    return f"{chunk.title}: {heading}: " if heading else f"{chunk.title}: "


def build_index(
    chunks: Sequence[Chunk],
    *,
    config: IndexConfig,
    encoder: Encoder,
    folder: Path,
    adapter_dir: Path | None = None,
) -> str:
    """Index `chunks` in `folder` and return the manifest's sha256.

    With `adapter_dir`, passages are searched by the encoder that has this adapter merged in.

    Raises: `InputError` when there are no chunks.
    """
    if not chunks:
        raise InputError("artifacts/chunk/chunks.parquet: no passages; expected at least one")
    texts = [passage_text(chunk) for chunk in chunks]
    retriever = encoder.adapted(adapter_dir) if adapter_dir else encoder
    store = PassageStore(EncoderEmbeddings(retriever), factory=config.faiss)
    store.add_vectors(
        [chunk.text for chunk in chunks],
        embed_passages(chunks, retriever),
        metadatas=[_metadata(chunk) for chunk in chunks],
        ids=[chunk.passage_id for chunk in chunks],
    )
    store.save(folder)
    Lexicon.build(texts, k1=config.bm25_k1, b=config.bm25_b).save(folder / "bm25")
    sentences = _index_sentences(chunks, encoder=encoder, folder=folder)
    names = [VECTORS, PASSAGES, SENTENCES, SENTENCE_VECTORS, WORD_VECTORS]
    if adapter_dir:
        names += _keep_adapter(chunks, encoder=encoder, adapter_dir=adapter_dir, folder=folder)
    names += sorted(f"bm25/{path.name}" for path in (folder / "bm25").iterdir())
    return write_manifest(
        folder,
        names,
        encoder={"name": "all-MiniLM-L6-v2", "sha256": encoder_sha256()},
        retriever={
            "sha256": retriever_sha256(adapter_dir),
            "adapter_sha256": adapter_sha256(adapter_dir) if adapter_dir else None,
        },
        faiss=config.faiss,
        passages=len(chunks),
        sentences=len(sentences),
    )


def embed_passages(chunks: Sequence[Chunk], encoder: Encoder) -> np.ndarray:
    """Vectors of the passages (N, D), embedded document by document."""
    texts = [passage_text(chunk) for chunk in chunks]
    groups = [texts[part] for part in documents_of(chunks)]
    return np.concatenate(list(encoder.encode_groups(groups, label="embed passages")))


def _keep_adapter(
    chunks: Sequence[Chunk], *, encoder: Encoder, adapter_dir: Path, folder: Path
) -> list[str]:
    """Write the base encoder's vectors of the passages, and the adapter; return the names."""
    _write_flat(folder / PLAIN_VECTORS, embed_passages(chunks, encoder))
    (folder / RETRIEVER).mkdir(parents=True)
    for name in ADAPTER_FILES:
        shutil.copyfile(adapter_dir / name, folder / RETRIEVER / name)
    return [PLAIN_VECTORS, *(f"{RETRIEVER}/{name}" for name in ADAPTER_FILES)]


def _write_flat(path: Path, vectors_ND: np.ndarray) -> None:
    flat = faiss.IndexFlatIP(vectors_ND.shape[1])
    flat.add(np.ascontiguousarray(vectors_ND))
    with replacing(path) as temporary_path:
        faiss.write_index(flat, str(temporary_path))


def _read_flat(path: Path) -> np.ndarray:
    flat = faiss.read_index(str(path))
    return np.asarray(flat.reconstruct_n(0, flat.ntotal))


def documents_of(chunks: Sequence[Chunk]) -> list[slice]:
    """Which of `chunks`, in their order, belong to one document.

    Each is embedded apart from the others, so that its vectors depend on itself alone: to the last
    bit they do depend on what else is in a batch.
    """
    sizes = [len(list(group)) for _, group in groupby(chunks, key=lambda c: c.document_id)]
    return [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]


def _index_sentences(chunks: Sequence[Chunk], *, encoder: Encoder, folder: Path) -> list[Sentence]:
    """Write the sentences of all passages, their vectors and those of their tokens."""
    spans = [
        [(n, a, b) for n in range(len(chunks))[part] for a, b in split_sentences(chunks[n].text)]
        for part in documents_of(chunks)
    ]
    subjects = [subject_of(chunk) for chunk in chunks]
    groups = [
        (
            [subjects[n] + chunks[n].text[a:b] for n, a, b in group],
            [len(subjects[n]) for n, _, _ in group],
        )
        for group in spans
    ]
    packed = list(encoder.encode_packed_groups(groups, label="embed sentences"))
    sentences = [
        Sentence(passage=n, start=a, end=b, tokens=tokens)
        for group, encoded in zip(spans, packed, strict=True)
        for (n, a, b), tokens in zip(group, encoded.tokens_B.tolist(), strict=True)
    ]
    write_parquet(folder / SENTENCES, sentences, Sentence)
    _write_flat(folder / SENTENCE_VECTORS, np.concatenate([part.vectors_BD for part in packed]))
    tokens_MP = np.concatenate([part.tokens_MP for part in packed])
    with replacing(folder / WORD_VECTORS) as temporary_path, temporary_path.open("wb") as file:
        np.save(file, tokens_MP, allow_pickle=False)
    return sentences


def _metadata(chunk: Chunk) -> dict[str, object]:
    values = asdict(chunk)
    del values["text"], values["passage_id"]
    return values


def load_index(folder: Path, encoder: Encoder) -> Index:
    """Open an index after checking every file of it.

    Raises: `ArtifactError` when a file was damaged, or the index was built with another encoder.
    """
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
        vectors_ND=_read_flat(folder / PLAIN_VECTORS) if retriever else searched_ND,
        searched_ND=searched_ND,
        retriever=retriever,
        sentences=tuple(sentences),
        sentence_vectors_SD=_read_flat(folder / SENTENCE_VECTORS),
        first_sentence_N=np.concatenate([[0], np.cumsum(counts_N)]),
        tokens_MP=tokens_MP,
        first_token_S=np.concatenate([[0], np.cumsum([s.tokens for s in sentences])]),
    )


def _read_retriever(folder: Path, manifest: dict[str, Any], encoder: Encoder) -> Encoder | None:
    """The adapted encoder; None when the base serves, or in indexes older than adapters."""
    if not manifest.get("retriever", {}).get("adapter_sha256"):
        return None
    return encoder.adapted(folder / RETRIEVER)


def _chunk(document: Document) -> Chunk:
    return Chunk(passage_id=document.id or "", text=document.page_content, **document.metadata)

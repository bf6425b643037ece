"""Builds the search index of a corpus.

In: chunks. Out: `vectors.faiss`, `passages.parquet`, `bm25/`, and the sentences of every passage
with their vectors and those of their tokens (`sentences.parquet`, `sentences.faiss`, `tokens.npy`),
so that answering a question embeds nothing but the question. An adapter that was trained for the
domain serves the search for passages alone: then `vectors.faiss` is the adapted encoder's,
`plain.faiss` the base encoder's, and `retriever/` holds the adapter.
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from groundwork.artifacts import replacing, write_manifest, write_parquet
from groundwork.chunk import split_sentences
from groundwork.errors import InputError
from groundwork.index.config import IndexConfig
from groundwork.index.encoder import Encoder, encoder_sha256, retriever_sha256
from groundwork.index.lexical import Lexicon
from groundwork.index.lora import ADAPTER_FILES, adapter_sha256
from groundwork.index.texts import documents_of, passage_text, subject_of
from groundwork.index.vectors import (
    PASSAGES,
    VECTORS,
    StoredPassage,
    make_faiss,
    write_flat,
    write_passages,
)
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
    vectors_ND = embed_passages(chunks, retriever)
    index = make_faiss(config.faiss, vectors_ND.shape[1], vectors_ND)
    index.add(vectors_ND)
    rows = [StoredPassage.of(chunk.passage_id, chunk.text, _metadata(chunk)) for chunk in chunks]
    write_passages(folder, index, rows)
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
    write_flat(folder / PLAIN_VECTORS, embed_passages(chunks, encoder))
    (folder / RETRIEVER).mkdir(parents=True)
    for name in ADAPTER_FILES:
        shutil.copyfile(adapter_dir / name, folder / RETRIEVER / name)
    return [PLAIN_VECTORS, *(f"{RETRIEVER}/{name}" for name in ADAPTER_FILES)]


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
    write_flat(folder / SENTENCE_VECTORS, np.concatenate([part.vectors_BD for part in packed]))
    tokens_MP = np.concatenate([part.tokens_MP for part in packed])
    with replacing(folder / WORD_VECTORS) as temporary_path, temporary_path.open("wb") as file:
        np.save(file, tokens_MP, allow_pickle=False)
    return sentences


def _metadata(chunk: Chunk) -> dict[str, object]:
    values = asdict(chunk)
    del values["text"], values["passage_id"]
    return values

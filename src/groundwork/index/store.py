"""A LangChain vector store over FAISS that is saved without pickle.

Documents keep their ids and metadata
(as JSON), so what is loaded equals what was saved.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from groundwork.artifacts import read_parquet
from groundwork.errors import ArtifactError, InputError
from groundwork.index.encoder import Encoder
from groundwork.index.vectors import PASSAGES, VECTORS, StoredPassage, make_faiss, write_passages


class EncoderEmbeddings(Embeddings):
    """The bundled encoder as LangChain sees it."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One list of floats a text."""
        vectors: list[list[float]] = self._encoder.encode(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """The same embedding as for documents: the encoder is symmetric."""
        return self.embed_documents([text])[0]


class PassageStore(VectorStore):
    """Passages with their vectors; similarity is the inner product of unit vectors.

    Not thread-safe for writing. Deleting rebuilds the index, which a served index never does.
    """

    def __init__(self, embedding: Embeddings, *, factory: str = "Flat") -> None:
        self._embedding = embedding
        self._factory = factory
        self._documents: dict[str, Document] = {}
        self._ids: list[str] = []
        self._index: faiss.Index | None = None

    @property
    def embeddings(self) -> Embeddings:
        """What turns texts into vectors."""
        return self._embedding

    @property
    def documents(self) -> list[Document]:
        """All documents in the order of their vectors."""
        return [self._documents[key] for key in self._ids]

    def vectors(self) -> np.ndarray:
        """All vectors -> float32 (N, D), as the index holds them."""
        if self._index is None:
            return np.zeros((0, 0), dtype=np.float32)
        return np.asarray(self._index.reconstruct_n(0, len(self._ids)), dtype=np.float32)

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Embed and add texts; an id that is already there is replaced. Returns the ids."""
        listed = list(texts)
        vectors_ND = np.asarray(self._embedding.embed_documents(listed), dtype=np.float32)
        return self.add_vectors(listed, vectors_ND, metadatas=metadatas, ids=ids)

    def add_vectors(
        self,
        texts: Sequence[str],
        vectors_ND: np.ndarray,
        *,
        metadatas: Sequence[dict[str, Any]] | None = None,
        ids: Sequence[str | None] | None = None,
    ) -> list[str]:
        """Add texts whose vectors (N, D) are known. Raises: `InputError` when they do not fit."""
        given = list(metadatas) if metadatas else [{} for _ in texts]
        keys = [key or uuid.uuid4().hex for key in (ids or [None] * len(texts))]
        if not len(texts) == len(vectors_ND) == len(given) == len(keys):
            raise InputError(
                f"{len(texts)} texts, {len(vectors_ND)} vectors, {len(given)} metadata and "
                f"{len(keys)} ids: expected equal numbers"
            )
        if len(set(keys)) < len(keys):
            raise InputError(f"{len(keys)} ids, {len(set(keys))} distinct: expected each once")
        if not keys:
            return []
        self.delete([key for key in keys if key in self._documents])
        if self._index is None:
            self._index = make_faiss(self._factory, vectors_ND.shape[1], vectors_ND)
        self._index.add(np.ascontiguousarray(vectors_ND, dtype=np.float32))
        for key, text, metadata in zip(keys, texts, given, strict=True):
            self._documents[key] = Document(id=key, page_content=text, metadata=dict(metadata))
            self._ids.append(key)
        return keys

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Remove documents by id (all of them with None); unknown ids are passed over."""
        gone = set(self._ids if ids is None else ids) & set(self._ids)
        if not gone:
            return True
        kept = [number for number, key in enumerate(self._ids) if key not in gone]
        vectors_ND = self.vectors()[kept]
        for key in gone:
            del self._documents[key]
        self._ids = [self._ids[number] for number in kept]
        self._index = None
        if kept:
            self._index = make_faiss(self._factory, vectors_ND.shape[1], vectors_ND)
            self._index.add(vectors_ND)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Documents of the known ids, in the order asked for."""
        return [_copy(self._documents[key]) for key in ids if key in self._documents]

    def search_vector(self, vector_D: np.ndarray, k: int) -> list[tuple[int, float]]:
        """Numbers and cosine similarities of the `k` nearest vectors, best first."""
        if self._index is None or k < 1:
            return []
        query_1D = np.ascontiguousarray(vector_D.reshape(1, -1), dtype=np.float32)
        scores_1K, numbers_1K = self._index.search(query_1D, min(k, len(self._ids)))
        pairs = zip(numbers_1K[0].tolist(), scores_1K[0].tolist(), strict=True)
        return [(number, score) for number, score in pairs if number >= 0]

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The `k` documents nearest to `query`."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, **kwargs: Any
    ) -> list[Document]:
        """The `k` documents nearest to a vector."""
        found = self.search_vector(np.asarray(embedding, dtype=np.float32), k)
        return [_copy(self._documents[self._ids[number]]) for number, _ in found]

    def similarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """The `k` nearest documents with their cosine similarity."""
        vector_D = np.asarray(self._embedding.embed_query(query), dtype=np.float32)
        found = self.search_vector(vector_D, k)
        return [(_copy(self._documents[self._ids[n]]), score) for n, score in found]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda cosine: (cosine + 1) / 2

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> "PassageStore":
        """A store that holds `texts`; `factory=` chooses the FAISS index."""
        store = cls(embedding, factory=kwargs.get("factory", "Flat"))
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def save(self, folder: Path) -> None:
        """Write `vectors.faiss` and `passages.parquet`. Raises: `InputError` when empty."""
        if self._index is None:
            raise InputError(f"{folder}: the store holds no passages; there is nothing to save")
        documents = ((key, self._documents[key]) for key in self._ids)
        rows = [StoredPassage.of(key, doc.page_content, doc.metadata) for key, doc in documents]
        write_passages(folder, self._index, rows)

    @classmethod
    def load(cls, folder: Path, embedding: Embeddings, *, factory: str = "Flat") -> "PassageStore":
        """Read a store, its vectors mapped into memory. Raises: `ArtifactError` when damaged."""
        store = cls(embedding, factory=factory)
        for row in read_parquet(folder / PASSAGES, StoredPassage):
            store._ids.append(row.passage_id)
            store._documents[row.passage_id] = Document(
                id=row.passage_id, page_content=row.text, metadata=json.loads(row.metadata)
            )
        try:
            store._index = faiss.read_index(str(folder / VECTORS), faiss.IO_FLAG_MMAP)
        except RuntimeError as error:
            raise ArtifactError(
                f"{folder / VECTORS}: damaged or missing FAISS index; "
                "run `dvc repro --force --single-item index`"
            ) from error
        if store._index.ntotal != len(store._ids):
            raise ArtifactError(
                f"{folder}: {store._index.ntotal} vectors but {len(store._ids)} passages; "
                "run `dvc repro --force --single-item index`"
            )
        return store


def _copy(document: Document) -> Document:
    return document.model_copy(deep=True)

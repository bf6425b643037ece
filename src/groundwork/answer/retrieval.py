"""Hybrid retrieval: cosine of passages, of their sentences and tokens, and BM25, in one score.

In: a question and an `Index`. Out: passages, best first. The question is embedded once.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from groundwork.answer.config import RetrievalConfig
from groundwork.answer.matching import Query, best_cosines, make_query
from groundwork.answer.question import parts
from groundwork.answer.spelling import Speller
from groundwork.errors import ArtifactError
from groundwork.index import Encoder, Index, passage_text
from groundwork.records import Chunk, Retrieved

REMEMBERED = 4096
"""Questions whose embeddings are kept: some 40 MiB."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Similarities of one question to candidate passages, each of shape (K,)."""

    numbers_K: np.ndarray
    searched_K: np.ndarray
    """Cosine by the encoder that searches: the adapted one where an adapter serves."""
    dense_K: np.ndarray
    """Cosine by the base encoder: answerers and refusal learn from it whichever one searches."""
    lexical_K: np.ndarray
    sentence_K: np.ndarray
    token_K: np.ndarray


class Retrieval:
    """Finds passages in an index; keeps the embeddings of the last questions."""

    def __init__(self, index: Index, encoder: Encoder, config: RetrievalConfig) -> None:
        self.index = index
        self._config = config
        self.numbers = {chunk.passage_id: n for n, chunk in enumerate(index.chunks)}
        """Number of each passage in the index, by its id."""
        self._families: dict[str, list[Chunk]] = {}
        for chunk in sorted(index.chunks, key=lambda chunk: (chunk.document_id, chunk.start)):
            self._families.setdefault(chunk.parent_id, []).append(chunk)
        self._categories_N = np.array([chunk.category for chunk in index.chunks])
        self._encoder = encoder
        self._known: dict[str, Query] = {}
        self._searched: dict[str, np.ndarray] = {}
        self._speller = Speller.of([passage_text(chunk) for chunk in index.chunks])

    def mend(self, question: str) -> str:
        """`question` with its typing mistakes mended to words of the passages: what is searched."""
        return self._speller.mend(question)

    def embed(self, text: str) -> np.ndarray:
        """Unit vector (D,) of a question."""
        return self.query(text).vector_D

    def query(self, text: str) -> Query:
        """A question, encoded; remembered for as long as it is likely to be used."""
        if text not in self._known:
            self.remember([text])
        return self._known[text]

    def remember(self, questions: Sequence[str]) -> None:
        """Embed questions and their parts in one batch, for `embed` to find."""
        texts = [text for question in questions for text in (question, *parts(question))]
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if len(self._known) + len(new) > REMEMBERED:
            self._known.clear()
            self._searched.clear()
        encoded = self._encoder.encode_tokens(new, skip=[0] * len(new))
        retriever = self.index.retriever
        searched_BD = retriever.encode(new) if retriever else encoded.vectors_BD
        for i, text in enumerate(new):
            self._searched[text] = searched_BD[i]
            self._known[text] = make_query(
                text,
                encoded.vectors_BD[i],
                encoded.tokens[i],
                spans=encoded.spans[i],
                lexicon=self.index.lexicon,
            )

    def retrieve(
        self,
        question: str,
        *,
        top_k: int | None = None,
        category: str | None = None,
        without: Sequence[str] = (),
    ) -> list[Retrieved]:
        """The `top_k` best passages, of `category` only and of no document in `without`; with
        `returned: parent` each with its siblings.

        Each part of a question that asks several things has its say: the passages of the whole
        question and of its parts are taken in turns.
        """
        wanted = top_k or self._config.top_k
        hits = self._hits(question, self._allowed(category, without))[:wanted]
        return self._widened(hits) if self._config.returned == "parent" else hits

    def ranking(self, question: str) -> list[int]:
        """Numbers of the passages found, best first, as they are searched: none widened."""
        allowed_N = self._allowed(None, ())
        return [self.numbers[hit.chunk.passage_id] for hit in self._hits(question, allowed_N)]

    def unadapted(self) -> "Retrieval":
        """The same retrieval with the base encoder in the place of an adapted one."""
        plain = copy(self)
        plain.index = self.index.unadapted(self._encoder)
        plain._known = dict(self._known)
        plain._searched = {text: query.vector_D for text, query in self._known.items()}
        return plain

    def _hits(self, question: str, allowed_N: np.ndarray) -> list[Retrieved]:
        if question not in self._known:
            self.remember([question])
        turns = [self._ranked(text, allowed_N) for text in (question, *parts(question))]
        found: dict[str, Retrieved] = {}
        for position in range(max(map(len, turns), default=0)):
            for ranked in turns:
                if position < len(ranked):
                    found.setdefault(ranked[position].chunk.passage_id, ranked[position])
        return list(found.values())

    def _widened(self, hits: Sequence[Retrieved]) -> list[Retrieved]:
        """The passages of each hit's parent section as they stand there, with the hit's scores."""
        wide: dict[str, Retrieved] = {}
        for hit in hits:
            if not hit.chunk.parent_id:
                raise ArtifactError(
                    "answer.retrieval.returned=parent: the index was built before passages knew "
                    "their parents; run `dvc repro --force chunk index`"
                )
            for chunk in self._families[hit.chunk.parent_id]:
                wide.setdefault(chunk.passage_id, replace(hit, chunk=chunk))
        return list(wide.values())

    def _ranked(self, question: str, allowed_N: np.ndarray) -> list[Retrieved]:
        scores = self._scores(question, allowed_N)
        if not len(scores.numbers_K):
            return []
        config = self._config
        best = max(float(scores.lexical_K.max()), 1e-9)
        fused_K = (
            config.dense_weight * scores.searched_K
            + config.sentence_weight * scores.sentence_K
            + config.token_weight * scores.token_K
            + config.lexical_weight * scores.lexical_K / best
        )
        return [
            Retrieved(
                chunk=self.index.chunks[scores.numbers_K[i]],
                score=float(fused_K[i]),
                dense=float(scores.dense_K[i]),
                lexical=float(scores.lexical_K[i]),
            )
            for i in np.lexsort((scores.numbers_K, -fused_K))
        ]

    def best_sentence(self, question: str, retrieved: Sequence[Retrieved]) -> float:
        """The highest cosine between the question and a sentence of the passages."""
        vector_D = self.embed(question)
        return max(
            self._best_sentence(self.numbers[item.chunk.passage_id], vector_D) for item in retrieved
        )

    def _allowed(self, category: str | None, without: Sequence[str]) -> np.ndarray:
        allowed_N = np.ones(len(self.index.chunks), dtype=bool)
        if category is not None:
            allowed_N &= self._categories_N == category
        if without:
            allowed_N &= [chunk.document_id not in without for chunk in self.index.chunks]
        return allowed_N

    def _scores(self, question: str, allowed_N: np.ndarray) -> Scores:
        query = self.query(question)
        vector_D, searched_D = query.vector_D, self._searched[question]
        wanted = self._config.candidates + int((~allowed_N).sum())
        found = [number for number, _ in self.index.store.search_vector(searched_D, wanted)]
        lexical_N = self.index.lexicon.scores(question)
        found += np.argsort(-lexical_N, kind="stable")[:wanted].tolist()
        numbers_K = np.array(sorted({n for n in found if allowed_N[n]}), dtype=np.int64)
        return Scores(
            numbers_K=numbers_K,
            searched_K=self.index.searched_ND[numbers_K] @ searched_D,
            dense_K=self.index.vectors_ND[numbers_K] @ vector_D,
            lexical_K=lexical_N[numbers_K],
            sentence_K=np.array([self._best_sentence(n, vector_D) for n in numbers_K]),
            token_K=best_cosines(query, numbers_K.tolist(), self.index) @ query.weights_T,
        )

    def _best_sentence(self, number: int, vector_D: np.ndarray) -> float:
        start, end = self.index.first_sentence_N[number : number + 2]
        if start == end:
            return 0.0
        return float((self.index.sentence_vectors_SD[start:end] @ vector_D).max())


class HybridRetriever(BaseRetriever):
    """`Retrieval` as a LangChain retriever, for chains and graphs of the user's own."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    retrieval: Any
    """A `Retrieval`."""

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002  # LangChain's signature
    ) -> list[Document]:
        found = self.retrieval.retrieve(query)
        store = self.retrieval.index.store
        documents: list[Document] = store.get_by_ids([item.chunk.passage_id for item in found])
        return documents

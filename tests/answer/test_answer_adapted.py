"""Retrieval with an adapted encoder: it searches, everything else stays with the base one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from groundwork.answer.config import RetrievalConfig
from groundwork.answer.retrieval import Retrieval
from groundwork.index import Encoder
from groundwork.index.store import EncoderEmbeddings, PassageStore

QUESTION = "How far does the battery last in winter?"
LAST = 8


class Fixed(Encoder):
    """An adapted encoder for which every question means the last passage."""

    def __init__(self, vector_D: np.ndarray) -> None:
        self.vector_D = vector_D
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """The same vector for each."""
        self.asked += texts
        return np.tile(self.vector_D, (len(texts), 1))


@pytest.fixture
def retriever(bikes: Retrieval) -> Fixed:
    """Its vectors of passages are those of the base encoder, in another order."""
    return Fixed(np.roll(bikes.index.vectors_ND, 1, axis=0)[LAST])


@pytest.fixture
def adapted(
    bikes: Retrieval, retriever: Fixed, encoder: Encoder, retrieval_config: RetrievalConfig
) -> Retrieval:
    """The nine passages, searched by the adapted encoder alone."""
    searched_ND = np.roll(bikes.index.vectors_ND, 1, axis=0)
    store = PassageStore(EncoderEmbeddings(retriever))
    store.add_vectors(
        [chunk.text for chunk in bikes.index.chunks],
        searched_ND,
        ids=[chunk.passage_id for chunk in bikes.index.chunks],
    )
    index = replace(bikes.index, store=store, searched_ND=searched_ND, retriever=retriever)
    config = replace(retrieval_config, sentence_weight=0.0, lexical_weight=0.0)
    return Retrieval(index, encoder, config)


def test_the_adapted_encoder_decides_the_order(adapted: Retrieval) -> None:
    """The passage that it takes every question for comes first, with its cosine of 1."""
    found = adapted.retrieve(QUESTION)
    assert adapted.numbers[found[0].chunk.passage_id] == LAST
    assert found[0].score == pytest.approx(1.0, abs=1e-6)
    assert adapted.ranking(QUESTION)[0] == LAST


def test_what_answerers_learn_from_is_the_base_encoders(
    adapted: Retrieval, bikes: Retrieval
) -> None:
    """`dense` of a passage and the question's own vector do not know of the adapter."""
    vector_D = bikes.embed(QUESTION)
    for item in adapted.retrieve(QUESTION):
        number = adapted.numbers[item.chunk.passage_id]
        assert item.dense == pytest.approx(float(bikes.index.vectors_ND[number] @ vector_D))
    assert np.array_equal(adapted.embed(QUESTION), vector_D)


def test_without_the_adapter_the_base_encoder_searches(
    adapted: Retrieval, retriever: Fixed, bikes: Retrieval
) -> None:
    """The order is that of the base encoder's cosine; the adapted one is not asked."""
    adapted.retrieve(QUESTION)
    asked = list(retriever.asked)
    plain = adapted.unadapted()
    expected = np.argsort(-(bikes.index.vectors_ND @ bikes.embed(QUESTION)), kind="stable")
    assert plain.ranking(QUESTION)[:4] == expected[:4].tolist()
    plain.ranking("What does a day cost?")
    assert retriever.asked == asked
    assert adapted.ranking(QUESTION)[0] == LAST


def test_a_question_is_embedded_once_by_each_encoder(adapted: Retrieval, retriever: Fixed) -> None:
    """Asked again, nothing is embedded."""
    for _ in range(3):
        adapted.retrieve(QUESTION)
    assert retriever.asked == [QUESTION]

"""Hybrid retrieval: the score by hand, filters, parts of a question, LangChain."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from groundwork.answer import HybridRetriever, Retrieval
from groundwork.answer.config import RetrievalConfig
from groundwork.answer.matching import best_cosines
from groundwork.index import Encoder, IndexConfig, build_index, load_index
from groundwork.index.encoder import Encoded
from groundwork.records import Retrieved

QUESTION = "How far does the battery last in winter?"


def _ids(found: list[Retrieved]) -> list[str]:
    return [item.chunk.passage_id for item in found]


def _headings(found: list[Retrieved]) -> list[tuple[str, str]]:
    return [(item.chunk.title, item.chunk.heading) for item in found]


def test_score_is_the_weighted_sum(bikes: Retrieval) -> None:
    """1 * cosine + .5 * best cosine of a sentence + .3 * BM25 / best BM25, best first."""
    index, vector_D = bikes.index, bikes.embed(QUESTION)
    lexical_N = index.lexicon.scores(QUESTION)
    sentence_N = [
        max(index.sentence_vectors_SD[first:last] @ vector_D, default=0.0)
        for first, last in zip(index.first_sentence_N[:-1], index.first_sentence_N[1:], strict=True)
    ]
    dense_N = index.vectors_ND @ vector_D
    expected_N = dense_N + 0.5 * np.array(sentence_N) + 0.3 * lexical_N / lexical_N.max()
    found = bikes.retrieve(QUESTION)
    order = np.argsort(-expected_N, kind="stable")[:4]
    assert _ids(found) == [index.chunks[n].passage_id for n in order]
    np.testing.assert_allclose([r.score for r in found], expected_N[order], rtol=1e-5)
    np.testing.assert_allclose([r.dense for r in found], dense_N[order], rtol=1e-5)
    np.testing.assert_allclose([r.lexical for r in found], lexical_N[order], rtol=1e-5)


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"dense_weight": 1.0}, "dense"),
        ({"lexical_weight": 1.0}, "lexical"),
    ],
)
def test_each_weight_alone_gives_its_own_order(
    bikes: Retrieval,
    encoder: Encoder,
    retrieval_config: RetrievalConfig,
    weights: dict[str, float],
    expected: str,
) -> None:
    """With the others at zero the order is that of one score."""
    found = _weighted(bikes, encoder, retrieval_config, weights).retrieve(QUESTION)
    values = [getattr(item, expected) for item in found]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]


def test_tokens_alone_rank_by_how_well_each_word_is_met(
    bikes: Retrieval, encoder: Encoder, retrieval_config: RetrievalConfig
) -> None:
    """The score is the weighted mean of the best cosines of the question's tokens."""
    found = _weighted(bikes, encoder, retrieval_config, {"token_weight": 2.0}).retrieve(QUESTION)
    query = bikes.query(QUESTION)
    numbers = [bikes.numbers[item.chunk.passage_id] for item in found]
    means_K = best_cosines(query, numbers, bikes.index) @ query.weights_T
    np.testing.assert_allclose([item.score for item in found], 2 * means_K, rtol=1e-6)
    assert means_K[0] == means_K.max() > means_K[-1]


def _weighted(
    bikes: Retrieval, encoder: Encoder, config: RetrievalConfig, weights: dict[str, float]
) -> Retrieval:
    names = ("dense_weight", "sentence_weight", "token_weight", "lexical_weight")
    none = dict.fromkeys(names, 0.0)
    return Retrieval(bikes.index, encoder, replace(config, **{**none, **weights}))


def test_number_of_passages_is_the_configured_or_the_wanted_one(bikes: Retrieval) -> None:
    """`top_k` of the call goes before that of the configuration."""
    assert len(bikes.retrieve(QUESTION)) == 4
    assert _ids(bikes.retrieve(QUESTION, top_k=2)) == _ids(bikes.retrieve(QUESTION))[:2]
    everything = bikes.retrieve(QUESTION, top_k=99)
    assert len(set(_ids(everything))) == len(everything)


def test_a_question_of_unknown_words_is_found_by_meaning(bikes: Retrieval) -> None:
    """BM25 has nothing to say; no division by zero."""
    found = bikes.retrieve("puppies")
    assert [item.lexical for item in found] == [0.0] * 4
    assert found[0].chunk.title == "Visit us"


def test_category_keeps_the_others_out(bikes: Retrieval) -> None:
    """All passages of the category, however far, and no other."""
    found = bikes.retrieve(QUESTION, category="money")
    assert sorted(_headings(found)) == [("Prices", "Day rates"), ("Prices", "Discounts")]
    assert bikes.retrieve(QUESTION, category="astronomy") == []


def test_category_is_searched_whole(
    bikes: Retrieval, encoder: Encoder, retrieval_config: RetrievalConfig
) -> None:
    """Its passages are found though none of them is among the nearest of all."""
    narrow = Retrieval(bikes.index, encoder, replace(retrieval_config, candidates=1))
    assert len(narrow.retrieve(QUESTION)) <= 2
    assert len(narrow.retrieve(QUESTION, category="money")) == 2


def test_documents_left_out_do_not_come_back(
    bikes: Retrieval, encoder: Encoder, retrieval_config: RetrievalConfig
) -> None:
    """All of the document's passages go, and others fill their places, however few candidates."""
    document_id = bikes.retrieve(QUESTION)[0].chunk.document_id
    found = bikes.retrieve(QUESTION, without=[document_id])
    assert len(found) == 4
    assert document_id not in {item.chunk.document_id for item in found}
    narrow = Retrieval(bikes.index, encoder, replace(retrieval_config, candidates=1))
    assert set(_ids(narrow.retrieve(QUESTION, without=[document_id]))) <= set(_ids(found))
    assert narrow.retrieve(QUESTION, without=[document_id])


def test_each_part_of_a_question_has_its_say(bikes: Retrieval) -> None:
    """The best passage of the whole, then of each part, then the second ones."""
    question = "What does a tandem cost per day, and how long does charging the battery take?"
    whole, first, second = (
        _ids(bikes.retrieve(text, top_k=1))[0]
        for text in (
            question,
            "What does a tandem cost per day",
            "how long does charging the battery take",
        )
    )
    assert first != second
    assert {whole, first, second} <= set(_ids(bikes.retrieve(question, top_k=3)))
    assert _ids(bikes.retrieve(question))[0] == whole


def test_no_subject_crowds_out_the_other(bikes: Retrieval) -> None:
    """Two passages fit the first half better than any the second: with two places, one each."""
    found = bikes.retrieve(
        "How far does the battery of an electric bicycle last in winter when the cells are cold? "
        "May dogs come into the shop?",
        top_k=2,
    )
    assert [item.chunk.title for item in found] == ["Electric bicycles", "Visit us"]


class Counting(Encoder):
    """The encoder, with the texts of every call."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder._model, encoder._tokenizer)
        self.calls: list[list[str]] = []

    def encode_tokens(self, texts: Sequence[str], *, skip: Sequence[int]) -> Encoded:
        """As the encoder does."""
        self.calls.append(list(texts))
        return super().encode_tokens(texts, skip=skip)


def test_equal_questions_are_embedded_once(
    bikes: Retrieval, encoder: Encoder, retrieval_config: RetrievalConfig
) -> None:
    """The encoder is the slow part; a question and its parts go through it in one batch."""
    counting = Counting(encoder)
    retrieval = Retrieval(bikes.index, counting, retrieval_config)
    found = retrieval.retrieve(QUESTION)
    assert retrieval.retrieve(QUESTION, top_k=2) == found[:2]
    assert retrieval.best_sentence(QUESTION, found) > 0
    two = "What does a tandem cost per day? When does the shop open on Sunday?"
    retrieval.retrieve(two)
    retrieval.embed("When does the shop open on Sunday")
    assert counting.calls == [
        [QUESTION],
        [two, "What does a tandem cost per day", "When does the shop open on Sunday"],
    ]


def test_embeddings_are_not_kept_for_ever(
    bikes: Retrieval,
    encoder: Encoder,
    retrieval_config: RetrievalConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Past the limit the old ones go, and a question answers as before."""
    monkeypatch.setattr("groundwork.answer.retrieval.REMEMBERED", 2)
    counting = Counting(encoder)
    retrieval = Retrieval(bikes.index, counting, retrieval_config)
    retrieval.remember([QUESTION, "helmet"])
    retrieval.remember(["pump", QUESTION])
    assert counting.calls == [[QUESTION, "helmet"], ["pump"]]
    assert _ids(retrieval.retrieve(QUESTION)) == _ids(bikes.retrieve(QUESTION))
    assert counting.calls[2:] == [[QUESTION]]


def test_best_sentence_is_the_highest_cosine(bikes: Retrieval) -> None:
    """Over the sentences of the passages given; a passage without sentences counts 0."""
    text = "Dogs may come."
    found = bikes.retrieve(text, category="visit")
    index = bikes.index
    first, last = index.first_sentence_N[:2]
    expected = max(index.sentence_vectors_SD[first:last] @ bikes.embed(text))
    assert bikes.best_sentence(text, found) == pytest.approx(float(expected))
    code = [item for item in bikes.retrieve(QUESTION, top_k=9) if item.chunk.heading == "Display"]
    assert bikes.best_sentence(text, code) == 0.0


def test_graph_index_finds_the_same_passages(
    bikes: Retrieval, encoder: Encoder, retrieval_config: RetrievalConfig, tmp_path: Path
) -> None:
    """HNSW on a small corpus is as good as exact search."""
    config = IndexConfig(faiss="HNSW32,Flat", bm25_k1=1.5, bm25_b=0.75)
    build_index(bikes.index.chunks, config=config, encoder=encoder, folder=tmp_path)
    graph = Retrieval(load_index(tmp_path, encoder), encoder, retrieval_config)
    for question in (QUESTION, "tandem deposit"):
        assert _ids(graph.retrieve(question)) == _ids(bikes.retrieve(question))
        assert _ids(graph.retrieve(question, category="money")) == _ids(
            bikes.retrieve(question, category="money")
        )


def test_retriever_works_in_a_langchain_chain(bikes: Retrieval) -> None:
    """Retriever | formatter, a prompt, and batches, as in LangChain's own examples."""

    def join(documents: list[Document]) -> str:
        return "\n".join(document.page_content for document in documents)

    retriever = HybridRetriever(retrieval=bikes)
    chain = (
        {"passages": retriever | RunnableLambda(join), "question": RunnablePassthrough()}
        | PromptTemplate.from_template("{passages}\n\nQuestion: {question}")
        | RunnableLambda(lambda prompt: prompt.to_string())
    )
    said = chain.invoke(QUESTION)
    assert said.endswith(f"Question: {QUESTION}")
    assert "In winter the range falls to 40 km" in said
    assert chain.batch([QUESTION]) == [said]


def test_retriever_gives_documents_with_metadata(bikes: Retrieval) -> None:
    """The passages of `retrieve` in its order, with ids and the URL to cite."""
    documents = HybridRetriever(retrieval=bikes).invoke(QUESTION)
    found = bikes.retrieve(QUESTION)
    assert [document.id for document in documents] == _ids(found)
    assert documents[0].metadata["url"] == found[0].chunk.url


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_retriever_is_awaitable(bikes: Retrieval) -> None:
    """The asynchronous call gives the same documents."""
    retriever = HybridRetriever(retrieval=bikes)
    assert await retriever.ainvoke(QUESTION) == retriever.invoke(QUESTION)

"""Scores of whole rows."""

from dataclasses import replace
from pathlib import Path

import pytest

from groundwork.artifacts import from_mapping, read_jsonl, write_jsonl
from groundwork.errors import InputError
from groundwork.evaluate import EvaluateConfig, Row, score_rows
from groundwork.index import Encoder
from groundwork.records import Evidence

CONFIG = EvaluateConfig(
    max_generated=150,
    recall_at=[1, 3],
    grounded_coverage=0.6,
    context_similarity=0.8,
    calibration_bins=10,
    resamples=200,
    confidence=0.95,
    seed=1,
)
PAGE = "https://example.org/wallbox"
QUOTE = "A wallbox draws 7.4 kW."
ROW = Row(
    question_id="q1",
    dataset="golden",
    split="test",
    answerer="extractive",
    question="How much does a wallbox draw?",
    category="home",
    kind="number",
    answerable=True,
    reference="A wallbox draws 7.4 kW.",
    facts=(("7.4 kW", "7,4 kW"),),
    evidence=(Evidence("p1", QUOTE, PAGE),),
    answer="A wallbox draws 7.4 kW. [1]",
    refused=False,
    confidence=0.9,
    sentences=(QUOTE,),
    quotes=(QUOTE,),
    cited_urls=(PAGE,),
    retrieved_ids=("p0", "p1"),
    retrieved_urls=("https://example.org/other", PAGE),
    retrieved_texts=("Something else entirely.", f"At home: {QUOTE}"),
    latency_ms=12.5,
    scores={},
)
REFUSED = replace(
    ROW, answer="I cannot answer that.", refused=True, sentences=(), quotes=(), cited_urls=()
)
UNANSWERABLE = replace(ROW, answerable=False, reference="", facts=(), evidence=())


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The bundled encoder, loaded once."""
    return Encoder.load()


@pytest.fixture(scope="module")
def scored(encoder: Encoder) -> dict[str, dict[str, float | None]]:
    """One row of each sort, scored together."""
    rows = {
        "right": ROW,
        "pair": replace(ROW, facts=(), answer="A wallbox draws 11 kW.", dataset="generated"),
        "refused": REFUSED,
        "unanswerable": UNANSWERABLE,
        "unanswerable refused": replace(UNANSWERABLE, refused=True, sentences=(), quotes=()),
    }
    found = score_rows(list(rows.values()), encoder, config=CONFIG)
    return {name: row.scores for name, row in zip(rows, found, strict=True)}


def test_a_right_answer_scores_one(scored: dict[str, dict[str, float | None]]) -> None:
    """The citation mark is no part of the answer's wording; the page stands second."""
    found = scored["right"]
    ones = ("score", "refusal_accuracy", "fact_coverage", "exact_match", "token_f1", "rouge_l",
            "bleu", "bertscore", "semantic_similarity", "grounded", "cited_page", "recall_at_3",
            "context_recall")  # fmt: skip
    assert {name: found[name] for name in ones} == pytest.approx(dict.fromkeys(ones, 1.0))
    assert found["recall_at_1"] == 0.0
    assert found["mrr"] == 0.5
    assert found["context_precision"] == pytest.approx(0.5)


def test_without_facts_the_score_is_token_f1(scored: dict[str, dict[str, float | None]]) -> None:
    """Shared {wallbox, draws, kw} of 4 and 4: 0.75."""
    assert scored["pair"]["fact_coverage"] is None
    assert scored["pair"]["score"] == scored["pair"]["token_f1"] == 0.75


def test_a_refused_answerable_question_scores_zero(
    scored: dict[str, dict[str, float | None]],
) -> None:
    """In every comparison; retrieval is scored all the same, groundedness is not."""
    found = scored["refused"]
    zeros = ("score", "refusal_accuracy", "fact_coverage", "token_f1", "bleu", "bertscore",
             "semantic_similarity")  # fmt: skip
    assert {name: found[name] for name in zeros} == dict.fromkeys(zeros, 0.0)
    assert found["grounded"] is None
    assert found["cited_page"] is None
    assert found["recall_at_3"] == 1.0


def test_an_unanswerable_question_is_right_when_refused(
    scored: dict[str, dict[str, float | None]],
) -> None:
    """Comparisons and retrieval do not apply to it; groundedness does where it is answered."""
    answered, refused = scored["unanswerable"], scored["unanswerable refused"]
    assert (answered["score"], refused["score"]) == (0.0, 1.0)
    assert (answered["refusal_accuracy"], refused["refusal_accuracy"]) == (0.0, 1.0)
    assert (answered["grounded"], refused["grounded"]) == (1.0, None)
    for name in ("token_f1", "bertscore", "fact_coverage", "recall_at_1", "context_recall"):
        assert answered[name] is None


def test_every_row_has_the_same_scores(scored: dict[str, dict[str, float | None]]) -> None:
    """A score that does not apply is there as null."""
    assert len({tuple(found) for found in scored.values()}) == 1


def test_a_nan_of_the_encoder_stays_visible() -> None:
    """It reaches the row, where `summarise` refuses it by name."""

    class Broken:
        def encode(self, texts: list[str]) -> list[list[float]]:
            import numpy as np

            return np.full((len(texts), 3), np.nan)

    (row,) = score_rows([ROW], Broken(), config=CONFIG)  # type: ignore[arg-type]
    assert row.scores["semantic_similarity"] != row.scores["semantic_similarity"]


def test_rows_survive_their_file(tmp_path: Path, encoder: Encoder) -> None:
    """`rows.jsonl` read back equals what was written."""
    rows = score_rows([ROW, REFUSED], encoder, config=CONFIG)
    write_jsonl(tmp_path / "rows.jsonl", rows)
    assert [from_mapping(Row, line) for line in read_jsonl(tmp_path / "rows.jsonl")] == rows


def test_parallel_fields_must_be_equally_long() -> None:
    """The message names the row and both lengths."""
    with pytest.raises(InputError, match="extractive/golden/q1: 1 sentences but 0 quotes"):
        replace(ROW, quotes=())
    with pytest.raises(InputError, match=r"\(1, 2, 2\) retrieved"):
        replace(ROW, retrieved_ids=("p0",))

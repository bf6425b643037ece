"""BERTScore and Ragas, against the libraries and by hand."""

import asyncio
import math

import numpy as np
import pytest

from groundwork.evaluate.bertscore import bert_scores, greedy_f1
from groundwork.evaluate.ragas_scores import QuotePresence, context_scores, semantic_similarities
from groundwork.index import Encoder, encoder_dir

PAIRS = [
    ("A 7.4 kW wallbox needs eight hours.", "It takes about 8 hours at 7.4 kW."),
    ("Yes.", "No, extension leads overheat and are not safe for charging a car overnight."),
    ("The plug is called Type 2.", "The plug is called Type 2."),
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The bundled encoder, loaded once."""
    return Encoder.load()


def test_greedy_matching_by_hand() -> None:
    """Best partners 1 and 0.6 (precision 0.8), 1 (recall 1): 2 * 0.8 / 1.8."""
    special = [0.0, 0.0]
    answer = np.array([special, [1.0, 0.0], [0.6, 0.8], special])
    reference = np.array([special, [1.0, 0.0], special])
    assert greedy_f1(answer, reference) == pytest.approx(1.6 / 1.8)
    assert greedy_f1(answer[:2], reference) == 0.0
    assert greedy_f1(answer, -reference) == 0.0


def test_bertscore_gives_the_librarys_numbers() -> None:
    """Those of bert-score 0.3.13 for this model and layer, made by the slow test below."""
    assert bert_scores(PAIRS) == pytest.approx([0.750731, 0.239219, 1.0], abs=1e-5)


@pytest.mark.slow  # ten seconds and more for the library's own imports
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of bert-score's own imports
def test_bertscore_agrees_with_the_library() -> None:
    """Five decimals of the bert-score package on the same layer of the same model."""
    from bert_score import BERTScorer

    scorer = BERTScorer(
        model_type=str(encoder_dir()), num_layers=5, device="cpu", use_fast_tokenizer=True
    )
    answers, references = zip(*PAIRS, strict=True)
    expected = scorer.score(list(answers), list(references))[2].tolist()
    assert bert_scores(PAIRS) == pytest.approx(expected, abs=1e-5)


def test_bertscore_of_nothing_is_zero() -> None:
    """Empty texts, and texts without any token, score 0; no pairs give no scores."""
    assert bert_scores([("", "something"), ("\u200b", "something")]) == [0.0, 0.0]
    assert bert_scores([]) == []


def test_semantic_similarity_is_the_cosine(encoder: Encoder) -> None:
    """Ragas gives the inner product of the encoder's unit vectors, never below 0."""
    vectors = [encoder.encode(pair) for pair in PAIRS]
    expected = [max(0.0, float(two[0] @ two[1])) for two in vectors]
    found = semantic_similarities(PAIRS, encoder)
    assert found == pytest.approx(expected, abs=1e-5)
    assert found[2] == pytest.approx(1.0)
    assert semantic_similarities([], encoder) == []


def test_context_precision_and_recall_by_hand() -> None:
    """Quotes in passages 2 and 3 of 3: (1/2 + 2/3) / 2; one of two quotes found: 1/2."""
    long = "Sockets heat up under a steady load. " * 8
    passages = (
        "nothing of the kind",
        long + "Use a wallbox.",
        "Do use a **wallbox**. use a wallbox.",
    )
    found = context_scores([(("Use a wallbox.", "absent and gone"), passages)], threshold=0.8)
    assert found == [pytest.approx(((1 / 2 + 2 / 3) / 2, 0.5))]


def test_context_scores_without_passages_or_quotes() -> None:
    """Nothing retrieved is a score of 0; nothing to look for is no score at all."""
    nothing_found, nothing_wanted = context_scores([(("a",), ()), ((), ("a",))], threshold=0.8)
    assert nothing_found == (0.0, 0.0)
    assert all(math.isnan(value) for value in nothing_wanted)


def test_a_nearly_verbatim_quote_is_nearly_present() -> None:
    """One letter of twenty differs: (20 - 1) / 20 = 0.95 by edit distance of the best place."""
    from ragas import SingleTurnSample

    sample = SingleTurnSample(
        reference="before abcdefghij klmnopqrs after", response="abcdefghijXklmnopqrs"
    )
    found = asyncio.run(QuotePresence().single_turn_ascore(sample))
    assert found == pytest.approx(0.95)

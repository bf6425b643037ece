"""What is learned: evidence, the threshold of refusal, the confidence."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from groundwork.answer import (
    Calibration,
    Draft,
    Example,
    Retrieval,
    Support,
    fit_calibration,
    fit_ranker,
    weight_of,
    without_evidence,
)
from groundwork.answer.calibration import (
    RESCALED_EXAMPLES,
    VECTOR_EXAMPLES,
    _weighted_quantile,
    decide,
)
from groundwork.answer.config import CalibrationConfig, RetrievalConfig
from groundwork.answer.features import FEATURES, candidates, sentence_features
from groundwork.answer.linear import Logistic
from groundwork.config import check
from groundwork.errors import ConfigError, InputError
from groundwork.index import Encoder
from groundwork.index.encoder import Encoded
from groundwork.records import Evidence, Question

CONFIG = CalibrationConfig(max_wrong_refusals=0.1, max_model_questions=64, folds=5, seed=13)
NOWHERE_D = np.zeros(8)
SAID = Draft((Support("It opens.", "p1", "It opens."),), False, {})


def _question(
    text: str, quote: str, folder: str, *, origin: str = "rules", split: str = "validation"
) -> Question:
    url = f"https://bikes.example/{folder}/"
    return Question(
        question_id=text,
        question=text,
        answer=quote,
        answerable=bool(quote),
        category="",
        kind="fact",
        evidence=(Evidence("", quote, url),) if quote else (),
        facts=(),
        document_id="",
        split=split,
        origin=origin,
    )


QUESTIONS = [
    _question("When does the shop open on Sundays?", "On Sundays it opens at 10 am.", "visit"),
    _question("Who rides free?", "Club members ride free on Mondays.", "prices"),
    _question("How long does charging take?", "Charging takes 4 hours from empty.", "batteries"),
    _question("What does a late return cost?", "A late return costs £5 per hour.", "returns"),
]


def test_ranker_learns_to_pick_the_evidence(bikes: Retrieval) -> None:
    """On the questions it saw, the evidence has the highest probability."""
    ranker = fit_ranker(QUESTIONS, bikes)
    assert set(ranker.weights) == set(FEATURES)
    for question in QUESTIONS:
        retrieved = bikes.retrieve(question.question)
        found = candidates(bikes, retrieved)
        features_SF = sentence_features(question.question, found, retrieved, bikes)
        best = int(ranker.probability(features_SF, FEATURES).argmax())
        assert found[best].text == question.answer


def test_questions_to_learn_from_are_embedded_together(
    bikes: Retrieval,
    encoder: Encoder,
    retrieval_config: RetrievalConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One at a time they take a processor three times as long."""
    calls, encode = [], encoder.encode_tokens

    def counted(texts: Sequence[str], *, skip: Sequence[int]) -> Encoded:
        calls.append(list(texts))
        return encode(texts, skip=skip)

    monkeypatch.setattr(encoder, "encode_tokens", counted)
    fit_ranker(QUESTIONS, Retrieval(bikes.index, encoder, retrieval_config))
    assert calls == [[question.question for question in QUESTIONS]]


def test_ranker_is_the_same_every_time(bikes: Retrieval) -> None:
    """Equal questions give equal numbers, ready for JSON."""
    one, other = fit_ranker(QUESTIONS, bikes), fit_ranker(QUESTIONS, bikes)
    assert one == other
    assert json.loads(json.dumps(one.weights)) == one.weights


def test_ranker_without_evidence_has_its_prior(bikes: Retrieval) -> None:
    """Unanswerable questions teach nothing: similarity and shared words decide."""
    ranker = fit_ranker([_question("What is a zebra?", "", "visit")], bikes)
    assert {name for name, weight in ranker.weights.items() if weight} == {
        "cos_sentence",
        "overlap",
    }
    assert fit_ranker([], bikes) == ranker


@pytest.mark.parametrize(
    ("origin", "split", "expected"),
    [("golden", "dev", 5.0), ("golden", "train", 1.0), ("rules", "validation", 1.0)],
    ids=["golden", "labelled", "generated"],
)
def test_questions_of_the_dev_half_weigh_more(origin: str, split: str, expected: float) -> None:
    """As much as five generated pairs or labelled questions."""
    assert weight_of(_question("q", "a", "visit", origin=origin, split=split)) == expected


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 0.1), (0.1, 0.1), (0.5, 0.3), (0.55, 0.3), (0.61, 0.9), (1.0, 0.9)],
)
def test_weighted_quantile_by_hand(share: float, expected: float) -> None:
    """Values .1 .2 .3 .9 weigh 1 1 4 4 of ten: below .1 lies 0, .2: .1, .3: .2, .9: .6."""
    values_B, weights_B = np.array([0.9, 0.1, 0.3, 0.2]), np.array([4.0, 1.0, 4.0, 1.0])
    found = _weighted_quantile(values_B, weights_B, share)
    assert found == expected
    assert weights_B[values_B < found].sum() / 10 <= share


def test_quantile_of_nothing_is_zero() -> None:
    """No answerable question: no threshold, no refusal by it."""
    assert _weighted_quantile(np.array([]), np.array([]), 0.1) == 0.0


def _examples(size: int = 200, *, seed: int = 3) -> list[Example]:
    rng = np.random.default_rng(seed)
    examples = []
    for number in range(size):
        answerable = bool(number % 2)
        signals = {
            "similarity": float(rng.normal(1.0 if answerable else -1.0, 0.7)),
            "luck": float(rng.normal()),
        }
        right = answerable and signals["luck"] > -1
        weight = 1.0 + 4.0 * (number % 3 == 0)
        examples.append(Example(signals, NOWHERE_D, answerable, right, weight, str(number)))
    return examples


def _share_refused(calibration: Calibration, examples: list[Example]) -> float:
    weights = [e.weight for e in examples if e.answerable]
    refused = [
        e.weight
        for e in examples
        if e.answerable and decide(e.signals, e.vector_D, SAID, calibration)[0]
    ]
    return sum(refused) / sum(weights)


def test_threshold_limits_wrong_refusals() -> None:
    """About a tenth of the answerable ones, on those seen and on others; a higher limit, more."""
    calibration = fit_calibration(_examples(), CONFIG)
    assert _share_refused(calibration, _examples()) <= 0.13
    assert _share_refused(calibration, _examples(seed=4)) <= 0.2
    bold = fit_calibration(_examples(), replace(CONFIG, max_wrong_refusals=0.5))
    assert bold.threshold > calibration.threshold > 0
    assert _share_refused(bold, _examples()) > _share_refused(calibration, _examples())


def _kinds(weight: float) -> list[Example]:
    """Easy questions of `weight`, five times as many hard ones of weight 1, unanswerable ones."""
    rng = np.random.default_rng(8)
    sizes = ((2, True, weight, 100), (0, True, 1.0, 500), (-2, False, 1.0, 300))
    kinds = [
        (mean, answerable, each) for mean, answerable, each, size in sizes for _ in range(size)
    ]
    return [
        Example(
            {"similarity": float(rng.normal(mean, 0.3))},
            NOWHERE_D,
            answerable,
            answerable,
            each,
            str(number),
        )
        for number, (mean, answerable, each) in enumerate(kinds)
    ]


def test_threshold_is_set_on_the_heaviest_questions() -> None:
    """About a tenth of the easy ones is refused, and so all hard ones; else a tenth of all.

    Weighted over all questions the threshold would lie among the hard ones as well: they are half
    of the weight.
    """
    examples = _kinds(5.0)
    calibration = fit_calibration(examples, CONFIG)
    easy, hard = examples[:100], examples[100:600]
    assert _share_refused(calibration, easy) == pytest.approx(0.1, abs=0.08)
    assert _share_refused(calibration, hard) > 0.95
    alike = fit_calibration(_kinds(1.0), CONFIG)
    assert _share_refused(alike, easy) == 0
    assert _share_refused(alike, hard) == pytest.approx(0.1, abs=0.03)


def test_unanswerable_questions_are_mostly_refused() -> None:
    """The signal tells the two apart, so refusing pays."""
    calibration = fit_calibration(_examples(), CONFIG)
    others = [e for e in _examples(seed=5) if not e.answerable]
    refused = [decide(e.signals, e.vector_D, SAID, calibration)[0] for e in others]
    assert sum(refused) / len(refused) > 0.7


def test_calibration_is_the_same_every_time_and_survives_json() -> None:
    """Folds come from the seed; the file holds plain numbers."""
    calibration = fit_calibration(_examples(), CONFIG)
    assert fit_calibration(_examples(), CONFIG) == calibration
    assert Calibration.from_json(json.loads(json.dumps(calibration.as_json()))) == calibration
    other = fit_calibration(_examples(), replace(CONFIG, seed=14))
    assert other.threshold != calibration.threshold


def test_answerable_questions_alone_can_be_calibrated() -> None:
    """One class: every probability is the smoothed share, and none is refused."""
    examples = [replace(e, answerable=True, right=True) for e in _examples(20)]
    calibration = fit_calibration(examples, CONFIG)
    assert decide(examples[0].signals, NOWHERE_D, SAID, calibration) == (
        False,
        pytest.approx(21 / 22),
    )


def test_unanswerable_questions_alone_set_no_threshold() -> None:
    """Nothing to lose by the limit: the threshold is zero."""
    examples = [replace(e, answerable=False, right=False) for e in _examples(20)]
    assert fit_calibration(examples, CONFIG).threshold == 0.0


def test_nothing_to_calibrate_on_is_refused() -> None:
    """The message names both sources of questions."""
    with pytest.raises(InputError, match=r"validation\.jsonl or a golden set"):
        fit_calibration([], CONFIG)


def test_one_fold_would_leave_nothing_to_learn_from() -> None:
    """At least two, or the threshold would silently be zero."""
    with pytest.raises(ConfigError, match=r"calibration\.folds=1 in .*expected at least 2"):
        check(
            "answer.calibration",
            CalibrationConfig,
            asdict(CONFIG) | {"folds": 1},
            Path("params.yaml"),
        )


def _subjects(size: int, *, seed: int = 6) -> list[Example]:
    """Signals say nothing; questions that point one way go unanswered, those of a page alike."""
    rng = np.random.default_rng(seed)
    examples = []
    for number in range(size):
        answerable = bool(number % 2)
        vector_D = rng.normal(size=8) + np.eye(8)[0] * (2 if answerable else -2)
        vector_D /= np.linalg.norm(vector_D)
        signals = {"luck": float(rng.normal())}
        examples.append(Example(signals, vector_D, answerable, answerable, 1.0, str(number)))
    return examples


def test_what_a_question_is_about_tells_whether_it_is_answered() -> None:
    """Its vector decides where no signal does; unless few are known, or it must serve elsewhere."""
    known = _subjects(VECTOR_EXAMPLES)
    calibration = fit_calibration(known, CONFIG)
    others = _subjects(200, seed=7)
    refused = [decide(e.signals, e.vector_D, SAID, calibration)[0] for e in others]
    wrong = [r for r, e in zip(refused, others, strict=True) if e.answerable]
    right = [r for r, e in zip(refused, others, strict=True) if not e.answerable]
    assert np.mean(wrong) <= 0.15
    assert np.mean(right) >= 0.8
    assert len(calibration.subject) == 8
    assert fit_calibration(known[:-1], CONFIG).subject == ()
    assert fit_calibration(known, CONFIG, portable=True).subject == ()


def test_questions_about_a_page_are_held_out_together() -> None:
    """Vectors that name the page tell nothing about other pages, and must not lift the threshold.

    Each page has a direction of its own, known to the model when a sister question is in the fit.
    """
    examples = []
    for number in range(VECTOR_EXAMPLES):
        page = number % 50
        vector_D = np.eye(50)[page]
        examples.append(Example({"none": 0.0}, vector_D, page >= 25, False, 1.0, str(page)))
    apart = fit_calibration(examples, CONFIG)
    alone = [replace(e, group=str(number)) for number, e in enumerate(examples)]
    assert apart.threshold < 0.6 < fit_calibration(alone, CONFIG).threshold


def _users(size: int) -> list[Example]:
    """Signals tell nothing: of 600 hard questions a quarter is answered rightly, of users' .8."""
    kinds = [(5.0, 4, 5)] * size + [(1.0, 1, 4)] * 600
    return [
        Example({"none": 0.0}, NOWHERE_D, True, number % of < right, weight, str(number))
        for number, (weight, right, of) in enumerate(kinds)
    ]


def test_confidence_fits_the_questions_that_users_ask() -> None:
    """Not the hard ones beside them; unless too few are known to tell."""
    for size, expected in ((RESCALED_EXAMPLES + 10, 0.8), (RESCALED_EXAMPLES - 10, 0.39)):
        calibration = fit_calibration(_users(size), CONFIG)
        _, confidence = decide({"none": 0.0}, NOWHERE_D, SAID, calibration)
        assert confidence == pytest.approx(expected, abs=0.03)


def test_calibration_of_an_older_release_is_read() -> None:
    """It knows no subjects."""
    older = HALF.as_json()
    del older["subject"]
    assert Calibration.from_json(older) == HALF


HALF = Calibration(
    answerable=Logistic({"x": 1.0}, 0.0),
    subject=(),
    right=Logistic({"x": 0.0}, np.log(3)),
    threshold=0.5,
)


@pytest.mark.parametrize(
    ("x", "draft", "refused"),
    [
        (0.1, SAID, False),
        (0.0, SAID, False),
        (-0.1, SAID, True),
        (5.0, Draft((), False, {}), True),
        (5.0, Draft(SAID.supports, True, {}), True),
    ],
    ids=["above", "at the threshold", "below", "nothing to say", "the answerer refused"],
)
def test_refusal_rules(x: float, draft: Draft, refused: bool) -> None:
    """Below the threshold, without a sentence, or when the answerer itself declined."""
    found, confidence = decide({"x": x}, NOWHERE_D, draft, HALF)
    assert found is refused
    answerable = 1 / (1 + np.exp(-x))
    assert confidence == pytest.approx(1 - answerable if refused else 0.75)


@pytest.mark.parametrize("x", [-1e9, -1.0, 0.0, 1.0, 1e9])
def test_confidence_is_a_probability(x: float) -> None:
    """Between 0 and 1, whatever the signals."""
    for draft in (SAID, Draft((), True, {})):
        assert 0 <= decide({"x": x}, NOWHERE_D, draft, HALF)[1] <= 1


def test_near_miss_keeps_the_questions_own_documents_out(bikes: Retrieval) -> None:
    """Every passage of the evidence's page goes, also those without the quote."""
    question = QUESTIONS[2]
    assert bikes.retrieve(question.question)[0].chunk.url == question.evidence[0].url
    near = without_evidence(question, bikes)
    assert near
    assert question.evidence[0].url not in {item.chunk.url for item in near}


def test_unanswerable_question_keeps_all_documents(bikes: Retrieval) -> None:
    """No evidence, nothing to leave out."""
    question = _question("What is a zebra?", "", "visit")
    assert without_evidence(question, bikes) == bikes.retrieve(question.question)

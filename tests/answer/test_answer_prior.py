"""What a domain without questions of its own starts from."""

import json
from importlib.resources import files

import numpy as np

from groundwork.answer import Retrieval, all_signals, read_prior
from groundwork.answer.calibration import decide
from groundwork.answer.config import ExtractiveConfig
from groundwork.answer.extractive import SIGNALS, Extractive
from groundwork.answer.features import FEATURES
from groundwork.answer.signals import ANSWER_SIGNALS, RETRIEVAL_SIGNALS

HINT = "signals or features changed: `dvc repro evaluate && python scripts/make_prior.py`"


def test_ranker_has_a_weight_for_each_feature() -> None:
    """No more, no fewer: an old prior would break every domain without questions."""
    assert set(read_prior().ranker.weights) == set(FEATURES), HINT


def test_calibration_has_a_weight_for_each_signal() -> None:
    """Of the retrieval, of the extractive answerer's draft, of the answer."""
    expected = {*RETRIEVAL_SIGNALS, *SIGNALS, *ANSWER_SIGNALS}
    prior = read_prior()
    assert set(prior.extractive.answerable.weights) == expected, HINT
    assert set(prior.extractive.right.weights) == expected, HINT


def test_prior_is_numbers_that_can_be_used() -> None:
    """Finite weights, a threshold that is a probability."""
    prior = read_prior()
    for model in (prior.ranker, prior.extractive.answerable, prior.extractive.right):
        assert np.isfinite([*model.weights.values(), model.bias]).all()
    assert 0 < prior.extractive.threshold < 1
    assert prior.extractive.subject == (), (
        "what one domain leaves unanswered says nothing of others"
    )
    assert prior.ranker.weights["cos_sentence"] > 0


def test_file_is_as_the_script_writes_it() -> None:
    """Three digits, sorted keys, a line break at the end."""
    text = files("groundwork.answer").joinpath("prior.json").read_text("utf-8")
    value = json.loads(text, parse_float=lambda digits: round(float(digits), 3))
    assert text == json.dumps(value, indent=1, sort_keys=True) + "\n"


def test_prior_answers_a_domain_it_never_saw(bikes: Retrieval) -> None:
    """It picks the sentence and gives a decision with a probability."""
    question = "How long does charging the battery of an electric bicycle take?"
    prior = read_prior()
    config = ExtractiveConfig(max_sentences=1, max_list_items=8, list_ratio=0.3, keep_ratio=0.05)
    retrieved = bikes.retrieve(question)
    draft = Extractive(bikes, config, prior.ranker).draft(question, retrieved)
    assert draft.supports[0].text == "Charging takes 4 hours from empty."
    signals = all_signals(question, retrieved, bikes, draft)
    _, confidence = decide(signals, bikes.embed(question), draft, prior.extractive)
    assert 0 <= confidence <= 1

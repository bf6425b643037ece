"""The logistic model: its arithmetic, its fit, and labels of one class."""

import numpy as np
import pytest

from groundwork.answer.linear import Logistic, fit_logistic

RNG = np.random.default_rng(7)
FEATURES_BF = np.column_stack([RNG.normal(5, 3, 200), RNG.normal(0, 0.1, 200), np.ones(200)])
LABELS_B = (FEATURES_BF[:, 0] + RNG.normal(0, 1.5, 200) > 5).astype(np.int64)
NAMES = ["size", "noise", "constant"]


def test_probability_by_hand() -> None:
    """sigmoid(-1 + 2 * .5 + 3 * 1) = 1 / (1 + e^-3); sigmoid(-1) for zeros. Names set the order."""
    model = Logistic({"a": 2.0, "b": 3.0}, -1.0)
    found_B = model.probability(np.array([[1.0, 0.5], [0.0, 0.0]]), ["b", "a"])
    np.testing.assert_allclose(found_B, [1 / (1 + np.exp(-3)), 1 / (1 + np.exp(1))])


def test_huge_values_stay_probabilities() -> None:
    """No overflow, nothing outside 0 to 1."""
    model = Logistic({"a": 1e6}, 0.0)
    found_B = model.probability(np.array([[1e6], [-1e6]]), ["a"])
    assert 0 < found_B[1] < 1e-9 < 1 - 1e-9 < found_B[0] < 1


def test_missing_feature_is_an_error() -> None:
    """Silence would give a wrong probability."""
    with pytest.raises(KeyError, match="b"):
        Logistic({"a": 1.0}, 0.0).probability(np.zeros((1, 1)), ["b"])


def test_fit_equals_scikit_learn_on_standardised_features() -> None:
    """Folding the standardisation into the weights changes no probability."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    weights_B = np.where(LABELS_B == 1, 2.0, 1.0)
    model = fit_logistic(FEATURES_BF, LABELS_B, NAMES, weights_B=weights_B, strength=0.1)
    scaled_BF = StandardScaler().fit_transform(FEATURES_BF)
    reference = LogisticRegression(C=0.1, max_iter=2000)
    reference.fit(scaled_BF, LABELS_B, sample_weight=weights_B)
    np.testing.assert_allclose(
        model.probability(FEATURES_BF, NAMES), reference.predict_proba(scaled_BF)[:, 1], atol=1e-4
    )
    assert model.weights["size"] > 0
    assert model.weights["constant"] == 0


def test_weights_move_the_fit() -> None:
    """Heavier positives raise every probability."""
    plain = fit_logistic(FEATURES_BF, LABELS_B, NAMES, weights_B=np.ones(200), strength=0.1)
    heavy = fit_logistic(FEATURES_BF, LABELS_B, NAMES, weights_B=1.0 + 9.0 * LABELS_B, strength=0.1)
    row = FEATURES_BF[:1]
    assert heavy.probability(row, NAMES)[0] > plain.probability(row, NAMES)[0]


@pytest.mark.parametrize(("label", "expected"), [(1, 4 / 5), (0, 1 / 5)])
def test_labels_of_one_class_give_their_smoothed_share(label: int, expected: float) -> None:
    """Three examples: (3 + 1) / (3 + 2) or (0 + 1) / (3 + 2), whatever the features."""
    model = fit_logistic(
        FEATURES_BF[:3], np.full(3, label), NAMES, weights_B=np.ones(3), strength=0.1
    )
    assert set(model.weights.values()) == {0.0}
    np.testing.assert_allclose(model.probability(FEATURES_BF[:2], NAMES), [expected, expected])

"""The listwise ranker: what it learns, its loss by hand, its gradient, its probabilities."""

from typing import Any

import numpy as np
import pytest
from scipy import optimize

from groundwork.answer.linear import _softmax, fit_listwise

NAMES = ["signal", "noise", "constant"]
Lists = list[tuple[np.ndarray, np.ndarray]]


def _lists(size: int = 40, *, seed: int = 5) -> Lists:
    """The right row has the highest `signal` of its list; lists differ in level and length."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(size):
        rows = 3 + number % 4
        features_SF = np.column_stack(
            [rng.normal(size=rows), rng.normal(size=rows), np.full(rows, 7.0)]
        )
        right = int(rng.integers(rows))
        features_SF[right, 0] = features_SF[:, 0].max() + 0.5
        features_SF[:, 0] += 3 * rng.normal()
        found.append((features_SF, np.arange(rows) == right))
    return found


def test_separable_ranking_is_learned() -> None:
    """In every list the right row comes first, in lists not seen as well."""
    model = fit_listwise(_lists(), NAMES, weights_Q=np.ones(40), penalty=1e-3)
    assert model.weights["signal"] > 0
    assert abs(model.weights["noise"]) < 0.3 * model.weights["signal"]
    assert model.weights["constant"] == 0
    for lists in (_lists(), _lists(seed=6)):
        hits = [
            labels_S[int(model.probability(features_SF, NAMES).argmax())]
            for features_SF, labels_S in lists
        ]
        assert all(hits)


def test_loss_and_gradient_by_hand_and_by_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    """At zero each of n rows has the share 1 / n: the loss is the weighted mean of ln n.

    Elsewhere the gradient is that of the differences of the loss.
    """
    seen: list[Any] = []
    real = optimize.minimize

    def minimize(loss: Any, start: np.ndarray, **options: Any) -> Any:
        seen.append(loss)
        return real(loss, start, **options)

    monkeypatch.setattr("scipy.optimize.minimize", minimize)
    lists = _lists(4)
    weights_Q = np.array([1.0, 2.0, 1.0, 4.0])
    fit_listwise(lists, NAMES, weights_Q=weights_Q, penalty=0.1)
    value, _ = seen[0](np.zeros(3))
    sizes = np.array([3, 4, 5, 6])
    assert value == pytest.approx(float(weights_Q @ np.log(sizes)) / 8)
    for point in (np.zeros(3), np.array([0.5, -1.0, 2.0])):
        step = 1e-6
        expected = [
            (seen[0](point + step * unit)[0] - seen[0](point - step * unit)[0]) / (2 * step)
            for unit in np.eye(3)
        ]
        np.testing.assert_allclose(seen[0](point)[1], expected, atol=1e-6)


def test_softmax_by_hand() -> None:
    """Lists (0, ln 3) and (5): shares 1/4, 3/4 and 1; logs of the sums ln 4 and 5."""
    share_B, log_Q = _softmax(
        np.array([0.0, np.log(3), 5.0]), np.array([0, 2]), np.array([0, 0, 1])
    )
    np.testing.assert_allclose(share_B, [0.25, 0.75, 1.0])
    np.testing.assert_allclose(log_Q, [np.log(4), 5.0])


def test_softmax_of_far_scores_is_finite() -> None:
    """e^1000 is not computed; what is ruled out by -inf has no share."""
    share_B, log_Q = _softmax(np.array([1000.0, -np.inf]), np.array([0]), np.array([0, 0]))
    np.testing.assert_allclose(share_B, [1.0, 0.0])
    np.testing.assert_allclose(log_Q, [1000.0])


def test_several_right_rows_share_the_list() -> None:
    """Two right ones of three: both outscore the third."""
    features_SF = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    model = fit_listwise(
        [(features_SF, np.array([True, True, False]))] * 5,
        ["a", "b"],
        weights_Q=np.ones(5),
        penalty=1e-3,
    )
    probability_S = model.probability(features_SF, ["a", "b"])
    assert min(probability_S[:2]) > probability_S[2] + 0.3


def test_scores_become_probabilities() -> None:
    """Their mean is the share of right rows; a right row's is higher."""
    lists = _lists(200)
    model = fit_listwise(lists, NAMES, weights_Q=np.ones(200), penalty=1e-3)
    probability_B = np.concatenate([model.probability(f, NAMES) for f, _ in lists])
    labels_B = np.concatenate([labels_S for _, labels_S in lists])
    assert ((probability_B > 0) & (probability_B < 1)).all()
    assert probability_B.mean() == pytest.approx(labels_B.mean(), abs=0.01)
    assert probability_B[labels_B].mean() > probability_B[~labels_B].mean()


def test_heavy_questions_win() -> None:
    """Two questions contradict each other: the one of weight nine decides."""
    features_SF = np.array([[1.0], [0.0]])
    first, second = np.array([True, False]), np.array([False, True])
    lists = [(features_SF, first), (features_SF, second)]
    for weights_Q, sign in (([9.0, 1.0], 1), ([1.0, 9.0], -1)):
        model = fit_listwise(lists, ["x"], weights_Q=np.array(weights_Q), penalty=1e-3)
        assert model.weights["x"] * sign > 0


def test_scale_of_a_feature_does_not_matter() -> None:
    """Features a thousand times as large get a thousandth of the weight: equal probabilities."""
    lists = _lists()
    scaled = [(features_SF * [1000.0, 1, 1], labels_S) for features_SF, labels_S in lists]
    one, other = (
        fit_listwise(each, NAMES, weights_Q=np.ones(40), penalty=1e-2) for each in (lists, scaled)
    )
    np.testing.assert_allclose(
        one.probability(lists[0][0], NAMES), other.probability(scaled[0][0], NAMES), atol=1e-2
    )


def test_fit_is_the_same_every_time() -> None:
    """No draw in it."""
    one, other = (
        fit_listwise(_lists(), NAMES, weights_Q=np.ones(40), penalty=1e-3) for _ in range(2)
    )
    assert one == other

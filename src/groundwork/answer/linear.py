"""Linear models small enough to read: fitted with scikit-learn or SciPy, stored as JSON numbers.

In: a feature matrix (B, F) with named columns. Out: probabilities (B,).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Logistic:
    """p = sigmoid(bias + sum over features of weight * value); one weight a name."""

    weights: Mapping[str, float]
    bias: float

    def probability(
        self, features_BF: np.ndarray, names: Sequence[str], *, shift_B: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Probabilities (B,) of rows whose columns are `names`; `shift_B` adds to the log-odds."""
        weights_F = np.array([self.weights[name] for name in names])
        logit_B = np.clip(features_BF @ weights_F + self.bias + shift_B, -30, 30)
        return np.asarray(1 / (1 + np.exp(-logit_B)))


def fit_logistic(
    features_BF: np.ndarray,
    labels_B: np.ndarray,
    names: Sequence[str],
    *,
    weights_B: np.ndarray,
    strength: float,
) -> Logistic:
    """Fit on standardised features, then fold the standardisation into weights and bias.

    `strength` is the inverse of the L2 penalty. With labels of one class alone the model
    answers their share, smoothed by one example of each class.
    """
    empty_BD = np.zeros((len(labels_B), 0))
    model, _ = fit_with_vectors(
        features_BF, empty_BD, labels_B, names, weights_B=weights_B, strength=strength
    )
    return model


def fit_with_vectors(
    features_BF: np.ndarray,
    vectors_BD: np.ndarray,
    labels_B: np.ndarray,
    names: Sequence[str],
    *,
    weights_B: np.ndarray,
    strength: float,
) -> tuple[Logistic, np.ndarray]:
    """`fit_logistic` with the columns of `vectors_BD` beside the features, as they are.

    Returns the model of the features and the weights (D,) of the vectors, whose product with a
    vector is to be added to the log-odds.
    """
    from sklearn.linear_model import LogisticRegression

    size = vectors_BD.shape[1]
    if len(set(labels_B.tolist())) < 2:
        share = (float(labels_B.sum()) + 1) / (len(labels_B) + 2)
        constant = Logistic(dict.fromkeys(names, 0.0), float(np.log(share / (1 - share))))
        return constant, np.zeros(size)
    mean_F = features_BF.mean(axis=0)
    scale_F = features_BF.std(axis=0)
    scale_F[scale_F < 1e-9] = 1.0
    model = LogisticRegression(C=strength, max_iter=2000)
    columns_B = np.hstack([(features_BF - mean_F) / scale_F, vectors_BD])
    model.fit(columns_B, labels_B, sample_weight=weights_B)
    weights_F = model.coef_[0][: len(names)] / scale_F
    bias = float(model.intercept_[0] - (weights_F * mean_F).sum())
    rounded = {name: round(float(w), 6) for name, w in zip(names, weights_F, strict=True)}
    return Logistic(rounded, round(bias, 6)), np.round(model.coef_[0][len(names) :], 6)


def fit_listwise(
    lists: Sequence[tuple[np.ndarray, np.ndarray]],
    names: Sequence[str],
    *,
    weights_Q: np.ndarray,
    penalty: float,
) -> Logistic:
    """Fit a ranker: in each list the right rows shall outscore the others.

    `lists` holds, for each question, features (S, F) and labels (S,) of which at least one is
    true. The loss is ListNet's top-one cross-entropy (Cao et al. 2007) over standardised features
    with an L2 `penalty`; a logistic fit of the score then makes it a probability.
    """
    from scipy.optimize import minimize

    rows_BF = np.concatenate([features_SF for features_SF, _ in lists])
    labels_B = np.concatenate([labels_S for _, labels_S in lists])
    mean_F, scale_F = rows_BF.mean(axis=0), rows_BF.std(axis=0)
    scale_F[scale_F < 1e-9] = 1.0
    rows_BF = (rows_BF - mean_F) / scale_F
    sizes = [len(labels_S) for _, labels_S in lists]
    starts_Q = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    question_B = np.repeat(np.arange(len(lists)), sizes)
    share_Q = weights_Q / weights_Q.sum()

    def loss(weights_F: np.ndarray) -> tuple[float, np.ndarray]:
        score_B = rows_BF @ weights_F
        all_B, all_Q = _softmax(score_B, starts_Q, question_B)
        right_B, right_Q = _softmax(np.where(labels_B, score_B, -np.inf), starts_Q, question_B)
        value = float(share_Q @ (all_Q - right_Q) + penalty * weights_F @ weights_F)
        slope_B = share_Q[question_B] * (all_B - right_B)
        return value, slope_B @ rows_BF + 2 * penalty * weights_F

    found = minimize(loss, np.zeros(len(names)), jac=True, method="L-BFGS-B")
    weights_F = found.x / scale_F
    score_B1 = (rows_BF @ found.x)[:, None]
    scaled = fit_logistic(
        score_B1,
        labels_B.astype(np.int64),
        ["score"],
        weights_B=share_Q[question_B] * len(lists),
        strength=1.0,
    )
    weights_F = weights_F * scaled.weights["score"]
    rounded = {name: round(float(w), 6) for name, w in zip(names, weights_F, strict=True)}
    return Logistic(rounded, round(scaled.bias - float(weights_F @ mean_F), 6))


def _softmax(
    score_B: np.ndarray, starts_Q: np.ndarray, question_B: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each question's rows: their shares (B,) and the log of their sum (Q,)."""
    top_Q = np.maximum.reduceat(score_B, starts_Q)
    grown_B = np.exp(score_B - top_Q[question_B])
    sum_Q = np.add.reduceat(grown_B, starts_Q)
    return grown_B / sum_Q[question_B], np.log(sum_Q) + top_Q

"""Logistic models small enough to read: fitted with scikit-learn, stored as JSON numbers.

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

    def probability(self, features_BF: np.ndarray, names: Sequence[str]) -> np.ndarray:
        """Probabilities (B,) of rows whose columns are `names`."""
        weights_F = np.array([self.weights[name] for name in names])
        logit_B = np.clip(features_BF @ weights_F + self.bias, -30, 30)
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
    from sklearn.linear_model import LogisticRegression

    if len(set(labels_B.tolist())) < 2:
        share = (float(labels_B.sum()) + 1) / (len(labels_B) + 2)
        return Logistic(dict.fromkeys(names, 0.0), float(np.log(share / (1 - share))))
    mean_F = features_BF.mean(axis=0)
    scale_F = features_BF.std(axis=0)
    scale_F[scale_F < 1e-9] = 1.0
    model = LogisticRegression(C=strength, max_iter=2000)
    model.fit((features_BF - mean_F) / scale_F, labels_B, sample_weight=weights_B)
    weights_F = model.coef_[0] / scale_F
    bias = float(model.intercept_[0] - (weights_F * mean_F).sum())
    rounded = {name: round(float(w), 6) for name, w in zip(names, weights_F, strict=True)}
    return Logistic(rounded, round(bias, 6))

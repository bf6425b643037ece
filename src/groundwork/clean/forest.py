"""Boosted regression trees in plain numbers, evaluated with numpy.

In: a JSON object that `scripts/fit_extraction.py` wrote, and a matrix of features. Out: one number
a row. The trees are walked level by level, all of them at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.errors import ArtifactError

Array = NDArray[np.float64]
LEAF = -1


class Forest:
    """All trees in one array of nodes; a node that is a leaf leads to itself."""

    def __init__(self, fitted: Mapping[str, Any]) -> None:
        self.names: list[str] = list(fitted["features"])
        self._base = float(fitted["base"])
        trees: Sequence[Mapping[str, Sequence[float]]] = fitted["trees"]
        self._starts = np.cumsum([0, *(len(tree["value"]) for tree in trees)])[:-1]
        start = np.repeat(self._starts, [len(tree["value"]) for tree in trees])
        joined = {
            name: np.array([number for tree in trees for number in tree[name]])
            for name in ("feature", "limit", "left", "right", "value")
        }
        leaf = joined["feature"] == LEAF
        here = np.arange(len(leaf))
        self._feature = np.where(leaf, 0, joined["feature"])
        self._limit = joined["limit"]
        self._left = np.where(leaf, here, joined["left"] + start)
        self._right = np.where(leaf, here, joined["right"] + start)
        self._value = joined["value"]
        self._depth = int(fitted["depth"])

    def predict(self, names: Sequence[str], rows: Array) -> Array:
        """Numbers between 0 and 1 for `rows` with columns `names`.

        Raises: `ArtifactError` when the columns are not those that the trees were fitted on.
        """
        if list(names) != self.names:
            unlike = sorted(set(names) ^ set(self.names))
            raise ArtifactError(
                f"extraction.json: fitted on other features ({', '.join(unlike[:5]) or 'order'}); "
                "run `python -m scripts.fit_extraction`"
            )
        cells = np.ascontiguousarray(rows).ravel()
        row = (np.arange(len(rows)) * rows.shape[1])[:, None]
        node = np.tile(self._starts, (len(rows), 1))
        for _ in range(self._depth):
            low = cells.take(row + self._feature.take(node)) <= self._limit.take(node)
            node = np.where(low, self._left.take(node), self._right.take(node))
        found: Array = self._base + self._value.take(node).sum(axis=1)
        return np.clip(np.round(found, 6), 0.0, 1.0)

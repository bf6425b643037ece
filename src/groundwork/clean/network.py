"""A small neural network over the segments of a page, in plain numbers, evaluated with numpy.

In: a JSON object that `scripts/fit_extraction.py` wrote, a matrix of features, and the groups that
the segments are in. Out: one number a segment. A first layer sums up each segment in a few numbers;
a second one sees them beside their means over the segment's groups and the segments around it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.clean.segment_features import OWN_TAGS
from groundwork.clean.segments import Box, Segment

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
REACH = 3
"""Segments before and after that are seen together."""
EXTREME = 4.0
"""Standard deviations; features further out are taken for this."""


def group_segments(segments: Sequence[Segment]) -> list[Numbers]:
    """For each way to group the segments of a page, the number of the group of each.

    Segments of one tag and class in boxes of one tag and class; with one box around theirs; with
    one box around that; all.
    """
    keys: list[list[object]] = [[], [], [], []]
    for segment in segments:
        parent = _outer(segment.box)
        like = (segment.box.signature, parent.signature if parent is not segment.box else None)
        for group, key in zip(keys, (like, parent, _outer(parent), None), strict=True):
            group.append(key)
    return [_numbered(group) for group in keys]


def _outer(box: Box) -> Box:
    return box.parent or box


def _numbered(keys: Sequence[object]) -> Numbers:
    numbers: dict[object, int] = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys])


def group_weights(segments: Sequence[Segment]) -> Array:
    """What each segment counts in the mean of a group."""
    return np.sqrt([max(len(segment.words), 0.5) for segment in segments])


def spread_tags(names: Sequence[str], rows: Array) -> Array:
    """`rows` with one column for each tag in place of the number of the tag."""
    place = list(names).index("tag")
    tags = np.eye(len(OWN_TAGS) + 1)[rows[:, place].astype(int)]
    return np.hstack([np.delete(rows, place, axis=1), tags])


class Network:
    """Two layers and the certainty that they lead to."""

    def __init__(self, fitted: Mapping[str, Any]) -> None:
        self._mean = np.array(fitted["mean"])
        self._scale = np.array(fitted["scale"])
        self._layers = [
            (np.array(layer["weights"]), np.array(layer["constants"])) for layer in fitted["layers"]
        ]

    def predict(self, cells: Array, groups: Sequence[Numbers], weights: Array) -> Array:
        """Numbers between 0 and 1 for `cells` of `spread_tags`, in groups, with their weights."""
        first, second, last = self._layers
        inner = _bend(np.clip((cells - self._mean) / self._scale, -EXTREME, EXTREME), first)
        around = [_group_means(inner, group, weights) for group in groups]
        seen = np.hstack([inner, *around, _window_means(inner)])
        logits = _bend(seen, second) @ last[0].T + last[1]
        found: Array = np.round(1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -50.0, 50.0))), 6)
        return found


def _bend(cells: Array, layer: tuple[Array, Array]) -> Array:
    """A layer with its GELU (Hendrycks and Gimpel 2016), by the formula with tanh."""
    values = cells @ layer[0].T + layer[1]
    bend = np.tanh(0.7978845608 * (values + 0.044715 * values * values * values))
    bent: Array = 0.5 * values * (1.0 + bend)
    return bent


def _group_means(inner: Array, group: Numbers, weights: Array) -> Array:
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sums = np.add.reduceat((inner * weights[:, None])[order], starts)
    means: Array = (sums / np.add.reduceat(weights[order], starts)[:, None])[group]
    return means


def _window_means(inner: Array) -> Array:
    sums = np.vstack([np.zeros((1, inner.shape[1])), np.cumsum(inner, axis=0)])
    at = np.arange(len(inner))
    first, last = np.maximum(at - REACH, 0), np.minimum(at + REACH + 1, len(inner))
    means: Array = (sums[last] - sums[first]) / (last - first)[:, None]
    return means

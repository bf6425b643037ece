"""Which segments of a page are its content.

In: the tree and address of a page, and the words that another extractor kept. Out: the segments
that are content. A model judges every segment; how sure it must be depends on the page.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.clean.forest import Forest
from groundwork.clean.segment_features import segment_features
from groundwork.clean.segments import Box, Segment, cut_tree

Tree = Any  # lxml ships no types
Array = NDArray[np.float64]
MODEL = "extraction.json"
MAX_CELLS = 1_000_000_000
"""Words of the page times words kept: above it aligning them would take over 120 MB."""
MIN_EXPECTED_WORDS = 10.0
"""A page that is expected to hold fewer words of content has none: a shell for scripts."""
LIMITS = (0.25, 0.45)
"""The least and the greatest certainty that a segment must reach."""
PRODUCT_LIMIT = 0.45
"""On a page that sells one thing, where other things stand all around."""
MIN_PRODUCT = 0.4


@dataclass(frozen=True, slots=True)
class Model:
    """What was fitted: trees for segments, weights for the kind of a page."""

    forest: Forest
    kind_features: list[str]
    kind_weights: Array
    """One for each feature, and the constant last; of the log odds that a page sells one thing."""


@cache
def load_model() -> Model:
    """The model that ships with the package."""
    fitted = json.loads((files("groundwork.clean") / MODEL).read_text(encoding="utf-8"))
    kind = fitted["product"]
    return Model(Forest(fitted["forest"]), list(kind["features"]), np.array(kind["weights"]))


@dataclass(frozen=True, slots=True)
class Judged:
    """The segments of a page with the certainty that each is content."""

    segments: list[Segment]
    certainty: Array
    product: float
    """Probability that the page sells one thing."""


def judge_segments(tree: Tree, url: str, kept_words: Sequence[str]) -> Judged | None:
    """Segments of `tree` and their certainty; None when there is no text, or too much to compare.

    `kept_words` are the words, lower case, of what another extractor kept.
    """
    boxes, segments = cut_tree(tree)
    found = measure_segments(tree, url, boxes, segments, kept_words)
    if found is None:
        return None
    names, rows = found
    model = load_model()
    certainty = smooth(segments, model.forest.predict(names, rows))
    return Judged(segments, certainty, product_probability(model, names, rows))


def measure_segments(
    tree: Tree,
    url: str,
    boxes: Sequence[Box],
    segments: Sequence[Segment],
    kept_words: Sequence[str],
) -> tuple[list[str], Array] | None:
    """Names and values of the features; None as above."""
    count = sum(len(segment.words) for segment in segments)
    if not count or count * len(kept_words) > MAX_CELLS:
        return None
    return segment_features(tree, url, boxes, segments, kept_shares(segments, kept_words))


def kept_shares(segments: Sequence[Segment], kept_words: Sequence[str]) -> Array:
    """Share of each segment's words that stand, in order, among `kept_words`."""
    from rapidfuzz.distance import LCSseq

    words = [word for segment in segments for word in segment.words]
    owner = np.repeat(np.arange(len(segments)), [len(segment.words) for segment in segments])
    common = np.zeros(len(words))
    for step in LCSseq.opcodes(words, list(kept_words)):
        if step.tag == "equal":
            common[step.src_start : step.src_end] = 1.0
    kept = np.bincount(owner, common, minlength=len(segments))
    return kept / np.maximum(np.bincount(owner, minlength=len(segments)), 1)


def smooth(segments: Sequence[Segment], certainty: Array) -> Array:
    """Mix what is said of a segment with what is said of its like and of what stands around it."""
    weights = np.array([max(len(segment.words), 0.5) for segment in segments])
    kinds: dict[object, int] = {}
    keys = [
        (segment.box.signature, segment.box.parent.signature if segment.box.parent else None)
        for segment in segments
    ]
    kind = np.array([kinds.setdefault(key, len(kinds)) for key in keys])
    alike = (np.bincount(kind, certainty * weights) / np.bincount(kind, weights))[kind]
    sums = np.concatenate([[0.0], np.cumsum(certainty * weights)])
    counts = np.concatenate([[0.0], np.cumsum(weights)])
    first, second = (
        np.array([_mean(_outer(segment.box, steps), sums, counts) for segment in segments])
        for steps in (1, 2)
    )
    mixed: Array = np.round(0.4 * certainty + 0.3 * alike + 0.15 * first + 0.15 * second, 6)
    return mixed


def _outer(box: Box, steps: int) -> Box:
    for _ in range(steps):
        box = box.parent or box
    return box


def _mean(box: Box, sums: Array, counts: Array) -> float:
    return float((sums[box.last] - sums[box.first]) / (counts[box.last] - counts[box.first]))


def product_probability(model: Model, names: Sequence[str], rows: Array) -> float:
    """Probability that the page with these features sells one thing."""
    place = {name: number for number, name in enumerate(names)}
    values = np.array([*(rows[0, place[name]] for name in model.kind_features), 1.0])
    return 1.0 / (1.0 + math.exp(-float(np.round(values @ model.kind_weights, 4))))


def choose_segments(judged: Judged) -> list[Segment]:
    """The segments that are content, in reading order; none on a page without content."""
    words = np.array([len(segment.words) for segment in judged.segments], dtype=float)
    if float((judged.certainty * words).sum()) < MIN_EXPECTED_WORDS:
        return []
    limit = float(np.clip(best_limit(judged.certainty, words), *LIMITS))
    if judged.product > MIN_PRODUCT:
        limit = max(limit, PRODUCT_LIMIT)
    return [
        segment
        for segment, certainty in zip(judged.segments, judged.certainty, strict=True)
        if certainty >= limit
    ]


def best_limit(certainty: Array, words: Array) -> float:
    """The certainty from which on segments are taken for the greatest expected word F1.

    With calibrated certainties the expected F1 of the surest segments is twice their expected words
    of content over their words plus the words of content expected on the whole page.
    """
    order = np.argsort(-certainty, kind="stable")
    gained = np.cumsum((certainty * words)[order])
    taken = np.cumsum(words[order])
    expected = 2.0 * gained / (taken + gained[-1] + 1e-9)
    return float(certainty[order][int(np.argmax(expected))])

"""Which segments of a page are its content.

In: the tree and address of a page, and the words that another extractor kept. Out: the segments
that are content. Trees and networks judge every segment; how sure they must be depends on the page.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.clean.forest import Forest
from groundwork.clean.network import Network, group_segments, group_weights, spread_tags
from groundwork.clean.segment_features import segment_features
from groundwork.clean.segments import Box, Segment, cut_tree

Tree = Any  # lxml ships no types
Array = NDArray[np.float64]
MODEL = "extraction.json"
MAX_CELLS = 1_000_000_000
"""Words of the page times words kept: above it aligning them would take over 120 MB."""
MIN_EXPECTED_WORDS = 10.0
"""A page that is expected to hold fewer words of content has none: a shell for scripts."""
NETWORK_SHARE = 0.4
"""Of the certainty; the rest is what the trees say."""


@dataclass(frozen=True, slots=True)
class Model:
    """What was fitted."""

    forest: Forest
    networks: Sequence[Network]

    def judge(self, segments: Sequence[Segment], names: Sequence[str], rows: Array) -> Array:
        """The certainty that each of the segments with these features is content."""
        by_trees = self.forest.predict(names, rows)  # first: it needs most memory
        cells, groups = spread_tags(names, rows), group_segments(segments)
        weights = group_weights(segments)
        by_networks = [network.predict(cells, groups, weights) for network in self.networks]
        mixed = NETWORK_SHARE * np.mean(by_networks, axis=0) + (1.0 - NETWORK_SHARE) * by_trees
        certainty: Array = np.round(mixed, 6)
        return certainty


def as_model(fitted: Mapping[str, Any]) -> Model:
    """The fitted numbers, ready to judge."""
    return Model(Forest(fitted["forest"]), [Network(numbers) for numbers in fitted["networks"]])


@cache
def load_model() -> Model:
    """The model that ships with the package."""
    return as_model(json.loads((files("groundwork.clean") / MODEL).read_text(encoding="utf-8")))


@dataclass(frozen=True, slots=True)
class Judged:
    """The segments of a page with the certainty that each is content."""

    segments: list[Segment]
    certainty: Array


def judge_segments(tree: Tree, url: str, kept_words: Sequence[str]) -> Judged | None:
    """Segments of `tree` and their certainty; None when there is no text, or too much to compare.

    `kept_words` are the words, lower case, of what another extractor kept.
    """
    boxes, segments = cut_tree(tree)
    found = measure_segments(tree, url, boxes, segments, kept_words)
    if found is None:
        return None
    return Judged(segments, load_model().judge(segments, *found))


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


def choose_segments(judged: Judged) -> list[Segment]:
    """The segments that are content, in reading order; none on a page without content."""
    words = np.array([len(segment.words) for segment in judged.segments], dtype=float)
    if float((judged.certainty * words).sum()) < MIN_EXPECTED_WORDS:
        return []
    limit = best_limit(judged.certainty, words)
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

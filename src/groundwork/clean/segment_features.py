"""What speaks for and against a segment: itself, the boxes around it, its neighbours, its page.

In: the tree of a page, cut into segments, and what another extractor kept of each. Out: a matrix,
one row a segment. All columns are rounded, so that a last bit of the machine's arithmetic never
decides.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.clean.page_signals import page_signals
from groundwork.clean.segment_words import NAMES, TAGS
from groundwork.clean.segments import Box, Segment

Tree = Any  # lxml ships no types
Array = NDArray[np.float64]
LEVELS = 6
"""Boxes looked at from a segment outwards."""
SIZES = (50, 200, 800)
"""Words; the smallest box around a segment that holds so many is looked at too."""
WINDOWS = (5, 15)
"""Segments before and after."""
SAMPLE_CHARS = 100
"""From the beginning of a segment; its letters are counted in these."""
DECIMALS = 4
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
OWN_TAGS = (
    *("p", "li", *_HEADINGS, "td", "th", "dt", "dd", "pre", "blockquote", "div", "span", "button"),
    *("figcaption", "summary", "a", "section", "article", "label", "strong"),
)


class Sums:
    """Sums over runs of segments: words, words in links, words of prose, kept words."""

    def __init__(self, segments: Sequence[Segment], kept: Array) -> None:
        words = np.array([len(segment.words) for segment in segments], dtype=float)
        links = np.array([segment.link_share for segment in segments])
        prose = words * ((words >= 15) & (links < 0.3))
        parts = np.stack([words, words * links, prose, words * kept], axis=1)
        self._sums = np.vstack([np.zeros((1, 4)), np.cumsum(parts, axis=0)])
        self.words = words
        self.total = float(words.sum()) or 1.0
        self.before = self._sums[:-1, 0]

    def of(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> dict[str, Array]:
        """Words, their number per segment, and the shares of links, prose and kept words."""
        found = self._sums[last] - self._sums[first]
        words = found[:, 0]
        shares = found[:, 1:] / np.maximum(words, 1.0)[:, None]
        return {
            "words": np.log1p(words),
            "share": words / self.total,
            "mean": words / np.maximum(last - first, 1),
            "links": shares[:, 0],
            "prose": shares[:, 1],
            "kept": shares[:, 2],
        }


def segment_features(
    tree: Tree,
    url: str,
    boxes: Sequence[Box],
    segments: Sequence[Segment],
    kept: Array,
) -> tuple[list[str], Array]:
    """Names of the columns and the matrix `(segments, columns)`; `kept` are shares of words."""
    sums = Sums(segments, kept)
    columns = _own(tree, segments, sums) | {"kept": kept}
    columns |= _around(boxes, segments, sums)
    columns |= _beside(segments, sums)
    signals = page_signals(tree, url, boxes, segments)
    signals["kept_share"] = float((sums.words * kept).sum()) / sums.total
    signals["kept_words"] = math.log1p(float((sums.words * kept).sum()))
    rows = len(segments)
    columns |= {f"page_{name}": np.full(rows, value) for name, value in signals.items()}
    return list(columns), np.stack(list(columns.values()), axis=1).round(DECIMALS)


def _own(tree: Tree, segments: Sequence[Segment], sums: Sums) -> dict[str, Array]:
    titles = tree.xpath("//head/title/text()")[:1]
    titles += tree.xpath("//meta[@property='og:title']/@content")[:1]
    title = {word.strip(".,:;|-") for text in titles for word in text.lower().split()}
    repeats = Counter(segment.text for segment in segments)
    rows = [_own_row(segment, title, repeats[segment.text]) for segment in segments]
    columns = {name: np.array([row[name] for row in rows], dtype=float) for name in rows[0]}
    after = sums.before + sums.words
    columns["position"] = (sums.before + sums.words / 2) / sums.total
    columns["before"] = np.log1p(sums.before)
    columns["after"] = np.log1p(np.maximum(sums.total - after, 0.0))
    is_heading = columns["heading"] > 0
    firsts = np.flatnonzero(columns["tag"] == OWN_TAGS.index("h1"))
    named = np.flatnonzero(is_heading & (columns["title"] > 0.8) & (sums.words >= 2))
    columns["from_h1"] = _distance(sums.before, firsts)
    columns["from_title"] = _distance(sums.before, named if len(named) else firsts)
    tags = np.array([segment.box.tags for segment in segments])
    for name, place in TAGS.items():
        columns[f"in_{name}"] = (tags >> place & 1).astype(float)
    names = np.array([segment.box.names for segment in segments])
    near = np.array([_near_names(segment.box) for segment in segments])
    for place, name in enumerate(NAMES):  # 2 when one of the nearest boxes is named so
        columns[f"named_{name}"] = ((names >> place & 1) + (near >> place & 1)).astype(float)
    return columns


def _own_row(segment: Segment, title: set[str], repeats: int) -> dict[str, float]:
    text, words, tag = segment.text, segment.words, segment.box.element.tag
    distinct = set(words)
    start = text[:SAMPLE_CHARS]
    parts = start.split()
    return {
        "words": math.log1p(len(words)),
        "chars": math.log1p(len(text)),
        "links": segment.link_share,
        "word_chars": min(len(text) / max(len(words), 1), 50.0),
        "ends": float(text[-1] in ".!?:;"),
        "capitals": sum(part[:1].isupper() for part in parts) / len(parts),
        "upper": sum(map(str.isupper, start)) / len(start),
        "digits": sum(map(str.isdigit, start)) / len(start),
        "title": len(distinct & title) / max(len(distinct), 1),
        "repeats": math.log1p(repeats),
        "tag": float(OWN_TAGS.index(tag) if tag in OWN_TAGS else len(OWN_TAGS)),
        "heading": float(tag in _HEADINGS),
        "hidden": float(segment.box.hidden),
        "depth": float(segment.box.depth),
    }


def _distance(before: Array, places: NDArray[np.int64]) -> Array:
    if not len(places):
        return np.full(len(before), -99.0)
    away = before - before[places[0]]
    signed: Array = np.copysign(np.log1p(np.abs(away)), away)
    return signed


def _near_names(box: Box) -> int:
    near = box.own_names
    for _ in range(2):
        box = box.parent or box
        near |= box.own_names
    return near


def _around(boxes: Sequence[Box], segments: Sequence[Segment], sums: Sums) -> dict[str, Array]:
    first = np.array([box.first for box in boxes])
    last = np.array([box.last for box in boxes])
    number = {box: place for place, box in enumerate(boxes)}
    parent = np.array(
        [number[box.parent] if box.parent else place for place, box in enumerate(boxes)]
    )
    found = sums.of(first, last)
    alike = _siblings(boxes, parent)
    row, rank = _repetition(alike, parent)
    own = np.array([number[segment.box] for segment in segments])
    columns: dict[str, Array] = {}
    level = own
    for step in range(LEVELS):
        columns |= {f"box{step}_{name}": values[level] for name, values in found.items()}
        columns[f"box{step}_alike"] = np.log1p(alike[level])
        level = parent[level]
    columns["row_alike"] = np.log1p(rank[own])
    columns |= {f"row_{name}": found[name][row[own]] for name in ("words", "links", "kept")}
    words = np.expm1(found["words"])
    for size in SIZES:
        level = own
        for _ in range(200):
            small = (words[level] < size - 0.5) & (parent[level] != level)
            if not small.any():
                break
            level = np.where(small, parent[level], level)
        names = ("words", "links", "prose", "mean", "kept")
        columns |= {f"size{size}_{name}": found[name][level] for name in names}
    return columns


def _siblings(boxes: Sequence[Box], parent: NDArray[np.int64]) -> Array:
    """Number of boxes with text, beside each box, that share its tag and classes; itself too."""
    filled = [box.last > box.first for box in boxes]
    keys = [(int(above), box.signature) for above, box in zip(parent, boxes, strict=True)]
    counts = Counter(key for key, full in zip(keys, filled, strict=True) if full)
    return np.array([float(counts[key]) for key in keys])


def _repetition(alike: Array, parent: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array]:
    """For each box the box around it, or itself, that has most siblings of its kind."""
    row = np.arange(len(alike))
    for place in range(1, len(alike)):  # parents stand before their children
        best = row[parent[place]]
        if alike[best] >= max(alike[place], 3.0):
            row[place] = best
    return row, alike[row]


def _beside(segments: Sequence[Segment], sums: Sums) -> dict[str, Array]:
    rows = len(segments)
    at = np.arange(rows)
    padded = np.concatenate([np.full(3, -1.0), np.log1p(sums.words), np.full(3, -1.0)])
    columns = {f"next{step}": padded[3 + step :][:rows] for step in (-3, -2, -1, 1, 2, 3)}
    for width in WINDOWS:
        found = sums.of(np.maximum(at - width, 0), np.minimum(at + width + 1, rows))
        names = ("mean", "links", "prose", "kept")
        columns |= {f"window{width}_{name}": found[name] for name in names}
    return columns

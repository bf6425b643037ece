"""Fits `src/groundwork/clean/extraction.json`: which segments of a page are content.

    python -m scripts.fit_extraction [--check | --cross] [ARCHIVE]

Reads the half `tune` of the set that `benchmarks/web_extraction.py` describes, and no page of the
other. A segment's target is the share of its words that stand, in order, in the content that a
person marked. `--check` writes nothing: it fits on four fifths of the half and scores the fifth,
five times, which is how settings were chosen. `--cross` writes nothing either: it fits on each half
and scores the other, settings untouched, which tells what is luck of the halves. Scores are of the
words that `clean` would find.
"""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.web_extraction import ARCHIVE, KINDS, Sample, read_samples, word_f1
from groundwork.clean.forest import LEAF
from groundwork.clean.network import group_segments, group_weights, spread_tags
from groundwork.clean.segments import Segment, cut_tree
from groundwork.clean.selection import (
    Judged,
    Model,
    as_model,
    choose_segments,
    kept_shares,
    measure_segments,
)
from groundwork.clean.web import MIN_AGREEMENT, parse_html, stock_words, word_overlap
from scripts.extraction_network import Lesson, fit_network

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "groundwork" / "clean" / "extraction.json"
FOLDS = 5
SEEDS = (0, 1, 2)
MAX_ROWS = 150
"""Segments of one page that are learned from: large pages must not drown the others."""
SETTINGS = {
    "max_iter": 70,
    "learning_rate": 0.12,
    "max_leaf_nodes": 12,
    "max_depth": 6,
    "min_samples_leaf": 40,
    "l2_regularization": 5.0,
    "max_features": 0.3,
    "early_stopping": False,
}
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Measured:
    """A page with features and targets of its segments."""

    sample: Sample
    segments: list[Segment]
    names: list[str]
    rows: Any
    target: Any
    stock: list[str]
    """Words that the extractor alone finds."""
    is_settled: bool
    """Whether these are believed, whatever is said of segments."""


def measure(sample: Sample) -> Measured | None:
    """Features and targets; None for a page without text."""
    tree = parse_html(sample.page.body.decode("utf-8", "replace"))
    boxes, segments = cut_tree(tree)
    stock, is_settled = stock_words(tree)
    found = measure_segments(tree, sample.page.url, boxes, segments, stock)
    if found is None:
        return None
    target = kept_shares(segments, _WORD.findall(sample.expected.lower()))
    return Measured(sample, segments, *found, target, stock, is_settled)


def fit_model(pages: Sequence[Measured]) -> dict[str, Any]:
    """Trees and networks, as many as `SEEDS`."""
    lessons = [_lesson(page) for page in pages]
    networks = [fit_network(lessons, seed) for seed in SEEDS]
    return {"forest": _fit_forest(pages), "networks": networks}


def _lesson(page: Measured) -> Lesson:
    return Lesson(
        cells=spread_tags(page.names, page.rows),
        target=page.target,
        words=np.array([len(segment.words) for segment in page.segments], dtype=float),
        groups=group_segments(page.segments),
        weights=group_weights(page.segments),
    )


def _fit_forest(pages: Sequence[Measured]) -> dict[str, Any]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    trees: list[dict[str, list[float]]] = []
    bases, depth = [], 0
    for seed in SEEDS:
        rows, target, weights = _stack(pages, seed)
        fitted = HistGradientBoostingRegressor(**SETTINGS, random_state=seed)
        fitted.fit(rows, target, sample_weight=weights)
        bases.append(float(fitted._baseline_prediction.item()))
        for (predictor,) in fitted._predictors:
            trees.append(_plain(predictor.nodes, 1.0 / len(SEEDS)))
            depth = max(depth, int(predictor.nodes["depth"].max()))
    return {
        "features": pages[0].names,
        "base": round(float(np.mean(bases)), 6),
        "depth": depth,
        "trees": trees,
    }


def _stack(pages: Sequence[Measured], seed: int) -> tuple[Any, Any, Any]:
    random = np.random.RandomState(seed)
    rows, targets, weights = [], [], []
    for page in pages:
        count = len(page.segments)
        chosen = np.arange(count)
        if count > MAX_ROWS:
            chosen = np.sort(random.choice(count, MAX_ROWS, replace=False))
        words = np.array([max(len(segment.words), 0.3) for segment in page.segments])
        share = np.sqrt(words) / np.sqrt(words).sum()
        rows.append(page.rows[chosen])
        targets.append(page.target[chosen])
        weights.append(share[chosen] * count / len(chosen))
    together = np.concatenate(weights)
    return np.vstack(rows), np.concatenate(targets), together / together.mean()


def _plain(nodes: Any, scale: float) -> dict[str, list[float]]:
    rows = [
        {
            "feature": LEAF if node["is_leaf"] else int(node["feature_idx"]),
            "limit": 0.0 if node["is_leaf"] else round(float(node["num_threshold"]), 5),
            "left": int(node["left"]),
            "right": int(node["right"]),
            "value": round(float(node["value"]) * scale, 6) if node["is_leaf"] else 0.0,
        }
        for node in nodes
    ]
    return {name: [row[name] for row in rows] for name in rows[0]}


def find_words(model: Model, page: Measured) -> list[str]:
    """The words that `clean` would find, from features that are there already."""
    if page.is_settled:
        return page.stock
    certainty = model.judge(page.segments, page.names, page.rows)
    chosen = choose_segments(Judged(page.segments, certainty))
    words = [word for segment in chosen for word in segment.words]
    return page.stock if word_overlap(words, page.stock) >= MIN_AGREEMENT else words


def cross_check(
    samples: Sequence[Sample], measured: Sequence[Measured | None], parts: Sequence[int]
) -> None:
    """Print word F1 by models that have not seen the part of the pages that theirs is in."""
    scores: dict[str, list[float]] = {kind: [] for kind in KINDS}
    of_parts: dict[int, list[float]] = {part: [] for part in sorted(set(parts))}
    for part, of_part in of_parts.items():
        known = [page for n, page in enumerate(measured) if parts[n] != part and page]
        model = as_model(fit_model(known))
        for sample, page, own in zip(samples, measured, parts, strict=True):
            if own == part:
                text = " ".join(find_words(model, page)) if page else ""
                of_part.append(word_f1(text, sample.expected))
                scores[sample.kind].append(of_part[-1])
    for part, values in of_parts.items():
        print(f"part {part:<9} {mean(values):.3f}  n {len(values)}")
    for kind, values in scores.items():
        print(f"{kind:14} {mean(values):.3f}  n {len(values)}")
    print(f"{'mean':14} {mean(value for values in scores.values() for value in values):.3f}")


def main() -> None:
    """Fit and write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", nargs="?", type=Path, default=ARCHIVE)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true")
    how.add_argument("--cross", action="store_true")
    arguments = parser.parse_args()
    samples = [
        sample
        for sample in read_samples(arguments.archive)
        if arguments.cross or sample.half == "tune"
    ]
    measured = [measure(sample) for sample in tqdm(samples, desc="measured", unit="page")]
    if arguments.check:
        cross_check(samples, measured, [number % FOLDS for number in range(len(samples))])
        return
    if arguments.cross:
        cross_check(samples, measured, [int(sample.half == "report") for sample in samples])
        return
    text = json.dumps(fit_model([page for page in measured if page]), separators=(",", ":"))
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(text) // 1024} KiB from {len(samples)} pages")


if __name__ == "__main__":
    main()

"""Fits `src/groundwork/clean/extraction.json`: which segments of a page are content.

    python -m scripts.fit_extraction [--check] [ARCHIVE]

Reads the half `tune` of the set that `benchmarks/web_extraction.py` describes, and no page of the
other. A segment's target is the share of its words that stand, in order, in the content that a
person marked. `--check` writes nothing: it fits on four fifths of the half and scores the fifth,
five times, which is how settings were chosen.
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

from benchmarks.web_extraction import ARCHIVE, KINDS, Sample, read_samples, word_f1
from groundwork.clean.forest import LEAF, Forest
from groundwork.clean.segments import Box, Segment, cut_tree
from groundwork.clean.selection import (
    Judged,
    Model,
    choose_segments,
    kept_shares,
    measure_segments,
    product_probability,
    smooth,
)
from groundwork.clean.web import parse_html, stock_words

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
    """A page of the half with features and targets of its segments."""

    sample: Sample
    boxes: list[Box]
    segments: list[Segment]
    names: list[str]
    rows: Any
    target: Any


def measure(sample: Sample) -> Measured | None:
    """Features and targets; None for a page without text."""
    tree = parse_html(sample.page.body.decode("utf-8", "replace"))
    boxes, segments = cut_tree(tree)
    found = measure_segments(tree, sample.page.url, boxes, segments, stock_words(tree))
    if found is None:
        return None
    target = kept_shares(segments, _WORD.findall(sample.expected.lower()))
    return Measured(sample, boxes, segments, *found, target)


def fit_model(pages: Sequence[Measured]) -> dict[str, Any]:
    """Trees, averaged over `SEEDS`, and the weights of the kind of a page."""
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
    forest = {
        "features": pages[0].names,
        "base": round(float(np.mean(bases)), 6),
        "depth": depth,
        "trees": trees,
    }
    return {"forest": forest, "product": _fit_product(pages)}


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


def _fit_product(pages: Sequence[Measured]) -> dict[str, Any]:
    """Logistic regression over the page's signals; weights for the values as they are."""
    from sklearn.linear_model import LogisticRegression

    places = [n for n, name in enumerate(pages[0].names) if name.startswith("page_")]
    rows = np.array([page.rows[0, places] for page in pages])
    scale = np.maximum(rows.std(axis=0), 1e-6)
    sells = [page.sample.kind == "product" for page in pages]
    fitted = LogisticRegression(C=0.1, max_iter=2000).fit((rows - rows.mean(axis=0)) / scale, sells)
    weights = fitted.coef_[0] / scale
    constant = fitted.intercept_[0] - float((weights * rows.mean(axis=0)).sum())
    return {
        "features": [pages[0].names[n] for n in places],
        "weights": [round(float(weight), 5) for weight in [*weights, constant]],
    }


def judge(model: Model, page: Measured) -> Judged:
    """As `selection.judge_segments`, from features that are there already."""
    certainty = smooth(page.segments, model.forest.predict(page.names, page.rows))
    return Judged(page.segments, certainty, product_probability(model, page.names, page.rows))


def cross_check(samples: Sequence[Sample], measured: Sequence[Measured | None]) -> None:
    """Print word F1 of the segments chosen, by models that have not seen their page."""
    scores: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for fold in range(FOLDS):
        known = [page for n, page in enumerate(measured) if n % FOLDS != fold and page]
        fitted = fit_model(known)
        model = as_model(fitted)
        for sample, page in list(zip(samples, measured, strict=True))[fold::FOLDS]:
            chosen = choose_segments(judge(model, page)) if page else []
            text = " ".join(segment.text for segment in chosen)
            scores[sample.kind].append(word_f1(text, sample.expected))
    for kind, values in scores.items():
        print(f"{kind:14} {mean(values):.3f}  n {len(values)}")
    print(f"{'mean':14} {mean(value for values in scores.values() for value in values):.3f}")


def as_model(fitted: dict[str, Any]) -> Model:
    """The fitted numbers as the package reads them."""
    kind = fitted["product"]
    return Model(Forest(fitted["forest"]), kind["features"], np.array(kind["weights"]))


def main() -> None:
    """Fit and write, or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", nargs="?", type=Path, default=ARCHIVE)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    samples = [sample for sample in read_samples(arguments.archive) if sample.half == "tune"]
    measured = [measure(sample) for sample in samples]
    if arguments.check:
        cross_check(samples, measured)
        return
    text = json.dumps(fit_model([page for page in measured if page]), separators=(",", ":"))
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(text) // 1024} KiB from {len(samples)} pages")


if __name__ == "__main__":
    main()

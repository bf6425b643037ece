"""Accuracy of the categories that stage `clean` gave, on the pages that golden questions stand on.

    python benchmarks/categories.py [--fit]         (after `dvc repro clean`)

A page's right category is the one that most golden questions about it have; of equals each is
right. Prints the share of pages with it and the calibration error of the confidence, by halves of
the golden set, whose pages differ, and every page without. `--fit` tells which
`clean.category.temperature` makes the right categories of the half `dev` most likely; nothing of
the half `test` is looked at for that.
"""

import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from groundwork.artifacts import check_manifest, read_jsonl, read_parquet
from groundwork.clean import CleanConfig, MeaningCategoriser
from groundwork.config import DomainConfig, load
from groundwork.index import RememberingEncoder
from groundwork.records import Document

CLEAN_DIR = Path("artifacts/clean")
BINS = 5
"""Of equally many pages, for the calibration error."""
TEMPERATURES = [number / 1000 for number in range(10, 101, 2)]


@dataclass(frozen=True, slots=True)
class Page:
    """A page with the categories that are right for it."""

    name: str
    document: Document
    right: dict[str, int]
    """Category to its golden questions; those with the most."""
    half: str


def page_of(url: str, public_url: str) -> str:
    """The name that golden sets give a page: its path without what the server adds."""
    path = url.removeprefix(public_url).strip("/")
    return path.removesuffix("index.html").removesuffix(".html").removesuffix(".pdf").strip("/")


def read_pages(domain: DomainConfig) -> list[Page]:
    """The pages that golden questions stand on, by name."""
    assert domain.golden_path, "the domain has no golden set"
    assert domain.mirror, "golden pages are named by their path in a mirror"
    check_manifest(CLEAN_DIR)
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    halves: dict[str, str] = {}
    for row in read_jsonl(Path(domain.golden_path)):
        for page in {evidence["page"] for evidence in row["evidence"]}:
            votes[page][row["category"]] += 1
            assert halves.setdefault(page, row["half"]) == row["half"], f"{page} is in both halves"
    documents = read_parquet(CLEAN_DIR / "documents.parquet", Document)
    by_page = {page_of(item.url, domain.mirror.public_url): item for item in documents}
    missing = sorted(set(votes) - set(by_page))
    assert not missing, f"no document for {missing[:3]}"
    return [
        Page(
            name,
            by_page[name],
            {category: n for category, n in counts.items() if n == max(counts.values())},
            halves[name],
        )
        for name, counts in sorted(votes.items())
    ]


def calibration_error(found: list[tuple[float, bool]]) -> float:
    """Mean distance of confidence and accuracy, over bins of equally many pages."""
    ordered = sorted(found)
    ends = [len(ordered) * number // BINS for number in range(BINS + 1)]
    bins = [ordered[a:b] for a, b in pairwise(ends) if b > a]
    return sum(abs(sum(c - ok for c, ok in part)) for part in bins) / len(ordered)


def fit(pages: list[Page], domain: DomainConfig) -> float:
    """The temperature that makes the right categories of `pages` most likely (Guo et al. 2017)."""
    config = load("clean", CleanConfig).category
    categoriser = MeaningCategoriser(RememberingEncoder(), domain.title, domain.categories, config)
    names = list(domain.categories)
    texts = [f"{page.document.title}\n\n{page.document.text}" for page in pages]
    scores_PC = np.stack(list(categoriser.similarities(texts)))
    right_PC = np.array([[name in page.right for name in names] for page in pages])
    losses = {}
    for temperature in TEMPERATURES:
        weights_PC = np.exp((scores_PC - scores_PC.max(1, keepdims=True)) / temperature)
        shares_P = (weights_PC * right_PC).sum(1) / weights_PC.sum(1)
        losses[temperature] = float(-np.log(shares_P).mean())
        print(f"temperature {temperature:.3f}: log loss {losses[temperature]:.4f}")
    return min(losses, key=lambda temperature: losses[temperature])


def main() -> None:
    """Print the accuracy and the mistakes."""
    domain = load("domain", DomainConfig)
    pages = read_pages(domain)
    if "--fit" in sys.argv[1:]:
        dev = [page for page in pages if page.half == "dev"]
        print(f"{len(dev)} pages of dev: temperature {fit(dev, domain)}")
        return
    for page in pages:
        document = page.document
        if document.category not in page.right:
            named = f"{document.category} ({document.category_confidence:.2f})"
            print(f"{page.name}: {named}, golden {json.dumps(page.right)}")
    for half in ("dev", "test", "both"):
        found = [
            (page.document.category_confidence, page.document.category in page.right)
            for page in pages
            if half in (page.half, "both")
        ]
        share = sum(ok for _, ok in found) / len(found)
        mean = sum(confidence for confidence, _ in found) / len(found)
        print(
            f"{half}: {share:.3f} of {len(found)} pages right, mean confidence {mean:.3f}, "
            f"calibration error {calibration_error(found):.3f}"
        )


if __name__ == "__main__":
    main()

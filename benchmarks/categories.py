"""Accuracy of the categories that stage `clean` gave, on the pages that golden questions stand on.

    python benchmarks/categories.py         (after `dvc repro clean`)

A page's right category is the one that most golden questions about it have; of equals each is
right. Prints the share of pages with it, also by halves of confidence, and every page without.
"""

import json
from collections import Counter, defaultdict
from pathlib import Path

from groundwork.artifacts import check_manifest, read_jsonl, read_parquet
from groundwork.config import DomainConfig, load
from groundwork.records import Document

CLEAN_DIR = Path("artifacts/clean")


def page_of(url: str, public_url: str) -> str:
    """The name that golden sets give a page: its path without what the server adds."""
    path = url.removeprefix(public_url).strip("/")
    return path.removesuffix("index.html").removesuffix(".html").removesuffix(".pdf").strip("/")


def main() -> None:
    """Print the accuracy and the mistakes."""
    domain = load("domain", DomainConfig)
    assert domain.golden_path, "the domain has no golden set"
    assert domain.mirror, "golden pages are named by their path in a mirror"
    check_manifest(CLEAN_DIR)
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for row in read_jsonl(Path(domain.golden_path)):
        for page in {evidence["page"] for evidence in row["evidence"]}:
            votes[page][row["category"]] += 1
    documents = read_parquet(CLEAN_DIR / "documents.parquet", Document)
    by_page = {page_of(item.url, domain.mirror.public_url): item for item in documents}
    missing = sorted(set(votes) - set(by_page))
    assert not missing, f"no document for {missing[:3]}"
    found = []
    for page, counts in sorted(votes.items()):
        right = {name for name, count in counts.items() if count == max(counts.values())}
        document = by_page[page]
        found.append((document.category_confidence, document.category in right))
        if document.category not in right:
            print(
                f"{page}: {document.category} ({document.category_confidence:.2f}), "
                f"golden {json.dumps(counts)}"
            )
    found.sort()
    middle = len(found) // 2
    for name, part in (("all", found), ("unsure", found[:middle]), ("sure", found[middle:])):
        share = sum(ok for _, ok in part) / len(part)
        mean = sum(confidence for confidence, _ in part) / len(part)
        print(f"{name}: {share:.3f} of {len(part)} pages right, mean confidence {mean:.3f}")


if __name__ == "__main__":
    main()

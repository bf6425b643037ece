"""Splits questions by document.

In: validated questions. Out: the same with their split; no document is in two splits.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from groundwork.errors import InputError
from groundwork.qa.config import SplitConfig
from groundwork.records import Question, Split


def split_by_document(
    questions: Sequence[Question], *, config: SplitConfig, seed: int
) -> list[Question]:
    """Questions with their split, in the order given.

    Test and validation take their shares of the documents in turn, each time from the category
    with the most documents still in training, so that categories are spread. Two documents make
    training and test, and validation stays empty; from three on no split with a share is empty.
    Raises: `InputError` when there are fewer than two documents.
    """
    documents = sorted({(q.document_id, q.category) for q in questions})
    if len(documents) < 2:
        raise InputError(
            f"artifacts/clean/documents.parquet: {len(documents)} document(s) with questions; "
            "expected at least 2, because pairs are split by document: add pages to the domain"
        )
    assigned = _assign(documents, config=config, seed=seed)
    return [replace(q, split=str(assigned[q.document_id])) for q in questions]


def _assign(
    documents: Sequence[tuple[str, str]], *, config: SplitConfig, seed: int
) -> dict[str, Split]:
    by_category: dict[str, list[str]] = defaultdict(list)
    for document_id, category in documents:
        by_category[category].append(document_id)
    rng = random.Random(seed)  # noqa: S311 - a split wants to be repeatable, not secret
    for members in by_category.values():
        rng.shuffle(members)
    order = {category: rng.random() for category in sorted(by_category)}
    assigned = {document_id: Split.TRAIN for document_id, _ in documents}
    taken: Counter[str] = Counter()
    for split in _holdouts(len(documents), config=config):
        category = max(by_category, key=lambda c: (len(by_category[c]), -taken[c], order[c]))
        assigned[by_category[category].pop()] = split
        taken[category] += 1
    return assigned


def _holdouts(documents: int, *, config: SplitConfig) -> list[Split]:
    """The split of each document that leaves training, test and validation in turn."""
    wanted = {
        Split.TEST: _share(documents, config.test),
        Split.VALIDATION: _share(documents, config.validation),
    }
    if documents == 2 and config.test > 0:
        wanted[Split.VALIDATION] = 0
    turns: list[Split] = []
    while any(wanted.values()) and len(turns) < documents - 1:
        for split in sorted(wanted, key=lambda s: s != Split.TEST):
            if wanted[split] and len(turns) < documents - 1:
                turns.append(split)
                wanted[split] -= 1
    return turns


def _share(documents: int, ratio: float) -> int:
    return max(1, round(documents * ratio)) if ratio > 0 else 0

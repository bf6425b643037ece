"""The split by document."""

from collections import Counter

import pytest

from groundwork.errors import ConfigError, InputError
from groundwork.qa.config import SplitConfig
from groundwork.qa.split import split_by_document
from groundwork.records import Question

SHARES = SplitConfig(train=0.8, validation=0.1, test=0.1)


def questions(documents: int, *, categories: int = 1, each: int = 3) -> list[Question]:
    return [
        Question(
            question_id=f"{d}-{n}",
            question=f"Question {n} of {d}?",
            answer="An answer.",
            answerable=True,
            category=f"c{d % categories}",
            kind="fact",
            evidence=(),
            facts=(),
            document_id=f"doc{d:03}",
            split="",
            origin="rules",
        )
        for d in range(documents)
        for n in range(each)
    ]


def splits(made: list[Question]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for question in made:
        found.setdefault(question.split, set()).add(question.document_id)
    return found


def test_no_document_is_in_two_splits() -> None:
    """Shares of documents are as configured and the order is kept."""
    given = questions(50, categories=5)
    made = split_by_document(given, config=SHARES, seed=13)
    found = splits(made)
    assert {name: len(ids) for name, ids in found.items()} == {
        "train": 40, "validation": 5, "test": 5,
    }  # fmt: skip
    assert sum(len(ids) for ids in found.values()) == len(set().union(*found.values()))
    assert [q.question_id for q in made] == [q.question_id for q in given]


def test_held_out_documents_are_spread_over_categories() -> None:
    """With five categories of ten documents, no category gives test two."""
    made = split_by_document(questions(50, categories=5), config=SHARES, seed=13)
    held = {(q.category, q.document_id) for q in made if q.split == "test"}
    assert max(Counter(category for category, _ in held).values()) == 1


def test_the_seed_decides() -> None:
    """The same seed gives the same split, another one another."""
    given = questions(40, categories=4)
    assert split_by_document(given, config=SHARES, seed=1) == split_by_document(
        given, config=SHARES, seed=1
    )
    other = split_by_document(given, config=SHARES, seed=2)
    assert splits(other)["test"] != splits(split_by_document(given, config=SHARES, seed=1))["test"]


def test_two_documents_make_training_and_test() -> None:
    """Validation stays empty: there is nothing to fill it with."""
    found = splits(split_by_document(questions(2), config=SHARES, seed=13))
    assert sorted(found) == ["test", "train"]


def test_three_documents_fill_every_split() -> None:
    """One each, however small the shares."""
    found = splits(split_by_document(questions(3), config=SHARES, seed=13))
    assert {name: len(ids) for name, ids in found.items()} == {
        "train": 1, "validation": 1, "test": 1,
    }  # fmt: skip


def test_one_document_cannot_be_split() -> None:
    """The message says how many there were and how many are needed."""
    with pytest.raises(InputError, match=r"1 document\(s\) with questions; expected at least 2"):
        split_by_document(questions(1), config=SHARES, seed=13)


def test_a_share_of_nothing_stays_empty() -> None:
    """A split that is not wanted gets no document."""
    shares = SplitConfig(train=0.8, validation=0.0, test=0.2)
    assert "validation" not in splits(split_by_document(questions(10), config=shares, seed=1))


def test_shares_must_add_up() -> None:
    """A configuration whose shares do not add up is refused with its key."""
    from pathlib import Path

    from groundwork.config import check

    value = {"train": 0.8, "validation": 0.1, "test": 0.2}
    with pytest.raises(ConfigError, match=r"qa\.split.*shares that add up to 1, not 1\.1"):
        check("qa.split", SplitConfig, value, Path("params.yaml"))

"""The store between runs: what is kept, what counts, what is dropped."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from groundwork.artifacts import sha256_bytes
from groundwork.crawl.job import Answer
from groundwork.crawl.outcomes import Fetched
from groundwork.crawl.store import Store
from groundwork.errors import ArtifactError

DAY_S = 86400.0


Open = Callable[..., Store]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens the store of one source, over and over; each is left open as a kill leaves it."""
    with ExitStack() as stack:

        def open_store(*, key: str = "k", resume_s: float = DAY_S) -> Store:
            store = Store(tmp_path, answers_key=key, resume_s=resume_s)
            stack.callback(store.close)
            return store

        yield open_store


def record(store: Store, *urls: str) -> None:
    """Answer each URL with a body of its own."""
    for url in urls:
        body = f"body of {url}".encode()
        store.bodies.write(sha256_bytes(body), body)
        fetched = Fetched(url, 200, "", sha256=sha256_bytes(body))
        store.record(Answer("page", fetched, ("l",), ()))


def kept(store: Store, *urls: str) -> list[bool]:
    """Whether the crawl that broke off answered each URL."""
    return [store.resumed.get("page", url) is not None for url in urls]


def test_answers_outlive_a_store_that_was_never_closed(opened: Open) -> None:
    """Each is on disk once `record` returns; of one URL asked twice, the last answer counts."""
    record(opened(), "a", "b")
    store = opened()
    assert kept(store, "a", "b", "c") == [True, True, False]
    assert store.resumed.get("robots", "a") is None
    answer = store.resumed.get("page", "b")
    assert answer is not None
    assert (answer.fetched.url, answer.links) == ("b", ("l",))


@pytest.mark.parametrize("rest", [b'{"kind":"page","fet', b"\x00\x00\x00", b'{"kind":"page"'])
def test_a_line_that_was_cut_off_does_not_spoil_the_next(
    opened: Open, tmp_path: Path, rest: bytes
) -> None:
    """The journal goes on behind its last whole line."""
    record(opened(), "a")
    with (tmp_path / "journal.jsonl").open("ab") as stream:
        stream.write(rest)
    record(opened(), "b")
    assert kept(opened(), "a", "b") == [True, True]


def test_an_old_journal_becomes_the_memory_if_it_knows_more(opened: Open) -> None:
    """Its answers may still be asked for conditionally."""
    first = opened()
    record(first, "a")
    first.remember()
    record(opened(), "b", "c")
    store = opened(resume_s=-1.0)
    assert kept(store, "a", "b", "c") == [False, False, False]
    assert [store.known.get("page", url) is not None for url in "abc"] == [False, True, True]
    record(store, "d")
    assert [opened(resume_s=-1.0).known.get("page", url) is None for url in "bd"] == [
        False,
        True,
    ]


def test_answers_to_other_questions_do_not_count(opened: Open) -> None:
    """Neither as journal nor as memory."""
    record(opened(), "a")
    assert kept(opened(key="other"), "a") == [False]
    other = opened(key="other")
    record(other, "a")
    other.remember()
    store = opened()
    assert (kept(store, "a"), store.known.get("page", "a")) == ([False], None)


def test_nothing_is_kept_of_what_is_to_be_forgotten(opened: Open, tmp_path: Path) -> None:
    """Journal, memory and bodies."""
    store = opened()
    record(store, "a")
    store.forget()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_body_is_what_its_name_says(opened: Open) -> None:
    """Raises with the path and the way out."""
    store = opened()
    store.bodies.write(sha256_bytes(b"x"), b"x")
    assert store.bodies.read(sha256_bytes(b"x")) == b"x"
    store.bodies.write(sha256_bytes(b"y"), b"not y")
    with pytest.raises(ArtifactError, match=r"bodies/.*damaged; delete it and crawl again"):
        store.bodies.read(sha256_bytes(b"y"))
    with pytest.raises(ArtifactError, match=r"No such file.*crawl again"):
        store.bodies.read(sha256_bytes(b"z"))


def test_a_header_is_what_json_and_clocks_make_of_it(opened: Open, tmp_path: Path) -> None:
    """A journal without one is no journal."""
    (tmp_path / "journal.jsonl").write_text(json.dumps({"answers_key": "k"}) + "\n")
    store = opened()
    record(store, "a")
    assert kept(opened(), "a") == [True]

"""`groundwork diff`: what changed between two versions of the data.

In: two versions. Out: pages, passages and questions that came, went or changed, for people or as
JSON. Pages are told apart by URL, passages by document, heading and text, questions by document and
wording.
"""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from groundwork.command.versions import Version, find_version

PAGES = "crawl/pages.parquet"
PASSAGES = "chunk/chunks.parquet"
QUESTIONS = tuple(f"qa/{split}.jsonl" for split in ("train", "validation", "test"))
SHOWN = 20
"""Lines of a list that people see; JSON holds all of them."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of the rows of one kind, each by what is shown of it."""

    added: list[Row]
    removed: list[Row]
    edited: list[Row]
    moved: list[Row]
    unchanged: int

    def counts(self) -> dict[str, int]:
        """How many of each."""
        lists = {n: len(getattr(self, n)) for n in ("added", "removed", "edited", "moved")}
        return lists | {"unchanged": self.unchanged}


def diff(before: str, after: str | None, *, root: Path, as_json: bool) -> str:
    """What changed from version `before` to `after`, by default the working tree.

    Raises: `InputError` when there is no such version, `ArtifactError` when its files are missing.
    """
    old, new = find_version(before, root), find_version(after, root)
    found = {
        "pages": compare_pages(_pages(old), _pages(new)),
        "passages": compare_passages(_passages(old), _passages(new)),
        "questions": compare_questions(_questions(old), _questions(new)),
    }
    if as_json:
        return json.dumps(
            {"before": old.label, "after": new.label}
            | {kind: asdict(changes) for kind, changes in found.items()},
            indent=2,
            ensure_ascii=False,
        )
    return "\n".join([f"{old.label} -> {new.label}", *_lines(found)])


def _pages(version: Version) -> list[Row]:
    return version.table(PAGES, ["url", "sha256"])


def _passages(version: Version) -> list[Row]:
    return version.table(PASSAGES, ["passage_id", "url", "heading", "text", "start"])


def _questions(version: Version) -> list[Row]:
    names = ("question_id", "document_id", "question", "answer", "answerable", "kind", "split")
    return [row for name in QUESTIONS for row in version.lines(name, names)]


def compare_pages(old: Sequence[Row], new: Sequence[Row]) -> Changes:
    """An edited page has other bytes at the same URL."""
    return _compare(old, new, key=lambda row: row["url"], same=("sha256",), place=())


def compare_passages(old: Sequence[Row], new: Sequence[Row]) -> Changes:
    """A moved passage stands elsewhere in its document; an edited one is removed and added."""

    def key(row: Row) -> Hashable:
        return row["url"], row["heading"], row["text"]

    return _compare(old, new, key=key, same=(), place=("start",))


def compare_questions(old: Sequence[Row], new: Sequence[Row]) -> Changes:
    """An edited question has another answer, a moved one is in another split."""

    def key(row: Row) -> Hashable:
        return row["document_id"], row["question"], row["answerable"]

    return _compare(old, new, key=key, same=("answer",), place=("split",))


def _compare(
    old: Sequence[Row],
    new: Sequence[Row],
    *,
    key: Callable[[Row], Hashable],
    same: Sequence[str],
    place: Sequence[str],
) -> Changes:
    """Rows by `key`, which may repeat; `same` tells what is edited, `place` what has moved."""
    before, after = _numbered(old, key), _numbered(new, key)
    both = [(before[name], row) for name, row in after.items() if name in before]
    edited = [row for was, row in both if any(was[n] != row[n] for n in same)]
    whole = [(was, row) for was, row in both if all(was[n] == row[n] for n in same)]
    moved = [row for was, row in whole if any(was[n] != row[n] for n in place)]
    return Changes(
        added=[row for name, row in after.items() if name not in before],
        removed=[row for name, row in before.items() if name not in after],
        edited=edited,
        moved=moved,
        unchanged=len(whole) - len(moved),
    )


def _numbered(rows: Iterable[Row], key: Callable[[Row], Hashable]) -> dict[Hashable, Row]:
    """Rows by their key and how often it came before."""
    seen: Counter[Hashable] = Counter()
    numbered: dict[Hashable, Row] = {}
    for row in rows:
        name = key(row)
        numbered[name, seen[name]] = row
        seen[name] += 1
    return numbered


def _lines(found: Mapping[str, Changes]) -> list[str]:
    lines = []
    for kind, changes in found.items():
        counts = ", ".join(f"{n} {what}" for what, n in changes.counts().items() if n)
        lines.append(f"{kind}: {counts or 'none'}")
        lines += _shown(
            [
                *(f"  + {_name(row)}" for row in changes.added),
                *(f"  - {_name(row)}" for row in changes.removed),
                *(f"  ~ {_name(row)}" for row in changes.edited),
            ]
        )
    return lines


def _shown(lines: Sequence[str]) -> list[str]:
    if len(lines) <= SHOWN:
        return list(lines)
    return [*lines[:SHOWN], f"  … and {len(lines) - SHOWN} more: --json shows all"]


def _name(row: Row) -> str:
    """What a line says of a row: a question with its split, a passage's start, a page's URL."""
    if "question" in row:
        return f"[{row['split']}] {row['question']}"
    if "text" in row:
        return f"{row['url']} {' '.join(row['text'].split())[:60]!r}"
    return str(row["url"])

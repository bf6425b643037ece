"""Reads a golden set.

In: JSONL, one question a line, its evidence by page or URL. Out: `Question` records.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from groundwork.config import DomainConfig
from groundwork.errors import ConfigError, InputError
from groundwork.records import Evidence, Question

ORIGIN = "golden"
GOLDEN = ("dev", "test")
LABELLED = ("train",)
KINDS = (
    "fact", "number", "definition", "procedure", "comparison", "cause", "yes_no", "list", "multi",
    "unanswerable",
)  # fmt: skip
_FIELDS = {
    "id": str, "question": str, "answer": str, "answerable": bool, "half": str, "category": str,
    "kind": str, "evidence": list, "facts": list,
}  # fmt: skip


def read_golden(path: Path, *, base_url: str, halves: Sequence[str] = GOLDEN) -> list[Question]:
    """Questions of a golden set in the file's order.

    `base_url`: scheme and host of the site, put in front of each `page` of the evidence.
    Raises: `InputError` naming file and line when the file is missing, empty or a line is broken.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); run `dvc pull data`, or set domain.golden_path "
            "and domain.labelled_path"
        ) from error
    questions: list[Question] = []
    first_line: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        question = _question(
            line, where=f"{path}:{number}", base_url=base_url.rstrip("/"), halves=halves
        )
        before = first_line.setdefault(question.question_id, number)
        if before != number:
            raise InputError(
                f"{path}:{number}: id {question.question_id!r} is also on line {before}; "
                "expected an id of its own for each question"
            )
        questions.append(question)
    if not questions:
        raise InputError(
            f"{path}: no questions; expected one JSON object a line, "
            "or domain.golden_path=null to do without a golden set"
        )
    return questions


def golden_of(domain: DomainConfig) -> list[Question]:
    """The golden set of `domain`, or nothing when it has none. Raises: as `read_golden`."""
    if domain.golden_path is None:
        return []
    return read_golden(Path(domain.golden_path), base_url=base_url(domain))


def labelled_of(domain: DomainConfig) -> list[Question]:
    """Questions of people to learn from, or nothing when `domain` has none.

    Raises: as `read_golden`.
    """
    if domain.labelled_path is None:
        return []
    return read_golden(Path(domain.labelled_path), base_url=base_url(domain), halves=LABELLED)


def base_url(domain: DomainConfig) -> str:
    """Scheme and host under which the domain's pages are recorded.

    Raises: `ConfigError` when the domain has no source.
    """
    source = domain.mirror or domain.files or domain.git
    if source is not None:
        return source.public_url
    for urls in (
        domain.site and domain.site.start_urls,
        domain.feed and domain.feed.urls,
        domain.api and [domain.api.record_url],
    ):
        if urls:
            parts = urlsplit(urls[0])
            return f"{parts.scheme}://{parts.netloc}"
    raise ConfigError(f"domain {domain.name} in params.yaml: expected a source, e.g. domain.mirror")


def _question(line: str, *, where: str, base_url: str, halves: Sequence[str]) -> Question:
    row = _parsed(line, where=where)
    _expect(row["half"] in halves, where, "half", row["half"], " or ".join(halves))
    _expect(row["kind"] in KINDS, where, "kind", row["kind"], f"one of {', '.join(KINDS)}")
    _expect(row["question"].strip() != "", where, "question", row["question"], "a question")
    matches = row["answerable"] != (row["kind"] == "unanswerable")
    _expect(matches, where, "kind", row["kind"], "unanswerable exactly when answerable is false")
    if row["answerable"]:
        _expect(row["answer"].strip() != "", where, "answer", row["answer"], "a reference answer")
        _expect(row["evidence"] != [], where, "evidence", [], "at least one, or answerable=false")
        _expect(row["facts"] != [], where, "facts", [], "at least one, or answerable=false")
    return Question(
        question_id=row["id"],
        question=row["question"],
        answer=row["answer"],
        answerable=row["answerable"],
        category=row["category"],
        kind=row["kind"],
        evidence=tuple(_evidence(item, where=where, base_url=base_url) for item in row["evidence"]),
        facts=tuple(_fact(item, where=where) for item in row["facts"]),
        document_id="",
        split=row["half"],
        origin=ORIGIN,
    )


def _parsed(line: str, *, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(
            f"{where}: not JSON ({error}): {line[:80]!r}; expected one object a line"
        ) from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: read {line[:80]!r}; expected a JSON object")
    missing = [name for name in _FIELDS if name not in row]
    unknown = sorted(set(row) - set(_FIELDS))
    if missing or unknown:
        found = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(unknown)}"
        raise InputError(f"{where}: {found}; expected the fields {', '.join(_FIELDS)}")
    for name, kind in _FIELDS.items():
        _expect(isinstance(row[name], kind), where, name, row[name], f"a {kind.__name__}")
    return row


def _expect(holds: bool, where: str, name: str, value: object, expected: str) -> None:
    if not holds:
        raise InputError(f"{where}: {name}={value!r}; expected {expected}")


def _evidence(item: object, *, where: str, base_url: str) -> Evidence:
    is_text = isinstance(item, dict) and all(isinstance(value, str) for value in item.values())
    keys = set(item) if isinstance(item, dict) else set()
    fits = is_text and keys in ({"page", "quote"}, {"url", "quote"})
    _expect(fits, where, "evidence", item, "objects of page (or url) and quote, both texts")
    assert isinstance(item, dict)
    _expect(
        item["quote"].strip() != "", where, "evidence.quote", item["quote"], "words of the page"
    )
    url = item["url"] if "url" in item else page_url(item["page"], base_url=base_url)
    return Evidence(passage_id="", quote=item["quote"], url=url)


def page_url(page: str, *, base_url: str) -> str:
    """Public URL of a page: pages below `pdf/` are PDF files, the others are folders."""
    name = page.strip("/")
    base = base_url.rstrip("/")
    if name.startswith("pdf/"):
        return f"{base}/{name.removesuffix('.pdf')}.pdf"
    return f"{base}/{name}/" if name else f"{base}/"


def _fact(item: object, *, where: str) -> tuple[str, ...]:
    fits = isinstance(item, list) and item != [] and all(isinstance(a, str) and a for a in item)
    _expect(fits, where, "facts", item, "lists of alternatives, each a text that is not empty")
    assert isinstance(item, list)
    return tuple(item)

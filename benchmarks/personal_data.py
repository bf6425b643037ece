"""Personal data: recall and precision on labelled texts, false positives on real pages.

    python benchmarks/personal_data.py labelled|false_positives [FOLDER OF THE ARCHIVES]

`labelled` reads pii.tar.xz (1,500 synthetic texts). A span counts as found when a span of its kind
holds four fifths of it, and what is found as right when four fifths of it lie in such a span.
`false_positives` reads the text of sites.tar.xz and documents.tar.xz, lists what is taken for an
identifier of the United Kingdom, and counts per 10,000 words.
"""

import io
import json
import re
import sys
import tarfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from groundwork.clean import CleanConfig
from groundwork.clean.config import PersonalKind
from groundwork.clean.personal_data import Personal, find_personal_data
from groundwork.config import load

KINDS = {
    "EMAIL_ADDRESS": PersonalKind.EMAIL,
    "PHONE_NUMBER": PersonalKind.PHONE,
    "CREDIT_CARD": PersonalKind.CARD,
    "IBAN_CODE": PersonalKind.IBAN,
    "IP_ADDRESS": PersonalKind.IP,
    "DOMAIN_NAME": PersonalKind.URL,
    "US_SSN": PersonalKind.SSN,
    "ZIP_CODE": PersonalKind.POSTAL_CODE,
}
"""Counted: what has a form, 8 of 17 types. Not counted: names, places, titles, ages, dates, which
need a model of language, and driving licences, of which each state has a form of its own. Half of
the postal codes are digits with no word beside them: the sum stands with and without that type."""
UK = (
    PersonalKind.POSTCODE,
    PersonalKind.NATIONAL_INSURANCE,
    PersonalKind.NHS_NUMBER,
    PersonalKind.VEHICLE,
    PersonalKind.BANK_ACCOUNT,
)
ENOUGH = 0.8
Place = tuple[int, int]


def main() -> None:
    """Run the part that the first argument names."""
    parts: dict[str, Callable[[Path], None]] = {
        "labelled": labelled,
        "false_positives": false_positives,
    }
    if len(sys.argv) < 2 or sys.argv[1] not in parts:
        sys.exit(f"personal_data: expected one of {', '.join(parts)}; see the first lines")
    parts[sys.argv[1]](Path(sys.argv[2] if len(sys.argv) > 2 else "../shared/data"))


def labelled(folder: Path) -> None:
    """Recall and precision by kind and over all that are counted."""
    regions = load("clean", CleanConfig).personal_data.phone_regions
    expected, hits, found, right = (Counter[str]() for _ in range(4))
    british = 0
    for row in _read_labelled(folder / "pii.tar.xz"):
        spans = defaultdict(list)
        for span in row["spans"]:
            spans[span["entity_type"]].append((span["start_position"], span["end_position"]))
        personal = find_personal_data(row["full_text"], phone_regions=regions)
        for name, kind in KINDS.items():
            own = [(item.start, item.end) for item in personal if item.kind is kind]
            expected[name] += len(spans[name])
            hits[name] += sum(_mostly_in(span, own) for span in spans[name])
            found[name] += len(own)
            right[name] += sum(_mostly_in(span, spans[name]) for span in own)
            if "-v" in sys.argv:
                _show(row["full_text"], name, spans[name], own)
        british += sum(item.kind in UK for item in personal)
    for name in KINDS:
        _print(name, hits[name], expected[name], right[name], found[name])
    numbers = [(hits[name], expected[name], right[name], found[name]) for name in KINDS]
    _print("all eight", *map(sum, zip(*numbers, strict=True)))
    _print("all but ZIP_CODE", *map(sum, zip(*numbers[:-1], strict=True)))
    print(f"taken for an identifier of the United Kingdom: {british}")


def _read_labelled(path: Path) -> list[dict[str, object]]:
    with tarfile.open(path) as archive:
        (item,) = (item for item in archive if item.name.endswith("synth_dataset_v2.json"))
        return json.load(archive.extractfile(item) or io.BytesIO())


def _mostly_in(span: Place, others: list[Place]) -> bool:
    common = max((min(span[1], end) - max(span[0], start) for start, end in others), default=0)
    return common >= ENOUGH * (span[1] - span[0])


def _show(text: str, name: str, spans: list[Place], own: list[Place]) -> None:
    for verdict, ours, theirs in (("missed", spans, own), ("wrong", own, spans)):
        for start, end in ours:
            if not _mostly_in((start, end), theirs):
                print(
                    f"  {verdict} {name} {text[max(0, start - 30) : end + 15]!r}: {text[start:end]}"
                )


def _print(name: str, hits: int, expected: int, right: int, found: int) -> None:
    print(
        f"{name}: recall {hits / max(expected, 1):.3f} ({hits} of {expected}), "
        f"precision {right / max(found, 1):.3f} ({right} of {found})"
    )


def false_positives(folder: Path) -> None:
    """What is found in pages and documents in which nobody's identifiers stand."""
    regions = load("clean", CleanConfig).personal_data.phone_regions
    for archive in ("sites", "documents"):
        words, counts = 0, Counter[PersonalKind]()
        seen: set[tuple[PersonalKind, str]] = set()
        for text in _texts(folder / f"{archive}.tar.xz"):
            words += len(text.split())
            for item in find_personal_data(text, phone_regions=regions):
                counts[item.kind] += 1
                _list_once(text, item, seen)
        wrong = sum(counts[kind] for kind in UK)
        named = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        print(f"{archive}: {words} words; {named or 'nothing'}")
        print(f"{archive}: {wrong * 10_000 / words:.3f} of the United Kingdom per 10,000 words")


def _list_once(text: str, item: Personal, seen: set[tuple[PersonalKind, str]]) -> None:
    value = text[item.start : item.end]
    if item.kind is not PersonalKind.URL and (item.kind, value) not in seen:
        seen.add((item.kind, value))
        context = " ".join(text[max(0, item.start - 40) : item.end + 20].split())
        print(f"  {item.kind} {value!r} in {context!r}")


def _texts(path: Path) -> Iterator[str]:
    """Text of every page and document of an archive."""
    from lxml import html

    with tarfile.open(path) as archive:
        for item in archive:
            suffix = Path(item.name).suffix
            if not item.isfile():
                continue
            body = (archive.extractfile(item) or io.BytesIO()).read()
            if suffix == ".html":
                tree = html.document_fromstring(body, parser=html.HTMLParser(encoding="utf-8"))
                for element in tree.xpath("//script|//style"):
                    element.drop_tree()
                yield "\n".join(text for text in tree.itertext() if text.strip())
            elif suffix == ".pdf":
                yield _pdf_text(body)
            elif suffix in (".asciidoc", ".md", ".txt", ".json", ".csv"):
                yield re.sub(r"\r\n?", "\n", body.decode("utf-8", "replace"))


def _pdf_text(body: bytes) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(body)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


if __name__ == "__main__":
    main()

"""One page read, whatever its format, with personal data masked; remembered between runs.

In: a page. Out: an extraction or the reject that says why there is none. Nothing here knows other
pages.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from groundwork.artifacts import code_version, sha256_bytes, sha256_file
from groundwork.clean.blocks import one_line
from groundwork.clean.config import ExtractConfig, PersonalDataConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.pdf import extract_pdf
from groundwork.clean.personal_data import mask_personal_data
from groundwork.clean.readers import BY_TYPE, PACKAGES
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.clean.selection import MODEL
from groundwork.clean.web import extract_html
from groundwork.engine import Work
from groundwork.records import Page, Reject

HTML_TYPES = ("text/html", "application/xhtml+xml")
PDF_TYPE = "application/pdf"
READERS = (
    *("trafilatura", "htmldate", "lxml", "numpy", "pypdfium2", "phonenumbers", "rapidfuzz"),
    *PACKAGES,
)
"""Packages whose version is part of what a remembered page depends on."""


PRELOADED = ("groundwork.clean.page", "trafilatura", "htmldate", "py3langid", "phonenumbers")
"""What takes long to import where pages are read."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that reading a page depends on besides the page."""

    extract: ExtractConfig
    personal_data: PersonalDataConfig
    allowed: tuple[str, ...]
    """Personal data that may stay."""


def reading_work(reading: Reading) -> Work:
    """The reading of pages, for whatever engine; see `found_in` for its results."""
    return Work(
        step="clean",
        maker=f"{__name__}:make_reader",
        settings=json.loads(json.dumps(asdict(reading))),
        threads=1,
        preload=PRELOADED,
    )


def make_reader(settings: Mapping[str, Any]) -> "PageReader":
    """The reader of these settings."""
    return PageReader(TypeAdapter(Reading).validate_json(json.dumps(settings)))


@dataclass(frozen=True)
class PageReader:
    """Reads pages, each by itself."""

    reading: Reading

    @cached_property
    def recipe(self) -> str:
        """Settings, code, model, packages."""
        folder = Path(__file__).parent
        versions = [version(name) for name in READERS]
        code = [code_version(folder), sha256_file(folder / MODEL)]
        return json.dumps([asdict(self.reading), code, versions])

    def key(self, page: Page) -> str:
        """Over the address, too: it tells of what kind a page is."""
        parts = [page.url, page.sha256, page.content_type, page.charset, self.recipe]
        return sha256_bytes("\n".join(parts).encode())

    def compute(self, page: Page) -> bytes:
        """An extraction, or why there is none, as JSON."""
        return json.dumps(
            read_page(page, self.reading), ensure_ascii=False, allow_nan=False
        ).encode()

    def pack(self, page: Page) -> bytes:
        """A line of JSON, then the body."""
        about = {
            field.name: getattr(page, field.name) for field in fields(page) if field.name != "body"
        }
        return json.dumps(about).encode() + b"\n" + page.body

    def unpack(self, data: bytes) -> Page:
        """The page of `pack`."""
        about, _, body = data.partition(b"\n")
        return Page(**json.loads(about), body=body)


def found_in(data: bytes, url: str) -> Extraction | Reject:
    """What a reader made of the page at `url`."""
    row = json.loads(data)
    if "reason" in row:
        return Reject(url, row["reason"], row["detail"])
    return Extraction(**row)


def read_page(page: Page, reading: Reading) -> dict[str, Any]:
    """Extract one page; whatever a library makes of bad input ends here, as a reject."""
    from lxml.etree import LxmlError

    try:
        return asdict(_masked(_extract(page, reading.extract), reading))
    except PageRefusedError as error:
        return {"reason": error.reason, "detail": error.detail}
    except (
        LxmlError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        AssertionError,
        RecursionError,
    ) as error:
        detail = one_line(f"{type(error).__name__}: {error}")[:200]
        return {"reason": Reason.EXTRACTION_FAILED, "detail": detail}


def _masked(found: Extraction, reading: Reading) -> Extraction:
    """The extraction without personal data; what is remembered and written never holds any."""

    def mask(text: str) -> tuple[str, dict[str, int]]:
        return mask_personal_data(text, reading.personal_data, allowed=reading.allowed)

    text, counts = mask(found.text)
    (title, _), (author, _) = mask(found.title), mask(found.author)
    return replace(found, title=title, author=author, text=text, masked=counts)


def _extract(page: Page, config: ExtractConfig) -> Extraction:
    if not page.body.strip():
        raise PageRefusedError(Reason.EMPTY_BODY, f"{len(page.body)} bytes, all of them blank")
    if len(page.body) > config.max_body_bytes:
        raise PageRefusedError(
            Reason.BODY_TOO_LARGE,
            f"{len(page.body)} bytes; expected at most {config.max_body_bytes}",
        )
    if page.content_type in HTML_TYPES:
        return extract_html(page, config)
    if page.content_type == PDF_TYPE:
        return extract_pdf(page, config)
    if reader := BY_TYPE.get(page.content_type):
        return reader(page, config)
    known = ", ".join(sorted([*HTML_TYPES, PDF_TYPE, *BY_TYPE]))
    raise PageRefusedError(
        Reason.UNSUPPORTED_TYPE, f"{page.content_type or 'no type'}; expected one of {known}"
    )

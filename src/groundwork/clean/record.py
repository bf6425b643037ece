"""A record of an API as a document: its title, and what its fields say.

In: JSON `{"title": …, "date": …, "fields": [[label, value], …]}`, as stage `crawl` writes records.
Out: an extraction. A short value is a line of a list, a long text has its own heading, a list of
objects is a table.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from groundwork.clean.blocks import Kind, TextBlock
from groundwork.clean.compose import About, compose
from groundwork.clean.config import ExtractConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.flow import read_flow
from groundwork.clean.plain import read_paragraphs
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.records import Page

MAX_LINE_CHARS = 200
MAX_NESTING = 8
_HTML = re.compile(r"</?(?:p|br|ul|ol|li|div|h[1-6]|table|b|strong|em|i|a|span)\b[^>]*>", re.I)


def extract_record(page: Page, config: ExtractConfig) -> Extraction:
    """Read a record. Raises: `PageRefusedError`."""
    try:
        record = json.loads(page.body)
        title, date, fields = record["title"], record["date"], list(record["fields"])
        pairs = [(str(label), value) for label, value in fields]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise PageRefusedError(
            Reason.DAMAGED_RECORD,
            f"{type(error).__name__}: {error}; expected title, date and fields",
        ) from error
    lines: list[TextBlock] = []
    parts: list[TextBlock] = []
    for label, value in pairs:
        short = _short(value)
        if short:
            lines.append(TextBlock(Kind.ITEM, text=f"{label}: {short}"))
        elif value not in (None, "", [], {}):
            parts.append(TextBlock(Kind.HEADING, text=label, level=2))
            parts.extend(_long(value, config))
    heading = TextBlock(Kind.HEADING, text=str(title), level=1)
    about = About(title=str(title), date=str(date))
    return compose([heading, *lines, *parts], about, media="record")


def _short(value: Any) -> str:
    """A value in one line, or an empty string when it is long or has parts of its own."""
    if isinstance(value, list) and all(not isinstance(item, list | dict) for item in value):
        text = ", ".join(filter(None, map(_scalar, value)))
    elif isinstance(value, list | dict):
        return ""
    else:
        text = _scalar(value)
    is_line = len(text) <= MAX_LINE_CHARS and "\n" not in text.strip() and not _HTML.search(text)
    return text.strip() if is_line else ""


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _long(value: Any, config: ExtractConfig) -> Iterator[TextBlock]:
    if isinstance(value, Mapping):
        for label, inner in value.items():
            if words := _flat(inner):
                yield TextBlock(Kind.ITEM, text=f"{label}: {words}")
    elif isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        yield _table(value)
    elif isinstance(value, list):
        yield from (TextBlock(Kind.ITEM, text=_flat(item)) for item in value)
    elif _HTML.search(str(value)):
        yield from read_flow(str(value), config)
    else:
        yield from read_paragraphs(str(value))


def _table(rows: Sequence[Mapping[str, Any]]) -> TextBlock:
    """One column a key, in the order in which keys come; columns without a value are left out."""
    keys = dict.fromkeys(key for row in rows for key in row)
    shown = [key for key in keys if any(_flat(row.get(key)) for row in rows)]
    body = (tuple(_flat(row.get(key)) for key in shown) for row in rows)
    return TextBlock(Kind.TABLE, rows=(tuple(map(str, shown)), *body))


def _flat(value: Any, depth: int = 0) -> str:
    """Any value on one line; what is nested deeper than anybody reads is left to the record."""
    if depth > MAX_NESTING:
        return "…"
    if isinstance(value, Mapping):
        pairs = ((key, _flat(inner, depth + 1)) for key, inner in value.items())
        return "; ".join(f"{key}: {words}" for key, words in pairs if words)
    if isinstance(value, list):
        return ", ".join(filter(None, (_flat(inner, depth + 1) for inner in value)))
    return _TAGS.sub(" ", _scalar(value)).strip()


_TAGS = re.compile(r"<[^>]{1,300}>|\s+")

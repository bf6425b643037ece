"""Entries of RSS and Atom feeds, whatever their dialect, through feedparser."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from io import BytesIO
from typing import Any

from groundwork.crawl.client import Answer
from groundwork.crawl.urls import canonical


@dataclass(frozen=True, slots=True)
class Entry:
    """An article as a feed tells of it."""

    url: str
    title: str
    author: str
    date: str
    content: str
    """HTML, as far as the feed holds it."""
    licence: str


def as_page(entry: Entry) -> str:
    """An article as HTML with what the entry says of it."""
    metas = {"author": entry.author, "date": entry.date}
    named = "".join(
        f'<meta name="{name}" content="{escape(value)}">' for name, value in metas.items() if value
    )
    return (
        f"<!doctype html><html><head><title>{escape(entry.title)}</title>{named}"
        f'<link rel="canonical" href="{escape(entry.url)}"></head><body><main><article>'
        f"<h1>{escape(entry.title)}</h1>\n{entry.content}\n</article></main></body></html>"
    )


def parse_feed(answer: Answer) -> Any:
    """The feed; a stream, for a body that is the name of a file would be opened."""
    import feedparser

    headers = {
        "content-location": answer.fetched.url,
        "content-type": f"{answer.fetched.content_type}; charset={answer.fetched.charset}",
    }
    if not answer.fetched.charset:
        headers["content-type"] = answer.fetched.content_type
    return feedparser.parse(BytesIO(answer.body), response_headers=headers)


def read_entry(item: Any, feed: Any, tracking: tuple[str, ...]) -> Entry | None:
    """An entry of a parsed feed; None when it has no address of http or https."""
    url = _address(item, tracking)
    if url is None:
        return None
    return Entry(
        url,
        str(item.get("title", "")),
        str(item.get("author", "")),
        _date(item),
        _content(item),
        _licence(item) or _licence(feed),
    )


def _address(item: Any, tracking: tuple[str, ...]) -> str | None:
    """The entry's link, or its identifier where that is an address."""
    found = (canonical(str(url), tracking) for url in (item.get("link"), item.get("id")) if url)
    return next((url for url in found if url), None)


def _content(item: Any) -> str:
    """The longest text that the entry holds, as HTML."""
    parts: Iterator[Any] = iter([*item.get("content", []), item.get("summary_detail") or {}])
    texts = [
        f"<p>{escape(part.get('value', ''))}</p>"
        if part.get("type") == "text/plain" and part.get("value")
        else str(part.get("value", ""))
        for part in parts
    ]
    return max(texts, key=len, default="")


def _date(item: Any) -> str:
    """ISO 8601 date, in UTC."""
    parsed = item.get("published_parsed") or item.get("updated_parsed")
    try:
        seconds = calendar.timegm(parsed) if parsed else None
        return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _licence(item: Any) -> str:
    """Address or words of a licence that a feed or entry states."""
    links = item.get("links", [])
    linked = [link.get("href", "") for link in links if link.get("rel") == "license"]
    stated = [*linked, item.get("license", ""), item.get("rights", "")]
    return next((" ".join(str(words).split())[:200] for words in stated if words), "")

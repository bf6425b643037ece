"""Conditional requests: what is known is asked for with its validators, and 304 means it stands.

A page must have the bytes that a full crawl would give it, so only strong validators are sent: an
ETag that is not weak (RFC 9110, 8.8.1), or a Last-Modified that the server's clock has left behind
(8.8.2.2), for a page may change twice in one second.
"""

from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime

from groundwork.crawl.job import Answer
from groundwork.crawl.outcomes import Fetched

NOT_MODIFIED = 304


def validators(fetched: Fetched) -> tuple[str, str]:
    """ETag and Last-Modified to send; either is empty when it is missing, weak, or a failure's."""
    if fetched.reason or not fetched.sha256:
        return "", ""
    etag = fetched.etag if fetched.etag.startswith('"') else ""
    changed, asked = http_date(fetched.last_modified), http_date(fetched.date)
    settled = changed and asked and (asked - changed).total_seconds() >= 1
    return etag, fetched.last_modified if settled else ""


def http_date(header: str) -> datetime | None:
    """The moment that a header names; None when it names none."""
    try:
        parsed = parsedate_to_datetime(header)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else None


def renewed(known: Answer, fresh: Fetched) -> Answer:
    """The known answer, confirmed by a 304."""
    fetched = replace(
        known.fetched,
        status=fresh.status,
        fetched_at=fresh.fetched_at,
        etag=fresh.etag or known.fetched.etag,
        last_modified=fresh.last_modified or known.fetched.last_modified,
        date=fresh.date,
        latency_ms=fresh.latency_ms,
        attempts=fresh.attempts,
    )
    return replace(known, fetched=fetched)

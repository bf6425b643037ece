"""One URL fetched through Scrapy's downloader, retries included, and what came of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from groundwork.artifacts import sha256_bytes
from groundwork.crawl.addresses import PinningResolver
from groundwork.crawl.conditional import NOT_MODIFIED, http_date
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.gzipped import TooLargeError, unzip
from groundwork.crawl.outcomes import Fetched, RejectReason
from groundwork.crawl.urls import Wire, canonical

REDIRECTS = frozenset({301, 302, 303, 307, 308})
RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})
RETRYABLE_REASONS = frozenset({RejectReason.TIMEOUT, RejectReason.UNREACHABLE})
ACCEPTED = "groundwork_accepted"
"""Request meta: media types whose body is worth downloading; absent means any."""
ROOM = "groundwork_room"
"""Request meta: bytes still wanted of a body that may be cut off; absent means all or nothing."""


def media_type(header: str) -> tuple[str, str]:
    """Media type and charset of a Content-Type header, lower case; either may be empty."""
    kind, *parameters = (part.strip() for part in header.lower().split(";"))
    charsets = [p.partition("=")[2].strip("\"' ") for p in parameters if p.startswith("charset=")]
    return kind, charsets[0] if charsets else ""


def sniffed_type(body: bytes) -> str:
    """Media type that the first bytes show when the server names none or `octet-stream`."""
    head = body[:512].lstrip().lower()
    if head.startswith(b"%pdf-"):
        return "application/pdf"
    return "text/html" if head.startswith((b"<!doctype html", b"<html")) else ""


UNNAMED = ("", "application/octet-stream", "binary/octet-stream")


def is_wanted(header: str, accepted: frozenset[str]) -> bool:
    """Whether the body of such a Content-Type should be downloaded."""
    kind = media_type(header)[0]
    return kind in accepted or kind in UNNAMED


@dataclass(frozen=True, slots=True)
class Want:
    """A URL, and what is wanted of it."""

    url: str
    """Public."""
    max_bytes: int
    accepted: frozenset[str] | None = None
    """Media types; None takes any."""
    partial: bool = False
    """Whether a larger body is cut off at `max_bytes` rather than refused."""
    validators: dict[str, str] = field(default_factory=dict)
    """Headers of a conditional request."""


def retry_after_s(header: str) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date; 0 when it says nothing."""
    if header.isdecimal():
        return float(header)
    moment = http_date(header)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) if moment else 0.0


@dataclass(slots=True)
class Fetcher:
    """Downloads URLs named by their public spelling."""

    download: Callable[[Any], Any]
    """`ExecutionEngine.download_async` of Scrapy: downloader, its slots and middlewares."""
    config: CrawlConfig
    wire: Wire
    resolver: PinningResolver
    quiet_until: dict[str, float] = field(default_factory=dict)
    """Host to the moment, on the event loop's clock, before which it wants no request."""

    async def get(self, want: Want) -> tuple[Fetched, bytes]:
        """Fetch a URL; passing failures are retried with doubled waits. Redirects are reported."""
        wait_s = self.config.backoff_s
        for attempt in range(1, self.config.retries + 2):
            await self._pause(want.url)
            fetched, body, asked_s = await self._once(want)
            fetched = replace(fetched, attempts=attempt)
            passing = fetched.status in RETRYABLE or fetched.reason in RETRYABLE_REASONS
            if not passing or asked_s > self.config.max_backoff_s:
                break
            self._leave_alone(want.url, asked_s)
            if attempt <= self.config.retries:
                await asyncio.sleep(min(wait_s, self.config.max_backoff_s))
                wait_s *= 2
        return fetched, body

    def _leave_alone(self, url: str, asked_s: float) -> None:
        """What a host asks for holds for every request to it, not for the one that was told."""
        host = urlsplit(url).hostname or ""
        until = asyncio.get_running_loop().time() + asked_s
        self.quiet_until[host] = max(self.quiet_until.get(host, 0.0), until)

    async def _pause(self, url: str) -> None:
        host, clock = urlsplit(url).hostname or "", asyncio.get_running_loop().time
        while (left_s := self.quiet_until.get(host, 0.0) - clock()) > 0:
            await asyncio.sleep(left_s)

    async def _once(self, want: Want) -> tuple[Fetched, bytes, float]:
        """One attempt: outcome, body, and the seconds that the server asks to wait."""
        request = self._request(want)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        try:
            response = await self.download(request)
        except failures() as error:
            reason, detail = self._explain(want.url, error, want.max_bytes)
            return Fetched(want.url, 0, now, reason, detail), b"", 0.0
        fetched = _describe(want.url, response, now)
        fetched = replace(fetched, latency_ms=round(request.meta.get("download_latency", 0) * 1000))
        if fetched.status in REDIRECTS:
            return self._redirect(fetched, response), b"", 0.0
        if fetched.status == NOT_MODIFIED and want.validators:
            return fetched, b"", 0.0
        if not 200 <= fetched.status < 300:
            detail = f"expected status 200, got {fetched.status}"
            asked_s = retry_after_s(response.headers.get("Retry-After", b"").decode("latin-1"))
            return replace(fetched, reason=RejectReason.HTTP_ERROR, detail=detail), b"", asked_s
        return (*_read_body(fetched, response, want), 0.0)

    def _request(self, want: Want) -> Any:
        from scrapy import Request

        meta: dict[str, Any] = {
            "download_maxsize": 0 if want.partial else want.max_bytes,
            "download_timeout": self.config.timeout_s,
        }
        if want.partial:
            meta[ROOM] = want.max_bytes
        if want.accepted is not None:
            meta[ACCEPTED] = want.accepted
        url = self.wire.to_wire(want.url)
        return Request(url, headers=want.validators, meta=meta, dont_filter=True)

    def _redirect(self, fetched: Fetched, response: Any) -> Fetched:
        """Record where a redirect leads, as a public URL."""
        header = response.headers.get("Location", b"").decode("utf-8", "replace").strip()
        if not header:
            detail = f"status {fetched.status} without a Location header"
            return replace(fetched, reason=RejectReason.HTTP_ERROR, detail=detail)
        try:
            target = urljoin(fetched.url, header)
        except ValueError:
            target = header
        location = canonical(target, tuple(self.config.tracking_params))
        if location is None:
            detail = f"redirects to {header[:200]}: expected http or https"
            return replace(fetched, reason=RejectReason.SCHEME, detail=detail)
        return replace(fetched, location=self.wire.to_public(location))

    def _explain(self, url: str, error: Exception, max_bytes: int) -> tuple[str, str]:
        """Reason and detail of a request without a response; the wire URL stays out of both."""
        from scrapy.exceptions import DownloadCancelledError, DownloadTimeoutError

        host = urlsplit(url).hostname or ""
        if host in self.resolver.refused:
            address = self.resolver.refused[host]
            return RejectReason.PRIVATE_ADDRESS, f"{host} has the address {address}"
        if isinstance(error, DownloadCancelledError):
            return RejectReason.TOO_LARGE, f"more than {max_bytes} bytes"
        if isinstance(error, DownloadTimeoutError):
            return RejectReason.TIMEOUT, f"no response within {self.config.timeout_s:g} s"
        return RejectReason.UNREACHABLE, describe_error(error, self.wire)


def describe_error(error: Exception, wire: Wire) -> str:
    """The innermost cause in words, without ports and addresses of a mirror."""
    from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError

    if isinstance(error, CannotResolveHostError):
        return "its name cannot be resolved"
    if isinstance(error, DownloadConnectionRefusedError):
        return "connection refused"
    cause = error.__cause__ or error
    inner = getattr(cause, "reasons", None)
    value = inner[0].value if inner else cause
    words = f"{type(value).__name__}: {value}".splitlines()[0][:200]
    return words.split(":")[0] if wire.public else words


def failures() -> tuple[type[Exception], ...]:
    """What the downloader raises for a server that misbehaves; anything else is our own mistake."""
    from scrapy import exceptions
    from twisted.internet.error import ConnectError, ConnectionClosed

    return (
        exceptions.CannotResolveHostError,
        exceptions.DownloadCancelledError,
        exceptions.DownloadConnectionRefusedError,
        exceptions.DownloadFailedError,
        exceptions.DownloadTimeoutError,
        exceptions.ResponseDataLossError,
        ConnectError,
        ConnectionClosed,
        OSError,
        ValueError,
    )


def _describe(url: str, response: Any, now: str) -> Fetched:
    def header(name: str) -> str:
        return str((response.headers.get(name) or b"").decode("latin-1"))

    kind, charset = media_type(header("Content-Type"))
    return Fetched(
        url,
        response.status,
        now,
        content_type=kind,
        charset=charset,
        etag=header("ETag"),
        last_modified=header("Last-Modified"),
        date=header("Date"),
    )


def _read_body(fetched: Fetched, response: Any, want: Want) -> tuple[Fetched, bytes]:
    """Unpack the body and check its type; the record is complete then, or says what is wrong."""
    body: bytes = response.body
    encoding = (response.headers.get("Content-Encoding") or b"").decode("latin-1").lower().strip()
    try:
        if encoding in ("gzip", "x-gzip", "deflate") and body:
            body = unzip(body, max_bytes=want.max_bytes, partial=want.partial)
        elif encoding not in ("", "identity") and body:
            raise ValueError(f"content-encoding {encoding}: expected gzip or none")
    except TooLargeError as error:
        return replace(fetched, reason=RejectReason.TOO_LARGE, detail=str(error)), b""
    except ValueError as error:
        return replace(fetched, reason=RejectReason.CONTENT_TYPE, detail=str(error)), b""
    kind = sniffed_type(body) if fetched.content_type in UNNAMED else fetched.content_type
    if want.accepted is not None and kind not in want.accepted:
        found = fetched.content_type or "no content type"
        detail = f"{found}: expected one of {', '.join(sorted(want.accepted))}"
        return replace(fetched, reason=RejectReason.CONTENT_TYPE, detail=detail), b""
    body = body[: want.max_bytes] if want.partial else body
    digest = sha256_bytes(body)
    return replace(fetched, content_type=kind, size_bytes=len(body), sha256=digest), body

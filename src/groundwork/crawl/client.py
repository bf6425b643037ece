"""One answer after the other, for sources that are lists: feeds and APIs.

The same limits as a crawl: checked and pinned addresses, http and https alone, robots.txt, pace,
retries, caps on size and time. Pages themselves are crawled (see `spider`).
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from groundwork.artifacts import sha256_bytes
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.connection import CheckedBackend
from groundwork.crawl.fetch import REDIRECTS, RETRYABLE, RETRYABLE_REASONS, media_type
from groundwork.crawl.gzipped import TooLargeError, unzip
from groundwork.crawl.job import Answer as Noted
from groundwork.crawl.job import Kind
from groundwork.crawl.outcomes import Fetched, RejectReason
from groundwork.crawl.resolve import PrivateAddressError
from groundwork.crawl.robots import MAX_ROBOTS_BYTES, Robots, read_robots
from groundwork.crawl.store import Store
from groundwork.crawl.urls import canonical, origin

IGNORED = "ignored"
"""Robots verdict of a source whose owner allows what robots.txt forbids."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address gave."""

    fetched: Fetched
    body: bytes
    robots: str
    """Verdict, as in `Fetch`."""
    link: str = ""
    """Header `Link`."""


@dataclass(slots=True)
class Client:
    """Asks for one address at a time."""

    config: CrawlConfig
    local: bool
    """Whether private and loopback addresses are allowed."""
    accept: str
    headers: Mapping[str, str]
    """Sent to the host of `home` alone: they may hold a key."""
    home: str
    obey_robots: bool
    store: Store
    """Holds what was answered before a kill; see `notes`."""
    deadline_s: float = 0.0
    backend: CheckedBackend = field(init=False)
    pool: Any = field(init=False)
    rules: dict[str, Robots] = field(default_factory=dict)
    asked_s: dict[str, float] = field(default_factory=dict)
    """Time of the last request by origin."""

    def __post_init__(self) -> None:
        import httpcore

        self.deadline_s = time.monotonic() + self.config.max_total_s
        self.backend = CheckedBackend(local_allowed=self.local)
        context = ssl.create_default_context()
        self.pool = httpcore.ConnectionPool(ssl_context=context, network_backend=self.backend)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    def get(self, url: str) -> Answer:
        """Answer of a canonical URL after redirects; `fetched.reason` says why there is none."""
        hops = [url]
        while True:
            verdict, refusal = self._ask_robots(hops[-1])
            if refusal:
                return Answer(refusal, b"", verdict)
            answer = self._get_with_retries(hops[-1])
            answer = replace(answer, robots=verdict)
            location = answer.fetched.location
            if not location:
                return answer
            if location in hops or len(hops) > self.config.max_redirects:
                detail = f"{len(hops)} redirects, the last to {location}"
                looped = replace(
                    answer.fetched, reason=RejectReason.REDIRECT_LOOP, detail=detail, location=""
                )
                return replace(answer, fetched=looped)
            hops.append(location)

    def _ask_robots(self, url: str) -> tuple[str, Fetched | None]:
        """The verdict for a URL, and the refusal where it is `disallowed`."""
        if not self.obey_robots:
            return IGNORED, None
        place = origin(url)
        if place not in self.rules:
            answer = self._get_with_retries(f"{place}/robots.txt", max_bytes=MAX_ROBOTS_BYTES)
            agent = self.config.user_agent
            self.rules[place] = read_robots(answer.fetched, answer.body, user_agent=agent)
        robots = self.rules[place]
        if robots.allows(url):
            return robots.verdict, None
        detail = robots.detail or f"disallowed for {robots.agent} by robots.txt"
        reason = robots.closed or RejectReason.ROBOTS
        return "disallowed", Fetched(url, 0, _now(), reason, detail, attempts=0)

    def _get_with_retries(self, url: str, *, max_bytes: int | None = None) -> Answer:
        """One answer, from the run that broke off or from the host, and noted then."""
        if noted := self.store.resumed.get(Kind.LIST, url):
            sha256 = noted.fetched.sha256
            body = self.store.bodies.read(sha256) if sha256 else b""
            return Answer(noted.fetched, body, "none", *noted.links)
        answer = self._ask(url, max_bytes=max_bytes)
        if answer.fetched.reason != RejectReason.TIME_CAP:
            if answer.fetched.sha256:
                self.store.bodies.write(answer.fetched.sha256, answer.body)
            self.store.record(Noted(Kind.LIST, answer.fetched, (answer.link,), ()))
        return answer

    def _ask(self, url: str, *, max_bytes: int | None) -> Answer:
        wait_s = self.config.backoff_s
        for attempt in range(1, self.config.retries + 2):
            self._keep_pace(url)
            answer, asked_s = self._once(url, max_bytes or self.config.max_body_bytes)
            answer = replace(answer, fetched=replace(answer.fetched, attempts=attempt))
            fetched = answer.fetched
            passing = fetched.status in RETRYABLE or fetched.reason in RETRYABLE_REASONS
            if not passing or asked_s > self.config.max_backoff_s:
                break
            if attempt <= self.config.retries:
                self._sleep(max(asked_s, min(wait_s, self.config.max_backoff_s)))
                wait_s *= 2
        return answer

    def _keep_pace(self, url: str) -> None:
        """Wait until the host may be asked again."""
        place = origin(url)
        robots = self.rules.get(place)
        delay_s = max(self.config.delay_s, robots.crawl_delay_s if robots else 0.0)
        if place in self.asked_s:
            self._sleep(self.asked_s[place] + delay_s - time.monotonic())
        self.asked_s[place] = time.monotonic()

    def _sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, min(seconds, self.deadline_s - time.monotonic())))

    def _once(self, url: str, max_bytes: int) -> tuple[Answer, float]:
        """One attempt, and the seconds that the server asks to wait."""
        import httpcore

        now, started = _now(), time.monotonic()
        if started >= self.deadline_s:
            detail = f"not fetched within {self.config.max_total_s:g} s"
            return _failed(url, now, RejectReason.TIME_CAP, detail), 0.0
        self.backend.deadline_s = min(self.deadline_s, started + self.config.timeout_s)
        try:
            with self.pool.stream("GET", url, headers=self._headers(url)) as response:
                body = _read(response, max_bytes)
        except PrivateAddressError as error:
            return _failed(url, now, RejectReason.PRIVATE_ADDRESS, str(error)), 0.0
        except TooLargeError as error:
            return _failed(url, now, RejectReason.TOO_LARGE, str(error)), 0.0
        except (httpcore.TimeoutException, TimeoutError):
            detail = f"no response within {self.config.timeout_s:g} s"
            return _failed(url, now, RejectReason.TIMEOUT, detail), 0.0
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            detail = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            return _failed(url, now, RejectReason.UNREACHABLE, detail), 0.0
        except ValueError as error:
            return _failed(url, now, RejectReason.BAD_DATA, str(error)), 0.0
        answer = _describe(url, now, response, body)
        latency_ms = round((time.monotonic() - started) * 1000)
        asked = dict(response.headers).get(b"Retry-After", b"").decode("latin-1")
        fetched = replace(answer.fetched, latency_ms=latency_ms)
        return replace(answer, fetched=fetched), float(asked) if asked.isdecimal() else 0.0

    def _headers(self, url: str) -> dict[str, str]:
        sent = {
            "Host": urlsplit(url).netloc,
            "User-Agent": self.config.user_agent,
            "Accept": self.accept,
            "Accept-Encoding": "gzip",
        }
        return {**sent, **self.headers} if origin(url) == origin(self.home) else sent


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _failed(url: str, now: str, reason: str, detail: str) -> Answer:
    return Answer(Fetched(url, 0, now, reason, detail), b"", "none")


def _read(response: Any, max_bytes: int) -> bytes:
    """The body, unpacked. Raises: `TooLargeError`, `ValueError` for what cannot be unpacked."""
    parts, size_bytes = [], 0
    for part in response.iter_stream():
        size_bytes += len(part)
        if size_bytes > max_bytes:
            raise TooLargeError(f"more than {max_bytes} bytes")
        parts.append(part)
    body = b"".join(parts)
    encoding = _header(response, "Content-Encoding").lower()
    if encoding in ("gzip", "x-gzip", "deflate") and body:
        return unzip(body, max_bytes=max_bytes)
    if encoding not in ("", "identity") and body:
        raise ValueError(f"content-encoding {encoding}: expected gzip or none")
    return body


def _header(response: Any, name: str) -> str:
    wanted = name.lower().encode()
    found = [value for key, value in response.headers if key.lower() == wanted]
    return ", ".join(value.decode("utf-8", "replace").strip() for value in found)


def _describe(url: str, now: str, response: Any, body: bytes) -> Answer:
    kind, charset = media_type(_header(response, "Content-Type"))
    fetched = Fetched(
        url,
        response.status,
        now,
        content_type=kind,
        charset=charset,
        etag=_header(response, "ETag"),
        last_modified=_header(response, "Last-Modified"),
        size_bytes=len(body),
        sha256=sha256_bytes(body),
    )
    bare = replace(fetched, sha256="")  # no body of it is kept
    if response.status in REDIRECTS:
        return Answer(_redirect(bare, _header(response, "Location")), b"", "none")
    if not 200 <= response.status < 300:
        detail = f"expected status 200, got {response.status}"
        failed = replace(bare, reason=RejectReason.HTTP_ERROR, detail=detail)
        return Answer(failed, b"", "none")
    return Answer(fetched, body, "none", _header(response, "Link"))


def _redirect(fetched: Fetched, header: str) -> Fetched:
    try:
        location = canonical(urljoin(fetched.url, header)) if header else None
    except ValueError:
        location = None
    if location is None:
        detail = f"redirects to {header[:200] or 'nowhere'}: expected http or https"
        return replace(fetched, reason=RejectReason.SCHEME, detail=detail)
    return replace(fetched, location=location)

"""A JSON API as a source: each record of its answers becomes a page."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from groundwork.artifacts import sha256_bytes
from groundwork.config import DomainConfig
from groundwork.crawl.api_mapping import MAX_DETAIL_CHARS, RecordMapping, compiled
from groundwork.crawl.client import Answer, Client
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.notes import notes_of
from groundwork.crawl.outcomes import CrawlResult, Fetch, Fetched, RejectReason
from groundwork.crawl.pagination import Pagination
from groundwork.crawl.progress import Progress
from groundwork.errors import ConfigError, InputError
from groundwork.records import Page, Reject
from groundwork.sources import ApiConfig


def collect_api(domain: DomainConfig, config: CrawlConfig) -> CrawlResult:
    """Pages of the records of `domain.api`.

    Raises: `ConfigError` for an expression or a key that cannot be used; `InputError` when no
    record could be kept.
    """
    assert domain.api is not None
    api = domain.api
    headers = {**api.headers, **_secrets(api)}
    pagination = Pagination(api.pagination, compiled("pagination.path", api.pagination.path))
    ledger = _Ledger(domain, config, RecordMapping.of(api))
    url: str | None = pagination.first(api.url)
    assert url is not None
    depends_on = [api.headers, sorted(api.secret_headers), api.local, api.obey_robots]
    with notes_of(["api", url], depends_on=depends_on, config=config) as store:
        client = Client(
            config,
            local=api.local,
            accept="application/json",
            headers=headers,
            home=url,
            obey_robots=api.obey_robots,
            store=store,
        )
        with client, Progress(resumed=len(store.resumed.places)) as progress:
            while url is not None:
                url = ledger.follow(url, client.get(url), pagination)
                ledger.is_more = url is not None
                progress.show(ledger)
        _check_found(ledger, api)
    return ledger.result()


def _check_found(ledger: "_Ledger", api: ApiConfig) -> None:
    """Raises: `InputError` when no record could be kept."""
    if not ledger.pages:
        first = ledger.rejects[0] if ledger.rejects else None
        found = f"{first.key}: {first.detail}" if first else "the list is empty"
        is_private = first is not None and first.reason == RejectReason.PRIVATE_ADDRESS
        mend = "set domain.api.local=true if it is your own" if is_private else "check domain.api"
        raise InputError(f"{api.url}: no record could be kept; {found}; {mend}")


def _secrets(api: ApiConfig) -> dict[str, str]:
    """Headers from the environment. Raises: `ConfigError` that lists what is not set."""
    unset = sorted(name for name in api.secret_headers.values() if not os.environ.get(name))
    if unset:
        raise ConfigError(
            f"domain.api.secret_headers: {', '.join(unset)} is not set; "
            "export it before the stage runs"
        )
    return {header: os.environ[name] for header, name in api.secret_headers.items()}


@dataclass(slots=True)
class _Ledger:
    """Every record that came is one page or one reject."""

    domain: DomainConfig
    config: CrawlConfig
    mapping: RecordMapping
    pages: dict[str, Page] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    fetches: dict[str, Fetch] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    is_more: bool = True
    """Whether an answer is known that was not asked for."""

    @property
    def kept(self) -> int:
        """Pages."""
        return len(self.pages)

    def queued(self) -> int:
        """Answers that wait: an API names the next one alone."""
        return int(self.is_more)

    def rejected(self) -> int:
        """Records and answers that are no page."""
        return len(self.rejects)

    def follow(self, url: str, answer: Answer, pagination: Pagination) -> str | None:
        """Take the records of an answer; return the next address, or None at the end."""
        self.asked.add(url)
        if answer.fetched.reason:
            self._reject_answer(url, answer, answer.fetched.reason, answer.fetched.detail)
            return None
        try:
            data = json.loads(answer.body, parse_constant=_refuse_constant)
            records = self.mapping.records(data)
            if not isinstance(records, list):
                raise ValueError(f"records: found {type(records).__name__}, expected a list")
            following = pagination.following(url, data, records=len(records), link=answer.link)
        except (ValueError, RecursionError) as error:
            detail = f"{' '.join(str(error).split())[:MAX_DETAIL_CHARS]}"
            self._reject_answer(url, answer, RejectReason.BAD_DATA, detail)
            return None
        is_new = self._take(url, answer, records)
        if records and not is_new:
            detail = "it repeats the records of answers before it; check domain.api.pagination"
            self._reject_answer(url, answer, RejectReason.PAGINATION_LOOP, detail)
            return None
        return self._checked(following)

    def _checked(self, following: str | None) -> str | None:
        """The next address, unless it was asked for or a cap is reached."""
        if following is None:
            return None
        if following in self.asked:
            detail = "it leads back to an answer that was read; check domain.api.pagination"
            self.rejects.append(Reject(following, RejectReason.PAGINATION_LOOP, detail))
            return None
        if len(self.pages) >= self.config.max_pages or len(self.asked) >= self.config.max_pages:
            detail = f"more than {self.config.max_pages} pages; what follows is not known"
            self.rejects.append(Reject(following, RejectReason.PAGE_CAP, detail))
            return None
        return following

    def _take(self, url: str, answer: Answer, records: list[Any]) -> bool:
        """Pages and rejects of the records; whether any of them was not known before."""
        found = [*self._settle(url, records)]
        if records and all(
            isinstance(item, Reject) and item.reason == RejectReason.DUPLICATE_URL for item in found
        ):
            return False
        for item in found:
            if isinstance(item, Page):
                self.fetches[item.url] = _fetch(item.url, url, answer, item)
            else:
                self.rejects.append(item)
        return True

    def _settle(self, url: str, records: list[Any]) -> Iterator[Page | Reject]:
        for number, record in enumerate(records):
            try:
                if not isinstance(record, dict):
                    raise ValueError(f"found {type(record).__name__}, expected an object")
                address = self.mapping.url(record)
            except ValueError as error:
                yield Reject(f"{url}#{number}", RejectReason.NO_URL, str(error))
                continue
            if address in self.pages:
                yield Reject(address, RejectReason.DUPLICATE_URL, f"comes again in {url}")
            else:
                yield self._page(address, record)

    def _page(self, address: str, record: dict[str, Any]) -> Page | Reject:
        if len(self.pages) >= self.config.max_pages:
            detail = f"more than {self.config.max_pages} pages"
            return Reject(address, RejectReason.PAGE_CAP, detail)
        try:
            body = self.mapping.body(record, address)
            licence = self.mapping.licence(record)
        except (ValueError, RecursionError) as error:
            return Reject(address, RejectReason.BAD_DATA, str(error)[:MAX_DETAIL_CHARS])
        if len(body) > self.config.max_body_bytes:
            detail = f"more than {self.config.max_body_bytes} bytes"
            return Reject(address, RejectReason.TOO_LARGE, detail)
        stated = licence if isinstance(licence, str) and licence else self.domain.licence
        digest = sha256_bytes(body)
        page = Page(address, "application/json", "utf-8", body, digest, "api", stated)
        self.pages[address] = page
        return page

    def _reject_answer(self, url: str, answer: Answer, reason: str, detail: str) -> None:
        self.rejects.append(Reject(url, reason, detail))
        self.fetches[url] = _fetch(url, url, answer, None)

    def result(self) -> CrawlResult:
        """All lists sorted by URL."""
        return CrawlResult(
            [page for _, page in sorted(self.pages.items())],
            sorted(self.rejects, key=lambda reject: reject.key),
            [fetch for _, fetch in sorted(self.fetches.items())],
            offsite=0,
            excluded=0,
        )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _fetch(url: str, requested_url: str, answer: Answer, page: Page | None) -> Fetch:
    fetched: Fetched = answer.fetched
    return Fetch(
        url=url,
        requested_url=requested_url,
        status=fetched.status,
        fetched_at=fetched.fetched_at,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        robots=answer.robots,
        latency_ms=fetched.latency_ms,
        size_bytes=len(page.body) if page else fetched.size_bytes,
        sha256=page.sha256 if page else fetched.sha256,
        redirects=(),
        attempts=fetched.attempts,
    )

"""RSS and Atom feeds as a source: the articles that their entries link to, or hold."""

from dataclasses import dataclass, field, replace
from typing import Any

from groundwork.artifacts import sha256_bytes
from groundwork.config import DomainConfig, SiteConfig
from groundwork.crawl.client import Answer, Client
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.feed_entries import Entry, as_page, parse_feed, read_entry
from groundwork.crawl.licences import stated_licence
from groundwork.crawl.notes import notes_of
from groundwork.crawl.outcomes import CrawlResult, Fetch, RejectReason
from groundwork.crawl.progress import Progress
from groundwork.crawl.run import crawl_domain
from groundwork.crawl.urls import canonical
from groundwork.errors import ConfigError, InputError
from groundwork.records import Page, Reject
from groundwork.sources import FeedConfig

ACCEPT = "application/atom+xml, application/rss+xml, application/xml, text/xml, */*;q=0.1"


@dataclass(slots=True)
class _Feeds:
    """Entries of all feeds, each URL once, in the order of the feeds."""

    config: CrawlConfig
    source: FeedConfig
    entries: dict[str, Entry] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    """Answer that brought the entry of a URL."""
    rejects: list[Reject] = field(default_factory=list)
    waiting: int = 0
    """Feeds that are not read to their end."""

    @property
    def kept(self) -> int:
        """Entries; `linked` pages are counted when they are crawled."""
        return len(self.entries)

    def queued(self) -> int:
        """Feeds that wait."""
        return self.waiting

    def rejected(self) -> int:
        """Entries and feeds of which nothing is taken."""
        return len(self.rejects)

    def read(self, client: Client, url: str, progress: Progress) -> None:
        """Read a feed and the older pages that it links to."""
        self._read(client, url, progress)
        self.waiting -= 1
        progress.show(self)

    def _read(self, client: Client, url: str, progress: Progress) -> None:
        seen: set[str] = set()
        following: str | None = url
        while following is not None:
            if following in seen:
                detail = "a page of the feed leads back to one that was read"
                self.rejects.append(Reject(following, RejectReason.PAGINATION_LOOP, detail))
                return
            if len(seen) >= self.source.max_feed_pages:
                detail = f"more than domain.feed.max_feed_pages={self.source.max_feed_pages} pages"
                self.rejects.append(Reject(following, RejectReason.PAGE_CAP, detail))
                return
            seen.add(following)
            following = self._read_page(client.get(following), following)
            progress.show(self)

    def _read_page(self, answer: Answer, url: str) -> str | None:
        """Take the entries of one answer; return the next page of the feed."""
        if answer.fetched.reason:
            self.rejects.append(Reject(url, answer.fetched.reason, answer.fetched.detail))
            return None
        try:
            feed = parse_feed(answer)
        except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as error:
            detail = " ".join(f"the reader of feeds failed: {error}".split())[:200]
            self.rejects.append(Reject(url, RejectReason.BAD_DATA, detail))
            return None
        if not feed.get("version") and not feed.entries:
            cause = " ".join(str(feed.get("bozo_exception", "no feed")).split())[:200]
            detail = f"{cause}; expected RSS or Atom"
            self.rejects.append(Reject(url, RejectReason.BAD_DATA, detail))
            return None
        for number, item in enumerate(feed.entries):
            self._take(item, feed.feed, answer, f"{url}#{number}")
        links = [link for link in feed.feed.get("links", []) if link.get("rel") == "next"]
        return canonical(links[0].get("href", "")) if links else None

    def _take(self, item: Any, feed: Any, answer: Answer, place: str) -> None:
        entry = read_entry(item, feed, tuple(self.config.tracking_params))
        if entry is None:
            detail = f"the entry {str(item.get('title', ''))[:100]!r} has no link of http or https"
            self.rejects.append(Reject(place, RejectReason.NO_URL, detail))
        elif entry.url not in self.entries:
            self.entries[entry.url] = entry
            self.answers[entry.url] = answer


def collect_feed(domain: DomainConfig, config: CrawlConfig) -> CrawlResult:
    """Pages of the articles of `domain.feed`.

    Raises: `ConfigError` for an address that is none; `InputError` when no article could be kept.
    """
    assert domain.feed is not None
    source = domain.feed
    urls = [_spelled(url) for url in source.urls]
    feeds = _Feeds(config, source, waiting=len(urls))
    known: Any = ["feed", urls]
    with notes_of(known, depends_on=[source.local, source.articles], config=config) as store:
        with Progress(resumed=len(store.resumed.places)) as progress:
            for url in urls:
                client = Client(
                    config, local=source.local, accept=ACCEPT, headers={}, home=url,
                    obey_robots=True, store=store,
                )  # fmt: skip
                with client:
                    feeds.read(client, url, progress)
        chosen = _chosen(feeds)
        if source.articles == "linked":
            return _linked(chosen, feeds, domain)
        return _inline(chosen, feeds, domain)


def _spelled(url: str) -> str:
    spelled = canonical(url)
    if spelled is None:
        raise ConfigError(
            f"domain.feed.urls: {url!r}: expected a URL that begins with http:// or https://"
        )
    return spelled


def _chosen(feeds: _Feeds) -> list[Entry]:
    """The newest entries, as many as may be kept. Raises: `InputError` when there is none."""
    if not feeds.entries:
        words = "; ".join(f"{reject.key}: {reject.detail}" for reject in feeds.rejects[:3])
        raise InputError(
            f"{feeds.source.urls[0]}: no entry with an article; {words or 'the feed is empty'}; "
            "check domain.feed.urls"
        )
    limit = feeds.config.max_pages
    for entry in list(feeds.entries.values())[limit:]:
        feeds.rejects.append(Reject(entry.url, RejectReason.PAGE_CAP, f"more than {limit} pages"))
    return list(feeds.entries.values())[:limit]


def _linked(entries: list[Entry], feeds: _Feeds, domain: DomainConfig) -> CrawlResult:
    """The pages that entries link to, crawled as a site of which no link is followed."""
    assert domain.feed is not None
    urls = [entry.url for entry in entries]
    site = SiteConfig(
        start_urls=urls, include=[], exclude=[], local=domain.feed.local, render=False
    )
    alone = replace(feeds.config, max_depth=0, max_sitemaps=0)
    try:
        result = crawl_domain(replace(domain, feed=None, site=site), alone)
    except InputError as error:
        words = str(error).replace("domain.site.local", "domain.feed.local")
        raise InputError(words) from error
    asked = {fetch.url: fetch.requested_url for fetch in result.fetches}
    licences = {entry.url: entry.licence for entry in entries}
    pages = [
        replace(
            page,
            source="feed",
            licence=licences.get(asked.get(page.url, page.url))
            or stated_licence(page.body, page.content_type)
            or page.licence,
        )
        for page in result.pages
    ]
    wanted = set(urls)
    rejects = [reject for reject in result.rejects if reject.key in wanted]
    kept = {page.url for page in pages} | {reject.key for reject in rejects}
    return CrawlResult(
        pages,
        sorted([*rejects, *feeds.rejects], key=lambda reject: reject.key),
        [fetch for fetch in result.fetches if fetch.url in kept],
        offsite=0,
        excluded=0,
    )


def _inline(entries: list[Entry], feeds: _Feeds, domain: DomainConfig) -> CrawlResult:
    """The text that the feed holds, as a page of its own."""
    pages, fetches = [], []
    rejects = list(feeds.rejects)
    for entry in sorted(entries, key=lambda entry: entry.url):
        body = as_page(entry).encode("utf-8", "replace")
        if not entry.content:
            detail = "the feed holds no text of it; expected some, or domain.feed.articles=linked"
            rejects.append(Reject(entry.url, RejectReason.BAD_DATA, detail))
            continue
        if len(body) > feeds.config.max_body_bytes:
            detail = f"more than {feeds.config.max_body_bytes} bytes"
            rejects.append(Reject(entry.url, RejectReason.TOO_LARGE, detail))
            continue
        licence = entry.licence or domain.licence
        digest = sha256_bytes(body)
        pages.append(Page(entry.url, "text/html", "utf-8", body, digest, "feed", licence))
        fetches.append(_fetch(pages[-1], feeds.answers[entry.url]))
    if not pages:
        raise InputError(f"{feeds.source.urls[0]}: {rejects[0].key}: {rejects[0].detail}")
    rejects.sort(key=lambda reject: reject.key)
    return CrawlResult(pages, rejects, fetches, offsite=0, excluded=0)


def _fetch(page: Page, answer: Answer) -> Fetch:
    fetched = answer.fetched
    return Fetch(
        url=page.url,
        requested_url=fetched.url,
        status=fetched.status,
        fetched_at=fetched.fetched_at,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        robots=answer.robots,
        latency_ms=fetched.latency_ms,
        size_bytes=len(page.body),
        sha256=page.sha256,
        redirects=(),
        attempts=fetched.attempts,
    )

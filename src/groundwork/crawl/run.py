"""A domain's source crawled: the plan, the processes, and the pages."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from groundwork.artifacts import write_json
from groundwork.config import DomainConfig
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.fleet import Fleet
from groundwork.crawl.job import Job
from groundwork.crawl.ledger import Ledger
from groundwork.crawl.outcomes import CrawlResult, Keep, RejectReason
from groundwork.crawl.progress import Progress
from groundwork.crawl.render import find_browser
from groundwork.crawl.rounds import Rounds
from groundwork.crawl.site import StaticSite, fingerprint
from groundwork.crawl.store import JOB_NAME, Store, locked
from groundwork.crawl.urls import Wire, canonical, origin
from groundwork.errors import ConfigError, InputError
from groundwork.records import Page

WAY_OUT = {
    RejectReason.CONTENT_TYPE: "add the type to crawl.content_types if clean can read it",
    RejectReason.EXCLUDED: "check include and exclude of the source",
    RejectReason.HTTP_ERROR: "check the address in a browser",
    RejectReason.OFFSITE: "put the address that it redirects to into domain.site.start_urls",
    RejectReason.PRIVATE_ADDRESS: "set domain.site.local=true if the site is your own",
    RejectReason.ROBOTS: "its owner wants no crawl of it; ask, or crawl a mirror of your own",
    RejectReason.TIMEOUT: "try again later or raise crawl.timeout_s",
    RejectReason.TOO_LARGE: "raise crawl.max_body_bytes",
    RejectReason.UNREACHABLE: "check the address and your network",
}


def crawl_domain(domain: DomainConfig, config: CrawlConfig, *, keep: Keep = list) -> CrawlResult:
    """Fetch the pages of the domain's source; everything in the result is under public URLs.

    No more than one body is held in memory unless `keep` holds them, which takes the pages.

    Equal for equal sites, but for clocks and latencies in `fetches`, also when the crawl goes on
    where an earlier one was killed, or asks only for what changed. Shows progress on stderr.

    Raises: `InputError` when the site is unreachable, empty, or yields no page; `ConfigError`
    when the domain does not name exactly one source.
    """
    with ExitStack() as stack:
        job, source = _plan(domain, config, stack)
        folder, lock = stack.enter_context(locked(job.source_key()))
        store = Store(folder, answers_key=job.answers_key(), resume_s=config.resume_s)
        stack.callback(store.close)
        write_json(folder / JOB_NAME, asdict(job))
        rounds = asyncio.run(_crawl(job, store, lock))
        if not rounds.ledger.pages:
            store.forget()
            raise InputError(_no_pages(job, rounds.ledger))
        pages = keep(_pages(rounds.ledger, store, source, domain.licence))
        (store.forget if job.wire.public else store.remember)()
    return CrawlResult(
        pages,
        rounds.ledger.rejects,
        rounds.ledger.fetches,
        offsite=len(rounds.frontier.outside[RejectReason.OFFSITE]),
        excluded=len(rounds.frontier.outside[RejectReason.EXCLUDED]),
    )


def _pages(ledger: Ledger, store: Store, source: str, licence: str) -> Iterator[Page]:
    for page in ledger.pages:
        yield Page(
            url=page.url,
            content_type=page.content_type,
            charset=page.charset,
            body=store.bodies.read(page.sha256),
            sha256=page.sha256,
            source=source,
            licence=licence,
        )


async def _crawl(job: Job, store: Store, lock: int) -> Rounds:
    """Run the rounds to their end; the processes inherit `lock`."""
    processes = job.config.processes
    with Progress(resumed=len(store.resumed.places)) as progress:
        async with Fleet(store.folder, processes=processes, inherit=[lock]) as fleet:
            rounds = Rounds(job, store=store, fleet=fleet, show=progress.show)
            await rounds.run()
    return rounds


def _plan(domain: DomainConfig, config: CrawlConfig, stack: ExitStack) -> tuple[Job, str]:
    """The job and the source's name; a mirror is served until `stack` closes."""
    if (domain.mirror is None) == (domain.site is None):
        raise ConfigError("domain: expected exactly one of domain.mirror and domain.site")
    if domain.mirror is not None:
        mirror = domain.mirror
        starts = _starts([f"{mirror.public_url}{path}" for path in mirror.include or ["/"]])
        folder = Path(mirror.dir)
        wire = Wire(origin(starts[0]), stack.enter_context(StaticSite(folder)))
        scope = (tuple(mirror.include), tuple(mirror.exclude))
        content = fingerprint(folder)
        job = Job(config, starts, *scope, wire, local=True, render=False, content=content)
        return job, "mirror"
    assert domain.site is not None
    site = domain.site
    scope = (tuple(site.include), tuple(site.exclude))
    starts = _starts(site.start_urls)
    if site.render:
        find_browser()
    wire = Wire("", "")
    job = Job(config, starts, *scope, wire, local=site.local, render=site.render, content="")
    return job, "site"


def _starts(urls: list[str]) -> tuple[str, ...]:
    starts = []
    for url in urls:
        spelled = canonical(url)
        if spelled is None:
            raise ConfigError(
                f"domain: {url!r}: expected a URL that begins with http:// or https://"
            )
        starts.append(spelled)
    return tuple(sorted(set(starts)))


def _no_pages(job: Job, ledger: Ledger) -> str:
    """One line that names the site, what became of it, and the way out."""
    counts = Counter(reject.reason for reject in ledger.rejects)
    words = ", ".join(f"{number} {reason}" for reason, number in sorted(counts.items()))
    first = next(reject for reject in ledger.rejects if reject.key in job.start_urls)
    way_out = WAY_OUT.get(RejectReason(first.reason), "see the key of that name in conf/crawl/")
    return f"{first.key}: no page could be kept ({words}): {first.detail}; {way_out}"

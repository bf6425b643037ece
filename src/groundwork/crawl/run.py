"""A domain's source crawled in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from groundwork.config import DomainConfig
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.job import Job, Outcome, Spool
from groundwork.crawl.outcomes import CrawlResult, RejectReason
from groundwork.crawl.render import find_browser
from groundwork.crawl.site import StaticSite
from groundwork.crawl.urls import Wire, canonical, origin
from groundwork.errors import ConfigError, InputError
from groundwork.records import Page

SOURCE_DIR = Path(__file__).resolve().parents[2]
"""The folder that holds `groundwork`: the process must run this code, not an installed copy."""
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


def crawl_domain(domain: DomainConfig, config: CrawlConfig) -> CrawlResult:
    """Fetch the pages of the domain's source; everything in the result is under public URLs.

    Equal for equal sites, but for clocks and latencies in `fetches`. Shows progress on stderr.

    Raises: `InputError` when the site is unreachable, empty, or yields no page; `ConfigError`
    when the domain does not name exactly one source.
    """
    with ExitStack() as stack:
        job, source = _plan(domain, config, stack)
        spool = Spool(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crawl."))))
        spool.write_job(job)
        status = _run_worker(spool)
        outcome = spool.read_outcome()
        if outcome is None:
            raise InputError(f"{job.start_urls[0]}: {_broken_off(status)}")
        if not outcome.pages:
            raise InputError(_no_pages(job, outcome))
        pages = [
            Page(
                url=page.url,
                content_type=page.content_type,
                charset=page.charset,
                body=spool.read_body(page.sha256),
                sha256=page.sha256,
                source=source,
                licence=domain.licence,
            )
            for page in outcome.pages
        ]
    return CrawlResult(
        pages, list(outcome.rejects), list(outcome.fetches), outcome.offsite, outcome.excluded
    )


def _plan(domain: DomainConfig, config: CrawlConfig, stack: ExitStack) -> tuple[Job, str]:
    """The job and the source's name; a mirror is served until `stack` closes."""
    if (domain.mirror is None) == (domain.site is None):
        raise ConfigError("domain: expected exactly one of domain.mirror and domain.site")
    if domain.mirror is not None:
        mirror = domain.mirror
        starts = _starts([f"{mirror.public_url}{path}" for path in mirror.include or ["/"]])
        wire = Wire(origin(starts[0]), stack.enter_context(StaticSite(Path(mirror.dir))))
        scope = (tuple(mirror.include), tuple(mirror.exclude))
        return Job(config, starts, *scope, wire, local=True), "mirror"
    assert domain.site is not None
    site = domain.site
    scope = (tuple(site.include), tuple(site.exclude))
    starts = _starts(site.start_urls)
    if site.render:
        find_browser()
    return Job(config, starts, *scope, Wire("", ""), site.local, site.render), "site"


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


def _run_worker(spool: Spool) -> int:
    """Run the crawling process to its end and show its progress; return its exit status."""
    from tqdm import tqdm

    paths = [str(SOURCE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-m", "groundwork.crawl.worker", str(spool.folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process, tqdm(desc="crawl", unit=" URLs", mininterval=0.5) as bar:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                numbers = json.loads(line)
                bar.total = numbers["found"]
                bar.set_postfix(pages=numbers["kept"], refresh=False)
                bar.update(numbers["settled"] - bar.n)
        except BaseException:
            process.kill()
            raise
    return process.returncode


def _broken_off(status: int) -> str:
    if status == -signal.SIGALRM:
        return "the crawl hung past crawl.max_total_s and was ended; try a smaller crawl.max_pages"
    return f"the crawl broke off with exit status {status}; its messages are above"


def _no_pages(job: Job, outcome: Outcome) -> str:
    """One line that names the site, what became of it, and the way out."""
    counts = Counter(reject.reason for reject in outcome.rejects)
    words = ", ".join(f"{number} {reason}" for reason, number in sorted(counts.items()))
    first = next(reject for reject in outcome.rejects if reject.key in job.start_urls)
    way_out = WAY_OUT.get(RejectReason(first.reason), "see the key of that name in conf/crawl/")
    return f"{first.key}: no page could be kept ({words}): {first.detail}; {way_out}"

"""The one door to every kind of source: what the domain sets decides who collects its pages."""

from collections.abc import Callable
from dataclasses import replace

from groundwork.config import DomainConfig
from groundwork.crawl.api import collect_api
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.feed import collect_feed
from groundwork.crawl.files import collect_files
from groundwork.crawl.git import collect_git
from groundwork.crawl.licences import stated_licence
from groundwork.crawl.outcomes import CrawlResult, Keep
from groundwork.crawl.run import crawl_domain
from groundwork.errors import ConfigError
from groundwork.records import Page


def collect_site(domain: DomainConfig, config: CrawlConfig, *, keep: Keep = list) -> CrawlResult:
    """Pages of a live or mirrored site, each with the licence that it states."""
    return crawl_domain(domain, config, keep=lambda pages: keep(map(_with_own_licence, pages)))


def _with_own_licence(page: Page) -> Page:
    return replace(page, licence=stated_licence(page.body, page.content_type) or page.licence)


SITES = ("mirror", "site")
"""Fields of `DomainConfig` that `collect_site` knows."""
OTHERS: dict[str, Callable[[DomainConfig, CrawlConfig], CrawlResult]] = {
    "files": collect_files,
    "git": collect_git,
    "feed": collect_feed,
    "api": collect_api,
}
"""Field of `DomainConfig` to the function that collects such a source, in memory."""


def collect(domain: DomainConfig, config: CrawlConfig, *, keep: Keep = list) -> CrawlResult:
    """The pages of the domain's source, whatever its kind; all under public URLs.

    `keep` takes the pages; those of sites come one after the other from disk.

    Raises: `ConfigError` when the domain does not name exactly one source; `InputError` when the
    source cannot be read or yields no page.
    """
    named = [kind for kind in (*SITES, *OTHERS) if getattr(domain, kind) is not None]
    if len(named) != 1:
        raise ConfigError(
            f"domain: {' and '.join(named) or 'no source'} set; "
            f"expected exactly one of {', '.join(f'domain.{kind}' for kind in (*SITES, *OTHERS))}"
        )
    if named[0] in SITES:
        return collect_site(domain, config, keep=keep)
    result = OTHERS[named[0]](domain, config)
    return replace(result, pages=keep(iter(result.pages)))

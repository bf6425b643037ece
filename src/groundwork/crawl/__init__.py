"""Pages of a source, fetched politely and kept raw."""

from groundwork.crawl.collect import collect
from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.outcomes import FAILURES, CrawlResult, Fetch, RejectReason
from groundwork.crawl.run import crawl_domain
from groundwork.crawl.site import StaticSite

__all__ = [
    "FAILURES",
    "CrawlConfig",
    "CrawlResult",
    "Fetch",
    "RejectReason",
    "StaticSite",
    "collect",
    "crawl_domain",
]

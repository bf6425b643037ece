"""Section `crawl` of the configuration."""

from typing import Annotated

from pydantic import Field

from groundwork.config import (
    Count,
    NonNegative,
    PositiveFloat,
    PositiveInt,
    Ratio,
    Text,
    schema,
)


@schema
class CrawlConfig:
    """How pages are fetched: politeness, caps, and what counts as a page."""

    user_agent: Text
    """Sent with every request; its first word is the name that robots.txt addresses."""
    content_types: Annotated[list[str], Field(min_length=1)]
    """Media types that are kept, lower case, without parameters."""
    tracking_params: list[str]
    """Query parameters that name a campaign, not a page; shell patterns, dropped from URLs."""
    max_body_bytes: PositiveInt
    """A larger body, compressed or not, is cut off and rejected as `too_large`."""
    max_depth: Count
    """Links between a start URL and a page; entries of a sitemap have depth 1."""
    max_pages: PositiveInt
    """Pages to keep; the first by (depth, URL)."""
    max_redirects: Count
    """Redirects in a row."""
    max_sitemaps: Count
    """Sitemap files to read, indexes included; 0 follows links alone."""
    max_total_s: PositiveFloat
    """Seconds for the whole crawl; what is not fetched by then is rejected as `time_cap`."""
    timeout_s: PositiveFloat
    """Seconds for one request."""
    retries: Count
    """Further attempts after a passing failure (timeout, lost connection, 429, 5xx)."""
    backoff_s: NonNegative
    """Seconds before the first retry, doubled before each next one."""
    max_backoff_s: NonNegative
    """A server that asks for a longer `Retry-After` is not asked again."""
    processes: PositiveInt
    """Processes that fetch, at most; each host belongs to one, and none runs without a host."""
    concurrency: PositiveInt
    """Requests in flight per host."""
    delay_s: NonNegative
    """Seconds between two requests to a live host; a longer crawl-delay in robots.txt wins."""
    max_delay_s: NonNegative
    """Caps a crawl-delay, and what AutoThrottle makes of a slow host; below `delay_s` it is
    `delay_s` that counts."""
    target_concurrency: PositiveFloat
    """Requests in flight that AutoThrottle aims at: a live host that takes long is asked less."""
    mirror_delay_s: NonNegative
    """The same for a mirror, which our own loopback server delivers: wins over robots.txt."""
    resume_s: NonNegative
    """A crawl that broke off is taken up again for so many seconds after its begin; later its
    answers are only compared (see `conditional`). RFC 9309 keeps robots.txt for one day."""
    max_reject_ratio: Ratio
    """Share of the URLs found that may fail (see `FAILURES`); policy refusals do not count."""

"""robots.txt of one origin, read as RFC 9309 says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.outcomes import Fetched, RejectReason

if TYPE_CHECKING:
    from protego import Protego


MAX_ROBOTS_BYTES = 500 * 1024
"""RFC 9309, 2.5: at least 500 KiB are parsed; what follows is not read."""
ROBOTS_HOPS = 5
"""RFC 9309, 2.3.1.2: at least five redirects are followed, to other hosts too."""


@dataclass(frozen=True, slots=True)
class Robots:
    """Rules for one user agent; `closed` names why nothing of the origin may be fetched."""

    rules: "Protego | None"
    agent: str
    closed: str = ""
    detail: str = ""

    def allows(self, url: str) -> bool:
        """Whether the rules let `agent` fetch `url`."""
        if self.closed:
            return False
        return self.rules is None or bool(self.rules.can_fetch(url, self.agent))

    @property
    def verdict(self) -> str:
        """For a page that was fetched or that the origin as a whole keeps from being fetched."""
        if self.closed:
            return "unreachable"
        return "allowed" if self.rules is not None else "none"

    @property
    def crawl_delay_s(self) -> float:
        """Seconds between requests that the site asks for; 0 when it asks for none."""
        delay = self.rules.crawl_delay(self.agent) if self.rules is not None else None
        return max(0.0, float(delay or 0))

    def pace_s(self, config: CrawlConfig, *, mirrored: bool) -> float:
        """Seconds between two requests to the host."""
        if mirrored:
            return config.mirror_delay_s
        return max(config.delay_s, min(self.crawl_delay_s, config.max_delay_s))

    @property
    def sitemaps(self) -> list[str]:
        """Sitemap URLs that robots.txt names, in its order."""
        return list(self.rules.sitemaps) if self.rules is not None else []


def read_robots(fetched: Fetched, body: bytes, *, user_agent: str) -> Robots:
    """Rules from what `/robots.txt` answered, redirects followed; `body` may be cut off.

    RFC 9309, 2.3.1: a client error or too many redirects mean no rules; a server error or an
    unreachable host mean that everything is disallowed, since nobody knows what the site wishes.
    429 is counted as a server error, as the large search engines do: it says nothing about rules.
    """
    from protego import Protego

    agent = user_agent.split("/")[0].split()[0]
    if not fetched.reason and not fetched.location:
        whole = body if len(body) < MAX_ROBOTS_BYTES else body[: body.rfind(b"\n") + 1]
        return Robots(Protego.parse(whole.decode("utf-8-sig", "replace")), agent)
    if fetched.status >= 500 or fetched.status == 429:
        detail = f"{fetched.url} answered {fetched.status}, so nothing may be fetched (RFC 9309)"
        return Robots(None, agent, RejectReason.ROBOTS, detail)
    if fetched.location or fetched.reason == RejectReason.HTTP_ERROR:
        return Robots(None, agent)
    return Robots(None, agent, fetched.reason, f"{fetched.url}: {fetched.detail}")

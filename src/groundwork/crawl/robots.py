"""robots.txt of one origin, read as RFC 9309 says."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.outcomes import Fetched, RejectReason

if TYPE_CHECKING:
    from protego import Protego


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
        """`allowed` for a page that was fetched, `none` when the origin has no rules."""
        return "allowed" if self.rules is not None else "none"

    @property
    def crawl_delay_s(self) -> float:
        """Seconds between requests that the site asks for; 0 when it asks for none."""
        delay = self.rules.crawl_delay(self.agent) if self.rules is not None else None
        return max(0.0, float(delay or 0))

    def pace_s(self, config: CrawlConfig, *, mirrored: bool) -> float:
        """Seconds between two requests to the host; never longer than the whole crawl."""
        asked_s = max(config.delay_s, self.crawl_delay_s)
        return min(config.mirror_delay_s if mirrored else asked_s, config.max_total_s)

    @property
    def sitemaps(self) -> list[str]:
        """Sitemap URLs that robots.txt names, in its order."""
        return list(self.rules.sitemaps) if self.rules is not None else []


def read_robots(fetched: Fetched, body: bytes, *, user_agent: str) -> Robots:
    """Rules from what `/robots.txt` answered.

    RFC 9309, 2.3.1: a client error means no rules; a server error or an unreachable host means
    that everything is disallowed, since nobody knows what the site wishes.
    """
    from protego import Protego

    agent = user_agent.split("/")[0].split()[0]
    if fetched.status == 200 and not fetched.reason:
        return Robots(Protego.parse(body.decode("utf-8-sig", "replace")), agent)
    if fetched.reason in (
        RejectReason.HTTP_ERROR,
        RejectReason.REDIRECT_LOOP,
        RejectReason.OFFSITE,
    ):
        if fetched.status >= 500 or fetched.status == 429:
            detail = (
                f"{fetched.url} answered {fetched.status}, so nothing may be fetched (RFC 9309)"
            )
            return Robots(None, agent, RejectReason.ROBOTS, detail)
        return Robots(None, agent)
    return Robots(None, agent, fetched.reason, f"{fetched.url}: {fetched.detail}")

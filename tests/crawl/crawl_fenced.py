"""A program that is led to addresses it may not connect to: `python crawl_fenced.py PORT FILE`.

It runs behind the fence (see `fence/sitecustomize.py`): `public.example` and `rN.example` are
public, and lead to the N-th blocked URL from wherever a source can be led. PORT is that of a server
on loopback that nobody may reach. Writes what became of each.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import yaml
from blocked import schemes, urls
from crawl_servers import make_domain, site_domain

from groundwork.config import DomainConfig, check
from groundwork.crawl import CrawlConfig, collect
from groundwork.errors import ConfigError, InputError

CONF_PATH = Path(__file__).parents[2] / "conf" / "crawl" / "default.yaml"


def config() -> CrawlConfig:
    """The committed configuration, without waits."""
    values = yaml.safe_load(CONF_PATH.read_text(encoding="utf-8"))
    found = check("crawl", CrawlConfig, values, CONF_PATH)
    return replace(found, delay_s=0.0, backoff_s=0.0, retries=0)


def rejects(*starts: str) -> dict[str, str]:
    """Reason of every reject of a crawl that also has a page to keep."""
    result = collect(site_domain("http://public.example/", *starts, local=False), config())
    assert [page.url for page in result.pages] == ["http://public.example/"]
    return {reject.key: reject.reason for reject in result.rejects}


def api_domain(url: str) -> DomainConfig:
    """A register at `url`."""
    pagination = {"kind": "none", "param": "", "start": 0, "path": ""}
    source = {
        "url": url, "headers": {}, "secret_headers": {}, "pagination": pagination,
        "records": "sites", "id": "id", "record_url": "https://a.example/{id}", "title": "name",
        "fields": {}, "date": "", "licence": "", "obey_robots": False, "local": False,
    }  # fmt: skip
    return make_domain(api=source)


def asked(domain: DomainConfig) -> str:
    """The complaint of a source of which nothing can be kept."""
    try:
        collect(domain, config())
    except (ConfigError, InputError) as error:
        return str(error)
    raise AssertionError("it was answered")


def feed_domain(url: str) -> DomainConfig:
    """A feed at `url`."""
    source = {"urls": [url], "articles": "inline", "max_feed_pages": 2, "local": False}
    return make_domain(feed=source)


def main() -> None:
    """Every source, led to every address."""
    port = int(sys.argv[1])
    spelled = [url for kind in urls(port).values() for url in kind]
    every = [*spelled, *schemes(port)]
    numbers = range(len(every))
    turning = collect(site_domain("http://turn.example/", local=False), config())
    found = {
        "as start": rejects(*spelled),
        "redirect of robots.txt": rejects(*(f"http://r{n}.example/" for n in numbers)),
        "redirect of a page, link, sitemap": rejects(),
        "api": {url: asked(api_domain(url)) for url in every},
        "redirect of an api": {
            url: asked(api_domain(f"http://public.example/go/{n}")) for n, url in enumerate(every)
        },
        "redirect of a feed": {
            url: asked(feed_domain(f"http://public.example/go/{n}")) for n, url in enumerate(every)
        },
        "rebinding": [page.url for page in turning.pages],
    }
    Path(sys.argv[2]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()

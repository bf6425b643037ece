"""A program that crawls one site and writes what it found: `python crawl_once.py URL FILE`.

For tests that kill it; its store lies in the working directory.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import yaml
from crawl_servers import site_domain

from groundwork.config import check
from groundwork.crawl import CrawlConfig, CrawlResult, crawl_domain

CONF_PATH = Path(__file__).parents[2] / "conf" / "crawl" / "default.yaml"


def found(result: CrawlResult) -> list[list[str]]:
    """All of a result that two crawls of one site share."""
    pages = [[p.url, p.content_type, p.charset, p.sha256] for p in result.pages]
    rejects = [[r.key, r.reason, r.detail] for r in result.rejects]
    return [*pages, *rejects, [str(result.offsite), str(result.excluded)]]


def main() -> None:
    """Crawl without waits."""
    config = check("crawl", CrawlConfig, yaml.safe_load(CONF_PATH.read_text()), CONF_PATH)
    quick = replace(config, delay_s=0.0, backoff_s=0.0, target_concurrency=100.0, retries=0)
    result = crawl_domain(site_domain(sys.argv[1]), quick)
    Path(sys.argv[2]).write_text(json.dumps(found(result)))


if __name__ == "__main__":
    main()

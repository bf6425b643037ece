"""A program that collects one source: `python collect_once.py DOMAIN.json FILE`.

For tests that kill it; its store lies in the working directory.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import yaml
from crawl_once import CONF_PATH, found
from crawl_servers import make_domain

from groundwork.config import check
from groundwork.crawl import CrawlConfig, collect


def main() -> None:
    """Collect without waits."""
    config = check("crawl", CrawlConfig, yaml.safe_load(CONF_PATH.read_text()), CONF_PATH)
    quick = replace(config, delay_s=0.0, backoff_s=0.0, target_concurrency=100.0, retries=0)
    domain = make_domain(**json.loads(Path(sys.argv[1]).read_text()))
    Path(sys.argv[2]).write_text(json.dumps(found(collect(domain, quick))))


if __name__ == "__main__":
    main()

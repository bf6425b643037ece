"""A fetching process: `python -m groundwork.crawl.worker FOLDER`, the store's folder of a source.

Scrapy's reactor runs once per process and cannot be started again, so each crawl has its own.
"""

import signal
import sys
from pathlib import Path
from typing import Any

from groundwork.artifacts import from_mapping, read_json
from groundwork.crawl.job import Job
from groundwork.crawl.store import JOB_NAME, Bodies


def settings(job: Job) -> dict[str, Any]:
    """Scrapy's settings: its defaults are for known sites, these are for any.

    Redirects, retries, robots.txt and the order of requests are ours (see `spider`): what Scrapy
    drops on the way it does not report, and here every URL ends as page or reject.
    """
    config = job.config
    return {
        "AUTOTHROTTLE_ENABLED": not job.wire.public,  # our own server needs no mercy
        "AUTOTHROTTLE_MAX_DELAY": config.max_delay_s,
        "AUTOTHROTTLE_START_DELAY": 0,
        "AUTOTHROTTLE_TARGET_CONCURRENCY": config.target_concurrency,
        "COMPRESSION_ENABLED": False,  # gzip is unpacked in `fetch`, with its errors as rejects
        "CONCURRENT_REQUESTS": 0,  # 0: no limit beyond the one per host
        "CONCURRENT_REQUESTS_PER_DOMAIN": config.concurrency,
        "COOKIES_ENABLED": False,
        "DEFAULT_REQUEST_HEADERS": {
            "Accept": ",".join([*config.content_types, "*/*;q=0.1"]),
            "Accept-Encoding": "gzip",
        },
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_DELAY_JITTER": 0,
        "DOWNLOAD_HANDLERS": dict.fromkeys(("data", "file", "ftp", "s3")),
        "DOWNLOAD_TIMEOUT": config.timeout_s,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_WARNSIZE": 0,
        "EXTENSIONS": {
            "scrapy.extensions.throttle.AutoThrottle": None,
            "groundwork.crawl.throttle.HostThrottle": 0,
        },
        "HTTPPROXY_ENABLED": False,  # a proxy resolves names itself, out of reach of our check
        "LOG_LEVEL": "ERROR",
        "MEMUSAGE_ENABLED": False,
        "METAREFRESH_ENABLED": False,
        "REDIRECT_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "RETRY_ENABLED": False,
        "ROBOTSTXT_OBEY": False,  # obeyed by the spider, with RFC 9309's rules and crawl-delay
        "TELNETCONSOLE_ENABLED": False,
        "TWISTED_DNS_RESOLVER": "scrapy.resolver.CachingHostnameResolver",  # IPv6 too
        "USER_AGENT": config.user_agent,
    }


def run(folder: Path) -> None:
    """Answer what the parent asks, until it is gone."""
    from scrapy.crawler import AsyncCrawlerProcess

    from groundwork.crawl.spider import PageSpider

    job = from_mapping(Job, read_json(folder / JOB_NAME))
    # The kernel ends a process whose event loop hangs, for instance in a parser.
    signal.alarm(int(job.config.max_total_s + 2 * job.config.timeout_s) + 60)
    process = AsyncCrawlerProcess(settings(job))
    process.crawl(PageSpider, job=job, bodies=Bodies(folder / "bodies"))
    process.start()


if __name__ == "__main__":
    run(Path(sys.argv[1]))

"""Pages a second of a crawl on loopback.

    python benchmarks/crawl_throughput.py [PAGES] [PROCESSES] [HOSTS]

The server is a process of its own (`generated_site.py`); the configuration is the committed one
with `delay_s=0`, AutoThrottle included. The time is that of `crawl_domain`: from nothing to the
pages in memory, with the start and the end of its processes.
"""

import sys
import tempfile
import time
from contextlib import chdir

from generated_site import configured, served

from groundwork.crawl import crawl_domain


def main() -> None:
    """Crawl once and print the rate; every page must have come."""
    pages, processes, hosts = (*map(int, sys.argv[1:]), *(5000, 1, 1)[len(sys.argv) - 1 :])
    with served(pages, hosts=hosts) as port, tempfile.TemporaryDirectory() as folder, chdir(folder):
        domain, config = configured(port, f"crawl.processes={processes}", hosts=hosts)
        started = time.perf_counter()
        result = crawl_domain(domain, config)
        wall_s = time.perf_counter() - started
    assert (len(result.pages), len(result.rejects)) == (pages, 0)
    print(
        f"{pages} pages, {processes} processes, {hosts} hosts: "
        f"{wall_s:.1f} s, {pages / wall_s:.0f} pages/s"
    )


if __name__ == "__main__":
    main()

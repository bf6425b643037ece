"""A crawl killed with SIGKILL again and again ends as if nobody had touched it.

    python benchmarks/crawl_kills.py [PAGES] [KILLS] [SEED]

Crawls a generated site (`generated_site.py`) once with KILLS kills, each when the server has been
asked for a number of pages that is drawn at random, and once undisturbed. Prints what was asked for
more than once; fails when a URL is lost, one is asked for thrice, or the results differ.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import chdir
from dataclasses import asdict
from pathlib import Path

import httpx
from generated_site import configured, counted, served

from groundwork.artifacts import sha256_bytes
from groundwork.crawl import crawl_domain


def crawl(port: int) -> str:
    """Crawl in the working directory; a hash over pages and rejects."""
    result = crawl_domain(*configured(port))
    rows = [[p.url, p.content_type, p.charset, p.sha256, p.source] for p in result.pages]
    return sha256_bytes(json.dumps([rows, [asdict(r) for r in result.rejects]]).encode())


def start(port: int, folder: str) -> subprocess.Popen[bytes]:
    """The crawl in a process of its own."""
    command = [sys.executable, __file__, "crawl", str(port)]
    return subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ
    )


def kill_at(process: subprocess.Popen[bytes], port: int, total: int) -> bool:
    """Kill once the server was asked for `total` URLs; False when the crawl ended before."""
    while process.poll() is None:
        if int(httpx.get(f"http://127.0.0.1:{port}/total").text) >= total:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.02)
    return False


def disturbed(port: int, kills: list[int], folder: str) -> tuple[str, int]:
    """The hash of the crawl that is killed at each moment of `kills`, and how many came in time."""
    done = 0
    for total in kills:
        done += kill_at(start(port, folder), port, total)
    last = start(port, folder)
    words, _ = last.communicate()
    assert last.returncode == 0
    return words.decode().strip(), done


def main() -> None:
    """Compare both crawls and print what the kills cost."""
    if sys.argv[1:2] == ["crawl"]:
        print(crawl(int(sys.argv[2])))
        return
    pages, kills, seed = (*map(int, sys.argv[1:]), *(5000, 20, 1)[len(sys.argv) - 1 :])
    dice = random.Random(seed)  # noqa: S311  moments, not a secret
    moments = sorted(dice.randrange(pages) for _ in range(kills))
    with served(pages) as port, tempfile.TemporaryDirectory() as folder:
        found, done = disturbed(port, moments, folder)
        counts = counted(port)
        Path(folder, "other").mkdir()
        with chdir(Path(folder, "other")):
            expected = crawl(port)
    times = Counter(counts.values())
    lost = [n for n in range(pages) if not counts.get(f"/p/{n}")]
    print(f"{pages} pages, {done} kills: {len(lost)} lost, asked for {dict(sorted(times.items()))}")
    assert not lost
    assert max(times) <= 2, {path: n for path, n in counts.items() if n > 2}
    assert found == expected, "the results differ"


if __name__ == "__main__":
    main()

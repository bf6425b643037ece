"""Pages read over processes."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import psutil

from groundwork.clean import CleanConfig
from groundwork.clean.page import Reading, read_page
from groundwork.clean.reading import MIN_PAGES, over_processes
from groundwork.records import Page


def _body(number: int) -> str:
    text = "This plug charges a car with alternating current, at home or on the road."
    rows = "".join(
        f"<div class='card'><h3>Plug {number}{k}</h3><p>{text} Its power is {number} kW.</p></div>"
        for k in "abcdef"
    )
    return f"<html><body><nav><a href='/'>Home</a></nav><div>{rows}</div></body></html>"


def test_any_number_of_processes_reads_the_same(
    config: CleanConfig, make_page: Callable[..., Page]
) -> None:
    """Two processes give the readings of one, in the order of the pages."""
    extract = replace(config.extract, honour_noindex=False)
    reading = Reading(extract, config.personal_data, ())
    pages = [make_page(_body(n), url=f"https://a.example/{n}") for n in range(MIN_PAGES)]
    read = partial(read_page, reading=reading)
    alone = list(over_processes(read, pages, processes=1))
    assert list(over_processes(read, pages, processes=2)) == alone
    assert len({str(reading) for reading in alone}) == MIN_PAGES


SLEEPERS = """
import time
from groundwork.clean.reading import over_processes
if __name__ == "__main__":
    list(over_processes(time.sleep, [60.0] * 200, processes=2))
"""


def test_readers_end_with_the_stage_that_is_killed() -> None:
    """Nobody would ever ask them for anything again."""
    with subprocess.Popen([sys.executable, "-c", SLEEPERS]) as process:
        stage, readers = psutil.Process(process.pid), []
        while len(readers) < 4:  # with the server that forks them, and Python's own tracker
            assert process.poll() is None
            readers = stage.children(recursive=True)
            time.sleep(0.05)
        time.sleep(0.5)
        process.kill()
    gone, left = psutil.wait_procs(readers, timeout=10)
    assert len(gone) == len(readers), left

"""Reading pages over several processes, each page by itself.

In: pages and how to read one. Out: what was read, in the order of the pages and the same whatever
the number of processes.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from groundwork.lifetime import end_with_parent
from groundwork.records import Page

Read = TypeVar("Read")
MIN_PAGES = 120
"""Fewer are read in this process: a new one imports for as long as it reads some thirty pages."""
CHUNK = 8
PRELOADED = ("groundwork.clean.pages", "trafilatura", "htmldate", "py3langid", "phonenumbers")


def over_processes(
    read: Callable[[Page], Read], pages: Sequence[Page], *, processes: int
) -> Iterator[Read]:
    """What `read` makes of each page; 0 processes are one for each core that this one may use.

    `read` travels to new processes: a function of a module, or a `partial` of one.
    """
    processes = processes or len(os.sched_getaffinity(0))
    if processes == 1 or len(pages) < MIN_PAGES:
        yield from map(read, pages)
        return
    # Not forked from here: the encoder's threads may hold locks that would stay shut. The server
    # that new processes are forked from has done their imports once.
    context = get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    with ProcessPoolExecutor(processes, context, initializer=end_with_parent) as pool:
        yield from pool.map(read, pages, chunksize=CHUNK)

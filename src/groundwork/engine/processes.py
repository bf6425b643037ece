"""New processes on this machine: a server that has done their imports once, and where they look."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext


def start_server(preload: Sequence[str]) -> ForkServerContext:
    """Let the server of new processes import `preload`, while this process does something else.

    They are not forked from here: an encoder's threads may hold locks that would stay shut. A
    server that runs already keeps to what it has imported.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    with _same_modules():
        forkserver.ensure_running()
    return context


def module_path() -> str:
    """Folders in which another Python finds this one's modules, as `PYTHONPATH` has them."""
    return os.pathsep.join(path or os.getcwd() for path in sys.path)


@contextmanager
def _same_modules() -> Iterator[None]:
    """Let the server find modules where this process does.

    Before Python 3.13 it ignores `sys.path`, so that it would import the user's checkout where DVC
    runs a copy of it.
    """
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = module_path()
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before

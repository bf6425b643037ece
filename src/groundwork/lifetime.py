"""Processes that end with the one that started them, also when that one is killed.

A stage that outlives its `dvc` would write into the outputs of the next run; a reader that outlives
its stage would wait for pages for ever.
"""

import ctypes
import os
import signal
import sys
from multiprocessing import parent_process
from threading import Thread

PR_SET_PDEATHSIG = 1
"""Linux, prctl(2)."""


def end_with_dvc() -> None:
    """Let the kernel end this process with the `dvc` that runs it; without one, nothing happens.

    On Linux alone: elsewhere a stage that a killed `dvc` leaves behind goes on to its end.
    """
    if "DVC_STAGE" in os.environ and sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_with_parent() -> None:
    """Let this process of a pool end with the one that made the pool; for its `initializer`."""
    Thread(target=_outlive_nobody, daemon=True).start()


def _outlive_nobody() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)

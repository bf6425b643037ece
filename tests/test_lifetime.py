"""Nothing outlives the process that started it, whatever ends that one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[1]
STAGE = """
import os, sys, time
sys.path.insert(0, {root!r})
from stages import main
def wait():
    print(os.getpid(), flush=True)
    time.sleep(60)
main(wait)
"""
DVC = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {stage!r}])
time.sleep(60)
"""
POOL = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from groundwork.lifetime import end_with_parent
if __name__ == "__main__":
    with ProcessPoolExecutor(2, get_context("forkserver"), initializer=end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 60)
"""


def _killed(code: str, **env: str) -> psutil.Process:
    """The process whose number `code` prints, once `code` itself is killed."""
    kept = {name: value for name, value in os.environ.items() if name != "DVC_STAGE"}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**kept, **env}) as process:
        assert process.stdout is not None
        found = psutil.Process(int(process.stdout.readline()))
        process.kill()
    return found


def _lives(process: psutil.Process, *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is of Linux")
def test_a_stage_ends_with_the_dvc_that_runs_it() -> None:
    """Or it would write into the outputs of the next run; one that a person runs goes on."""
    code = DVC.format(stage=STAGE.format(root=str(ROOT)))
    assert not _lives(_killed(code, DVC_STAGE="crawl"), within_s=10)
    alone = _killed(code)
    assert _lives(alone, within_s=1)
    alone.kill()


def test_a_pool_ends_with_the_process_that_made_it() -> None:
    """Its workers hold their own queue open, and would wait for ever."""
    assert not _lives(_killed(POOL), within_s=10)

"""Workers of a stage that is killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

STAGE = """
from engine_work import WORDS, engine, turning
from groundwork.engine import Results
if __name__ == "__main__":
    list(Results(turning(each_takes_s=60), WORDS, engine=engine(), unit="word"))
"""


def test_workers_end_with_the_stage_that_is_killed(own_folder: Path) -> None:
    """Nobody would ever ask them for anything again."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", STAGE], env=env) as process:
        stage = psutil.Process(process.pid)
        while len(list(Path("calls").glob("*"))) < 2:  # both workers have begun
            assert process.poll() is None
            time.sleep(0.05)
        workers = stage.children(recursive=True)
        process.kill()
    gone, left = psutil.wait_procs(workers, timeout=10)
    assert len(gone) == len(workers) > 2, left

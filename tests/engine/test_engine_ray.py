"""A real Ray on this machine, in a process of its own as a stage is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from dataclasses import replace
from engine_work import *
from groundwork.engine import RayConfig, Results
from groundwork.errors import GroundworkError
from groundwork.store import reused

memory_gb, address, fail_at = float(sys.argv[1]), sys.argv[2] or None, sys.argv[3]
cluster = RayConfig(address=address, cpus_per_task=1, mem_per_cpu_gb=memory_gb)
try:
    work = turning(fail_at=fail_at)
    settings = replace(engine("ray", ray=cluster), shard_records=8)
    found = list(Results(work, WORDS, engine=settings, unit="word"))
except GroundworkError as error:
    sys.exit(f"{type(error).__name__}: {error}")
print(found == TURNED, calls() == WORDS, reused("turn"), str(os.getpid()) in processes())
"""


def _run(*, memory_gb: float = 0.1, address: str = "", fail_at: str = "") -> tuple[str, str]:
    """What a stage with these settings prints, and the error that it ends with."""
    environment = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(memory_gb), address, fail_at],
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if line.startswith("EngineError: ")]
    return done.stdout, " ".join(complaints)


@pytest.mark.slow
def test_ray_gives_what_this_process_gives(own_folder: Path) -> None:
    """In the order of the records, by Ray's workers, each record once, counted in the stage."""
    assert _run() == ("True True 0 of 23 False\n", "")
    assert list((own_folder / ".cache/groundwork/work/turn").iterdir()) == []


@pytest.mark.slow
def test_a_task_that_fails_on_ray_is_named_with_its_log(own_folder: Path) -> None:
    """Ray reports that all tasks have finished; the other words are done and remembered."""
    said, complaint = _run(fail_at="word07")
    assert (said, complaint[:12]) == ("", "EngineError:")
    log_path = Path(complaint.partition("read ")[2].partition(";")[0])
    assert "0 of 8 records are done" in complaint
    assert "word07 cannot be turned" in log_path.read_text()
    assert len(list((own_folder / ".cache/groundwork/turn").glob("*/*"))) >= 15


@pytest.mark.slow
def test_a_ray_without_room_is_an_error(own_folder: Path) -> None:
    """It would wait for ever."""
    _, complaint = _run(memory_gb=100_000)
    assert "a task takes 1 processors and 100000.0 GiB, and no node of 1 has them" in complaint


@pytest.mark.slow
def test_a_ray_that_does_not_answer_is_an_error(own_folder: Path) -> None:
    """The message names the address and the way out."""
    _, complaint = _run(address="127.0.0.1:9")
    assert complaint.startswith("EngineError: engine.ray.address=127.0.0.1:9: no Ray answers")


def test_without_ray_the_way_out_is_named(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""
    from engine_work import WORDS, engine, turning

    from groundwork.engine import RayConfig, Results
    from groundwork.errors import EngineError

    monkeypatch.setitem(sys.modules, "ray", None)
    cluster = RayConfig(address=None, cpus_per_task=1, mem_per_cpu_gb=0.1)
    with pytest.raises(EngineError, match=r"Ray is not installed.*groundwork\[ray\]"):
        Results(turning(), WORDS, engine=engine("ray", ray=cluster), unit="word")

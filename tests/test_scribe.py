"""A run written beside the work: the same run, also when the stage fails, is killed, or cannot."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from groundwork.artifacts import sha256_file, write_manifest, write_text
from groundwork.scribe import scribed_run
from groundwork.tracking import OUTPUT_TAG, Run, client

STAGE = """
import os, sys, time
from pathlib import Path
{before}
from groundwork.scribe import scribed_run
with scribed_run("chunk", inputs=[Path("artifacts/clean/documents.txt")]) as run:
    {work}
assert "mlflow" not in sys.modules, "the stage itself imported MLflow"
"""
NO_NEW = "os.posix_spawn = None"
"""A stage that starts a process then fails with a TypeError."""
GOOD = 'run.log_metrics({"passages": 3}); run.set_output(Path("artifacts/clean/manifest.json"))'


@pytest.fixture
def project(checkout: Path) -> Path:
    client().search_experiments()
    params = {"domain": {"name": "pets"}, "seed": 13}
    (checkout / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    write_text(checkout / "artifacts/clean/documents.txt", "cats\n")
    write_manifest(checkout / "artifacts/clean", ["documents.txt"])
    return checkout


def _stage(work: str, *, before: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", STAGE.format(before=before, work=work)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_run_is_as_complete_as_one_written_here(project: Path) -> None:
    """Configuration, inputs, metrics, output, params.yaml; the stage never imports MLflow."""
    done = _stage(GOOD)
    assert (done.returncode, done.stderr) == (0, "")
    (run,) = _runs()
    data = run.data
    assert data.params == {"domain.name": "pets", "seed": "13"}
    assert data.tags["groundwork.stage"] == "chunk"
    assert data.tags["input.clean.documents.txt"] == sha256_file(
        Path("artifacts/clean/documents.txt")
    )
    assert data.tags[OUTPUT_TAG] == sha256_file(Path("artifacts/clean/manifest.json"))
    assert data.metrics["passages"] == 3
    assert data.metrics["stage_seconds"] >= 0
    assert run.info.status == "FINISHED"
    assert [item.path for item in client().list_artifacts(run.info.run_id)] == ["params.yaml"]


def test_failed_stage_leaves_a_failed_run(project: Path) -> None:
    """The stage's own error is shown, and its run says FAILED."""
    done = _stage("raise RuntimeError('no cats')")
    assert done.returncode == 1
    assert done.stderr.endswith("RuntimeError: no cats\n")
    assert [run.info.status for run in _runs()] == ["FAILED"]


def test_nan_metric_fails_at_once(project: Path) -> None:
    """A metric that is not a number is an error that names it."""
    done = _stage("run.log_metrics({'loss': float('nan')}); time.sleep(60)")
    assert "metric loss is NaN at step 0" in done.stderr


def test_killed_stage_leaves_a_failed_run(project: Path) -> None:
    """After `kill -9` of the stage its run does not stay RUNNING for ever."""
    command = [
        sys.executable,
        "-c",
        STAGE.format(before="", work=f"{GOOD}; print('.'); time.sleep(600)"),
    ]
    process = subprocess.Popen([*command[:1], "-u", *command[1:]], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b".\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    deadline = time.monotonic() + 60
    while [run.info.status for run in _runs()] != ["FAILED"]:
        assert time.monotonic() < deadline, "the run is not closed"
        time.sleep(0.2)
    assert _runs()[0].data.metrics["passages"] == 3


def test_store_that_cannot_be_written_fails_the_stage(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the store and the way out."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project / 'params.yaml'}")
    done = _stage(GOOD)
    assert done.returncode == 1
    assert "TrackingError: sqlite:///" in done.stderr
    assert done.stderr.endswith("check MLFLOW_TRACKING_URI\n")


def test_process_that_has_mlflow_writes_the_run_itself(project: Path) -> None:
    """Another process would only cost time."""
    import mlflow  # noqa: F401

    with scribed_run("chunk", inputs=[]) as run:
        pass
    assert isinstance(run, Run)
    assert [run.info.status for run in _runs()] == ["FINISHED"]


@pytest.fixture
def near(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The project again, below a path that a Unix socket's address has room for."""
    with tempfile.TemporaryDirectory(prefix="gw-") as name:
        shutil.copytree(project, name, dirs_exist_ok=True)
        monkeypatch.chdir(name)
        client().search_experiments()
        for variable in [key for key in os.environ if key.startswith("MLFLOW")]:
            monkeypatch.delenv(variable)
        yield Path(name)


def test_next_stage_is_written_by_the_same_process(near: Path) -> None:
    """MLflow is imported once for stages that follow each other; outputs are let go of."""
    assert _stage(GOOD).returncode == 0
    done = _stage(GOOD, before=NO_NEW)
    assert (done.returncode, done.stderr) == (0, "")
    assert [run.info.status for run in _runs()] == ["FINISHED", "FINISHED"]
    assert [run.data.metrics["passages"] for run in _runs()] == [3, 3]


def test_stage_beside_another_has_a_process_of_its_own(near: Path) -> None:
    """The process that waits takes one stage; a second one at the same time starts its own."""
    assert _stage(GOOD).returncode == 0
    wait = f"{GOOD}; print('.', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", STAGE.format(before=NO_NEW, work=wait)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == ".\n"
        assert "TypeError" in _stage(GOOD, before=NO_NEW).stderr
        assert _stage(GOOD).returncode == 0
        assert sorted(run.info.status for run in _runs()) == ["FINISHED", "FINISHED", "RUNNING"]
        first.communicate()
    assert [run.info.status for run in _runs()] == ["FINISHED"] * 3


def test_store_that_was_replaced_is_the_one_written_to(near: Path) -> None:
    """A process that waits holds the file that was there; the next run belongs into the new one."""
    assert _stage(GOOD).returncode == 0
    new_path = near / "new.db"
    shutil.copy(near / "mlflow.db", new_path)
    new_path.replace(near / "mlflow.db")
    assert _stage(GOOD).returncode == 0
    with closing(sqlite3.connect(near / "mlflow.db")) as database:
        statuses = database.execute("SELECT status FROM runs").fetchall()
    assert statuses == [("FINISHED",), ("FINISHED",)]


def test_other_settings_have_another_process(near: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run goes where this stage's environment says, not where the last one's did."""
    assert _stage(GOOD).returncode == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{near / 'other.db'}")
    assert _stage(GOOD).returncode == 0
    assert [run.info.status for run in _runs()] == ["FINISHED"]


def test_path_too_long_for_a_socket(near: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stage then starts a process, and nothing else changes."""
    deep = near / ("d" * 90)
    deep.mkdir()
    shutil.copytree(near / "artifacts", deep / "artifacts")
    shutil.copy(near / "params.yaml", deep)
    monkeypatch.chdir(deep)
    for _ in range(2):
        done = _stage(GOOD)
        assert (done.returncode, done.stdout) == (0, "")
    assert [run.info.status for run in _runs()] == ["FINISHED", "FINISHED"]


def _runs() -> list:
    experiments = [item.experiment_id for item in client().search_experiments()]
    return list(client().search_runs(experiments))

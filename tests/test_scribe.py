"""A run written beside the work: the same run, also when the stage fails, is killed, or cannot."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from groundwork.artifacts import sha256_file, write_manifest, write_text
from groundwork.scribe import scribed_run
from groundwork.tracking import OUTPUT_TAG, Run, client

STAGE = """
import sys, time
from pathlib import Path
from groundwork.scribe import scribed_run
with scribed_run("chunk", inputs=[Path("artifacts/clean/documents.txt")]) as run:
    {work}
assert "mlflow" not in sys.modules, "the stage itself imported MLflow"
"""
GOOD = 'run.log_metrics({"passages": 3}); run.set_output(Path("artifacts/clean/manifest.json"))'


@pytest.fixture
def project(checkout: Path) -> Path:
    client().search_experiments()
    params = {"domain": {"name": "pets"}, "seed": 13}
    (checkout / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    write_text(checkout / "artifacts/clean/documents.txt", "cats\n")
    write_manifest(checkout / "artifacts/clean", ["documents.txt"])
    return checkout


def _stage(work: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", STAGE.format(work=work)]
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
    command = [sys.executable, "-c", STAGE.format(work=f"{GOOD}; print('.'); time.sleep(600)")]
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


def _runs() -> list:
    experiments = [item.experiment_id for item in client().search_experiments()]
    return list(client().search_runs(experiments))

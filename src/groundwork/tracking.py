"""MLflow: one store for every run, also of experiments that DVC runs in copies of the checkout.

Owns the address of the store and the run that each stage opens. A run carries the composed
configuration, the git commit, the sha256 of every input and output, and its metrics.
"""

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundwork.artifacts import project_root, sha256_file
from groundwork.config import read_params

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

OUTPUT_TAG = "groundwork.output_sha256"
"""Tag of a run that names the manifest which the stage wrote: finds the run of an artifact."""
STAGE_TAG = "groundwork.stage"
MLFLOW_PARENT = "mlflow.parentRunId"
"""MLflow's own: its UI shows a run below the one that the tag names."""
SWEEP_TAG = "groundwork.sweep"
"""Tag of the run under which the runs of a sweep stand: its name."""
EXPERIMENT_TAG = "groundwork.experiment"
"""Tag of a run: the name of its DVC experiment or trial, `workspace` outside of any."""
BASE = "base"
"""`<sweep>-base`: the member of a sweep that the others are compared with."""
SQLITE = "sqlite:///"
BATCH = 500
"""Metrics in one call; the server accepts at most 1,000."""


def tracking_uri() -> str:
    """`MLFLOW_TRACKING_URI`, or the SQLite file at the root of the user's checkout."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project_root() / 'mlflow.db'}"


def client() -> "MlflowClient":
    """A client of the store, with telemetry and pickle switched off."""
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    from mlflow.tracking import MlflowClient

    uri = tracking_uri()
    if uri.startswith(SQLITE) and "?" not in uri:
        _make_database(Path(uri.removeprefix(SQLITE)))
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _make_database(path: Path) -> None:
    """Make a new store whole or not at all: MLflow cannot mend tables that a kill cut short."""
    if path.exists():
        return
    from mlflow.tracking import MlflowClient

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f"{path.name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return
        new_path = path.with_name(f"{path.name}.new")
        for left_path in path.parent.glob(f"{new_path.name}*"):
            left_path.unlink()
        uri = f"{SQLITE}{new_path}"
        MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments()
        new_path.replace(path)


def git_commit(folder: Path | None = None) -> str:
    """Commit of the checkout with `+changes` when tracked files differ; empty outside of git."""
    where = folder or Path.cwd()
    head = _git(where, "rev-parse", "HEAD")
    changed = _git(where, "status", "--porcelain", "--untracked-files=no", "--", "src", "stages")
    return f"{head}+changes" if head and changed else head


def _git(where: Path, *arguments: str) -> str:
    # A reader that is killed must not leave git's lock of the index behind.
    command = ["git", "--no-optional-locks", *arguments]
    result = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else ""


@dataclass(frozen=True, slots=True)
class Run:
    """An open MLflow run of one stage."""

    client: "MlflowClient"
    run_id: str
    parent_id: str
    """The run of the sweep that this one belongs to; empty outside of any."""

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Log numbers under their names; NaN is an error, never silently kept."""
        self.log_series([{"step": step, **metrics}])

    def log_series(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Log rows that each hold `step` and numbers, in batches."""
        from mlflow.entities import Metric

        check_numbers(rows)
        now_ms = int(time.time() * 1000)
        entries = [
            Metric(name, float(value), now_ms, int(row["step"]))
            for row in rows
            for name, value in row.items()
            if name != "step"
        ]
        for start in range(0, len(entries), BATCH):
            self.client.log_batch(self.run_id, metrics=entries[start : start + BATCH])

    def log_artifact(self, path: Path, *, folder: str | None = None) -> None:
        """Store a file (or a folder's content) with the run."""
        if path.is_dir():
            self.client.log_artifacts(self.run_id, str(path), folder)
        else:
            self.client.log_artifact(self.run_id, str(path), folder)

    def log_text(self, text: str, name: str) -> None:
        """Store a text as a file of the run."""
        self.client.log_text(self.run_id, text, name)

    def set_output(self, manifest_path: Path) -> None:
        """Tie the run to the artifact that it wrote, by the manifest's sha256."""
        self.set_tag(OUTPUT_TAG, sha256_file(manifest_path))

    def set_tag(self, key: str, value: str) -> None:
        """Note a word about the run."""
        self.client.set_tag(self.run_id, key, value)

    def end(self, status: str) -> None:
        """Close the run as `FINISHED` or `FAILED`."""
        self.client.set_terminated(self.run_id, status)


def check_numbers(rows: Sequence[Mapping[str, float]]) -> None:
    """Raises: `ValueError` that names the metric which is not a number."""
    for row in rows:
        for name, value in row.items():
            if value != value:
                raise ValueError(f"metric {name} is NaN at step {row['step']}")


@dataclass(frozen=True, slots=True)
class Opening:
    """What is known of a run before its stage begins."""

    stage: str
    domain: str
    """Names the MLflow experiment."""
    tags: dict[str, str]
    params: dict[str, str]
    """The composed configuration, flat."""


def describe(stage: str, inputs: Sequence[Path]) -> Opening:
    """A run of `stage` that reads `inputs`, whose sha256 it records."""
    params = read_params(Path("params.yaml"))
    tags = {
        STAGE_TAG: stage,
        "mlflow.source.git.commit": git_commit(),
        EXPERIMENT_TAG: os.environ.get("DVC_EXP_NAME", "workspace"),
        **{f"input.{path.parent.name}.{path.name}": sha256_file(path) for path in inputs},
    }
    flat = {key: str(value)[:6000] for key, value in flatten(params).items()}
    return Opening(stage, params["domain"]["name"], tags, flat)


def open_run(opening: Opening) -> Run:
    """Begin a run named after its stage in the domain's MLflow experiment."""
    from mlflow.entities import Param, RunTag

    store = client()
    experiment_id = experiment_of(opening.domain, store)
    name = opening.tags[EXPERIMENT_TAG]
    parent_id = find_sweep(store, experiment_id, _sweep_of(name))
    given = opening.tags | ({MLFLOW_PARENT: parent_id} if parent_id else {})
    run_id = store.create_run(experiment_id, run_name=f"{opening.stage} {name}").info.run_id
    flat = [Param(key, value) for key, value in opening.params.items()]
    tags = [RunTag(key, value) for key, value in given.items()]
    store.log_batch(run_id, params=flat[:100], tags=tags)
    for start in range(100, len(flat), 100):
        store.log_batch(run_id, params=flat[start : start + 100])
    run = Run(store, run_id, parent_id)
    run.log_artifact(Path("params.yaml"))
    return run


def experiment_of(domain: str, store: "MlflowClient") -> str:
    """Id of the MLflow experiment of a domain, made when it is new.

    Where two processes find none at once, the one that comes second takes the other's.
    """
    from mlflow.exceptions import MlflowException

    found = store.get_experiment_by_name(domain)
    if found:
        return str(found.experiment_id)
    location = _artifact_location(project_root(), domain)
    try:
        return str(store.create_experiment(domain, artifact_location=location))
    except MlflowException:
        found = store.get_experiment_by_name(domain)
        if found is None:
            raise
        return str(found.experiment_id)


def _sweep_of(experiment: str) -> str:
    """`lora` for `lora-3` and `lora-base`; empty for a name that no sweep gives."""
    sweep, _, member = experiment.rpartition("-")
    return sweep if member == BASE or member.isdecimal() else ""


def find_sweep(store: "MlflowClient", experiment_id: str, sweep: str) -> str:
    """Id of the run of the sweep of that name, the oldest of several; empty when there is none."""
    if not sweep:
        return ""
    named = f"tags.`{SWEEP_TAG}` = '{sweep}'"
    order = ["attributes.start_time ASC", "attributes.run_id ASC"]
    found = store.search_runs([experiment_id], filter_string=named, order_by=order, max_results=1)
    return str(found[0].info.run_id) if found else ""


@contextmanager
def stage_run(stage: str, *, inputs: Sequence[Path]) -> Iterator[Run]:
    """Open a run named after the stage in the domain's MLflow experiment; FAILED on an error.

    `inputs` are files whose sha256 the run records as `input.<stage>.<name>`. A stage that takes
    seconds had better use `scribe.scribed_run`, which does not wait for MLflow.
    """
    run = open_run(describe(stage, inputs))
    started = time.monotonic()
    try:
        yield run
    except BaseException:  # whatever ends the stage ends its run; raised again
        run.end("FAILED")
        raise
    run.log_metrics({"stage_seconds": time.monotonic() - started})
    run.end("FINISHED")


def _artifact_location(root: Path, domain: str) -> str | None:
    """Beside the SQLite file; None lets a tracking server choose."""
    if tracking_uri().startswith("sqlite:"):
        return (root / "mlartifacts" / domain).as_uri()
    return None


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as dotted keys; lists stay as they are."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping):
            flat.update(flatten(item, f"{name}."))
        else:
            flat[name] = item
    return flat


def find_run(stage: str, manifest_sha256: str) -> str:
    """Id of the newest finished run of `stage` that wrote that manifest; empty when unknown."""
    store = client()
    experiments = [e.experiment_id for e in store.search_experiments()]
    wanted = f"tags.`{STAGE_TAG}` = '{stage}' and tags.`{OUTPUT_TAG}` = '{manifest_sha256}'"
    runs = store.search_runs(experiments, filter_string=wanted, max_results=1)
    return str(runs[0].info.run_id) if runs else ""

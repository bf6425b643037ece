"""Experiments in a real checkout as README.md documents them: a queued sweep, a run in a copy.

They stop at `train`; the other stages open their runs in the same way.
"""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from checkout import SMALL, Checkout

from groundwork.artifacts import sha256_file
from groundwork.config import compose
from groundwork.tracking import flatten

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

pytestmark = pytest.mark.slow

Experiments = dict[str, dict[str, Any]]
SWEEP = ("train.lora.rank=4,8", "train.learning_rate=2e-3")
POINTS = {("4", "0.002"), ("8", "0.002")}
ALONE = ("train.lora.rank=2", "model=embedded")
COMPOSED = (
    "domain.mirror.include=[/levels/,/connectors/]", "adapt.enabled=false",
    "base.steps=1", "base.layers=2", "base.threads=1",
    "train.max_steps=2", "train.eval_pairs=1", "train.threads=1",
    "sweep.eval_pairs=2", "sweep.fixed=[]", "sweep.resamples=200",
    "sweep.choices=[{key:train.lora.rank,values:[2]}]",
)  # fmt: skip
"""What the user of this checkout has composed beside the small profile."""
PATIENCE_S = 900


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which what `train` reads was made and committed."""
    made = Checkout(tmp_path_factory.mktemp("sweep") / "groundwork", *COMPOSED)
    made.run("dvc", "repro", "qa", "index", "base")
    made.run("git", "add", "dvc.lock")
    made.run("git", "commit", "-qm", "data and base model")
    return made


@pytest.fixture(scope="module")
def before(checkout: Checkout) -> dict[str, str]:
    """The workspace before any experiment."""
    return _workspace(checkout)


@pytest.fixture(scope="module")
def sweep(checkout: Checkout, before: dict[str, str]) -> Experiments:
    """Two experiments that a worker has taken from the queue."""
    checkout.run("dvc", "exp", "run", "--queue", *_set(SWEEP), "train")
    checkout.run("dvc", "queue", "start", "-j", "1")
    try:
        _wait_for_the_worker(checkout)
    finally:
        checkout.run("dvc", "queue", "stop", "--kill")
    return _experiments(checkout)


@pytest.fixture(scope="module")
def alone(checkout: Checkout, sweep: Experiments) -> str:
    """Name of the experiment that `dvc exp run --temp` ran after the sweep."""
    checkout.run("dvc", "exp", "run", "--temp", *_set(ALONE), "train")
    (name,) = set(_experiments(checkout)) - set(sweep)
    return name


@pytest.fixture(scope="module")
def runs(checkout: Checkout, alone: str) -> "dict[str, Run]":
    """Name of each experiment -> its run of `train` in the database of the workspace."""
    store = _store(checkout)
    experiment = store.get_experiment_by_name("ev_charging")
    wanted = "tags.`groundwork.stage` = 'train'"
    found = store.search_runs([experiment.experiment_id], filter_string=wanted)
    named = {run.data.tags["groundwork.experiment"]: run for run in found}
    assert len(named) == len(found) > 0
    return named


@pytest.fixture(scope="module")
def best(checkout: Checkout, runs: "dict[str, Run]") -> dict[str, Any]:
    """What `groundwork sweep best` says of a sweep that `groundwork sweep queue` has queued.

    Its first training has the values of none before it, its base those of the workspace.
    """
    checkout.run("groundwork", "sweep", "queue", "--name", "tiny")
    checkout.run("dvc", "queue", "start", "-j", "1")
    try:
        _wait_for_the_worker(checkout)
    finally:
        checkout.run("dvc", "queue", "stop", "--kill")
    found: dict[str, Any] = json.loads(checkout.run("groundwork", "sweep", "best", "--json"))
    return found


def _set(overrides: tuple[str, ...]) -> list[str]:
    return [word for override in overrides for word in ("-S", override)]


def _store(checkout: Checkout) -> "MlflowClient":
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{checkout.folder / 'mlflow.db'}")


def _wait_for_the_worker(checkout: Checkout) -> None:
    """Until nothing is queued or running; a worker that the stop of an earlier one ends is
    started again."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        status = checkout.run("dvc", "queue", "status")
        if "Queued" not in status and "Running" not in status:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"the queue is not empty after {PATIENCE_S} s:\n{status}")
        if "0 active, 0 idle" in status:
            checkout.run("dvc", "queue", "start", "-j", "1")
        time.sleep(2)


def _experiments(checkout: Checkout) -> Experiments:
    """Name -> what `dvc exp show` knows of an experiment of the last commit."""
    _, head = json.loads(checkout.run("dvc", "exp", "show", "--json"))
    return {found["name"]: found for found in head["experiments"] or []}


def _workspace(checkout: Checkout) -> dict[str, str]:
    """Sha256 of every file that git or DVC looks after."""
    tracked = checkout.run("git", "ls-files").splitlines()
    paths = [*map(checkout.folder.joinpath, tracked), *checkout.folder.glob("artifacts/**/*")]
    return {
        path.relative_to(checkout.folder).as_posix(): sha256_file(path)
        for path in paths
        if path.is_file()
    }


def _point(run: "Run") -> tuple[str, str]:
    return run.data.params["train.lora.rank"], run.data.params["train.learning_rate"]


def test_every_experiment_of_a_queued_sweep_succeeds(
    checkout: Checkout, sweep: Experiments
) -> None:
    """Two combinations are queued; each is an experiment with results, none has failed."""
    status = checkout.run("dvc", "queue", "status")
    assert (status.count("Success"), status.count("Failed")) == (2, 0)
    assert [found["revs"][0]["error"] for found in sweep.values()] == [None] * 2


def test_experiments_keep_what_was_composed(checkout: Checkout, runs: "dict[str, Run]") -> None:
    """`-S` comes on top of the small profile and the values of `groundwork compose`.

    The run holds the whole composition, also as the file that its stage read.
    """
    store = _store(checkout)
    for run in runs.values():
        rank, rate = _point(run)
        point = (f"train.lora.rank={rank}", f"train.learning_rate={rate}")
        text = compose(["~chosen", *SMALL, *COMPOSED, *point], checkout.folder / "conf")
        expected = {key: str(value) for key, value in flatten(yaml.safe_load(text)).items()}
        assert run.data.params == expected
        kept_path = store.download_artifacts(run.info.run_id, "params.yaml")
        assert Path(kept_path).read_text(encoding="utf-8") == text


def test_experiments_share_the_store_of_the_workspace(
    checkout: Checkout, sweep: Experiments, alone: str, runs: "dict[str, Run]"
) -> None:
    """Each experiment, queued or alone, has one finished run there, and DVC's copies hold none."""
    assert set(runs) == {*sweep, alone}
    assert {_point(runs[name]) for name in sweep} == POINTS
    assert _point(runs[alone])[0] == "2"
    assert {run.info.status for run in runs.values()} == {"FINISHED"}
    assert [*checkout.folder.glob(".dvc/**/mlflow.db")] == []


def test_runs_carry_commit_data_and_metrics(checkout: Checkout, runs: "dict[str, Run]") -> None:
    """The commit that the experiment started from, the sha256 of what it read, its figures."""
    head = checkout.run("git", "rev-parse", "HEAD").strip()
    for run in runs.values():
        assert run.data.tags["mlflow.source.git.commit"] == head
        for stage in ("qa", "index", "base"):
            path = checkout.folder / "artifacts" / stage / "manifest.json"
            assert run.data.tags[f"input.{stage}.manifest.json"] == sha256_file(path)
        assert {"loss", "eval_loss", "pairs", "stage_seconds"} <= set(run.data.metrics)
    trainable = {_point(run)[0]: run.data.metrics["trainable_parameters"] for run in runs.values()}
    assert trainable["8"] == 2 * trainable["4"] == 4 * trainable["2"]


def test_each_experiment_has_an_adapter_of_its_own(runs: "dict[str, Run]") -> None:
    """The sha256 of the manifests that lead from adapters back to their runs all differ."""
    assert len({run.data.tags["groundwork.output_sha256"] for run in runs.values()}) == len(runs)


def test_workspace_is_left_as_it_was(
    checkout: Checkout, before: dict[str, str], alone: str
) -> None:
    """Experiments of the queue and in a copy change no file that git or DVC looks after."""
    assert _workspace(checkout) == before
    assert checkout.run("git", "status", "--porcelain", "--untracked-files=no") == ""


def test_queued_grid_has_one_parent_and_a_best(checkout: Checkout, best: dict[str, Any]) -> None:
    """The base and the other rank are compared on two validation pairs, and stand under one run."""
    assert (best["sweep"], best["pairs"], best["unfinished"]) == ("tiny", 2, {})
    ranks = {row["experiment"]: row["values"].get("train.lora.rank") for row in best["ranked"]}
    assert ranks == {"tiny-base": "16", "tiny-1": "2"}
    losses = [row["loss"] for row in best["ranked"]]
    assert losses == sorted(losses)
    assert best["best"] == best["ranked"][0]["experiment"]
    store = _store(checkout)
    parents = {
        store.get_run(row["run_id"]).data.tags["mlflow.parentRunId"] for row in best["ranked"]
    }
    assert len(parents) == 1
    assert store.get_run(parents.pop()).data.tags["groundwork.sweep"] == "tiny"

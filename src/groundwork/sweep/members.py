"""The runs of a sweep in MLflow: one parent, and below it one run of `train` a member.

A run finds its parent by its experiment's name, `<sweep>-<number>` or `<sweep>-base` (see
`tracking.open_run`), so that DVC's queue and Optuna's trials leave the same kind of runs.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any

from groundwork.artifacts import from_mapping
from groundwork.errors import InputError
from groundwork.tracking import (
    EXPERIMENT_TAG,
    MLFLOW_PARENT,
    STAGE_TAG,
    SWEEP_TAG,
    experiment_of,
    find_sweep,
)
from groundwork.train import SCORES, PairScore

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

STOPPED_TAG = "groundwork.stopped"
"""Tag of a run that its sweep has stopped: the step."""
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Member:
    """One training of a sweep."""

    experiment: str
    run_id: str
    status: str
    """MLflow's, or `STOPPED`."""
    params: Mapping[str, str]
    """The whole configuration, flat."""
    scores: Mapping[str, PairScore]
    """Validation question to its score; empty unless the training has finished."""


SETTLED_S = 2.0
"""A run that was begun before another one stands in the store at most so much later."""


def open_sweep(store: "MlflowClient", name: str, *, domain: str) -> str:
    """Id of the run under which the runs of sweep `name` will stand, made when it is new.

    Of two that two workers make at once, the older one stays: it is asked for once both are there.
    """
    experiment_id = experiment_of(domain, store)
    found = find_sweep(store, experiment_id, name)
    if found:
        return found
    tags = {SWEEP_TAG: name, STAGE_TAG: "sweep"}
    made = store.create_run(experiment_id, tags=tags, run_name=f"sweep {name}")
    run_id = str(made.info.run_id)
    store.set_terminated(run_id, "FINISHED")  # it only holds the others together
    sleep(SETTLED_S)
    oldest = find_sweep(store, experiment_id, name)
    if oldest != run_id:
        store.delete_run(run_id)
    return oldest


def newest_sweep(store: "MlflowClient", *, domain: str) -> str:
    """Name of the sweep that was begun last. Raises: `InputError` when there is none."""
    found = store.search_runs(
        [experiment_of(domain, store)],
        filter_string=f"tags.`{STAGE_TAG}` = 'sweep'",
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    if not found:
        raise InputError(
            f"no sweep of {domain} in MLflow; begin one with `groundwork sweep queue` or "
            "`groundwork sweep run`"
        )
    return str(found[0].data.tags[SWEEP_TAG])


def read_members(store: "MlflowClient", name: str, *, domain: str) -> list[Member]:
    """The newest run of each member, sorted by name. Raises: `InputError` for an unknown sweep."""
    experiment_id = experiment_of(domain, store)
    parent_id = find_sweep(store, experiment_id, name)
    if not parent_id:
        raise InputError(
            f"{name}: no sweep of that name among the runs of {domain}; the newest is the default"
        )
    runs: dict[str, Run] = {}
    for run in _children(store, experiment_id, parent_id):
        runs.setdefault(run.data.tags[EXPERIMENT_TAG], run)
    return [_member(store, runs[key]) for key in sorted(runs, key=_order)]


def _order(experiment: str) -> tuple[int, str]:
    number = experiment.rpartition("-")[2]
    return (int(number), "") if number.isdecimal() else (-1, experiment)


def _children(store: "MlflowClient", experiment_id: str, parent_id: str) -> "list[Run]":
    wanted = f"tags.`{MLFLOW_PARENT}` = '{parent_id}' and tags.`{STAGE_TAG}` = 'train'"
    order = ["attributes.start_time DESC"]
    token, runs = None, []
    while True:
        page = store.search_runs(
            [experiment_id], wanted, order_by=order, max_results=PAGE, page_token=token
        )
        runs += list(page)
        token = page.token
        if not token:
            return runs


def find_member(store: "MlflowClient", experiment: str, *, domain: str) -> "Run | None":
    """The newest run of `train` of that experiment."""
    wanted = f"tags.`{EXPERIMENT_TAG}` = '{experiment}' and tags.`{STAGE_TAG}` = 'train'"
    found = store.search_runs(
        [experiment_of(domain, store)],
        filter_string=wanted,
        order_by=["attributes.start_time DESC"],
        max_results=1,
    )
    return found[0] if found else None


def _member(store: "MlflowClient", run: "Run") -> Member:
    status = "STOPPED" if STOPPED_TAG in run.data.tags else run.info.status
    return Member(
        experiment=run.data.tags[EXPERIMENT_TAG],
        run_id=run.info.run_id,
        status=status,
        params=dict(run.data.params),
        scores=_scores(store, run.info.run_id) if status == "FINISHED" else {},
    )


def _scores(store: "MlflowClient", run_id: str) -> dict[str, PairScore]:
    """Raises: `InputError` when the run lacks them."""
    from mlflow.exceptions import MlflowException

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = Path(store.download_artifacts(run_id, SCORES, folder))
            rows: list[dict[str, Any]] = [
                json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()
            ]
        except (OSError, MlflowException) as error:
            raise InputError(
                f"run {run_id}: {SCORES} cannot be read ({error}); expected the validation scores "
                "of a finished training; delete the run in MLflow, or begin another sweep"
            ) from error
    return {row["question_id"]: from_mapping(PairScore, row) for row in rows}

"""A study of Optuna over trainings, whose database several processes and machines share.

In: a space and the address of a database. Out: trials in the database, their runs in MLflow. The
point of a trial depends on the seed, its number and the trials that ended before it.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundwork.artifacts import code_version, sha256_bytes, sha256_file
from groundwork.errors import ConfigError, EngineError
from groundwork.sweep.config import SweepConfig
from groundwork.sweep.members import STOPPED_TAG, find_member, open_sweep
from groundwork.sweep.points import Point, Space, with_values
from groundwork.sweep.storage import open_storage
from groundwork.sweep.trial import INPUTS, train_watched
from groundwork.tracking import BASE, Run, client

if TYPE_CHECKING:
    import optuna

WORK = "groundwork.work"
"""Attribute of a study: what its trials are trained on and with."""
IS_BASE = "groundwork.base"
"""Attribute of the trial that trains the configuration as it stands."""
SEED_STRIDE = 7919
"""A prime: the seeds of trials of two studies do not meet."""


@dataclass(frozen=True, slots=True)
class Study:
    """What is tried, and where."""

    name: str
    storage: str
    """Address of the database, as SQLAlchemy writes it."""
    trials: int
    """In all, whoever trains them; the base not counted."""
    space: Space
    config: SweepConfig
    params: Mapping[str, Any]
    """The composed configuration."""
    root: Path
    """The checkout."""

    @property
    def domain(self) -> str:
        """Names the MLflow experiment."""
        return str(self.params["domain"]["name"])


def run_study(wanted: Study, *, say: Callable[[str], None]) -> None:
    """Train until the study has its trials; workers that begin later join in.

    Raises: `ConfigError` when the study was begun on other data, code or configuration;
    `EngineError` when the base configuration itself cannot be trained.
    """
    import optuna

    open_sweep(client(), wanted.name, domain=wanted.domain)
    with _quiet():
        study = _open(wanted)
        objective = partial(_train, wanted=wanted, say=say)
        while _is_open(study, wanted.trials):
            study.optimize(objective, n_trials=1, catch=(_FailedError,))
            if all(t.state == optuna.trial.TrialState.FAIL for t in study.trials):
                raise EngineError(
                    f"sweep {wanted.name}: the base configuration cannot be trained (its own words "
                    "stand above); mend it, and run `dvc repro train` to see that it trains"
                )


class _FailedError(Exception):
    """One trial's training failed, for instance of a learning rate too high; others go on."""


def _open(wanted: Study) -> "optuna.Study":
    """The study of that name with its base among its trials."""
    import optuna

    with open_storage(wanted.storage, wanted.config, on_dead=partial(_bury, wanted)) as storage:
        study = optuna.create_study(
            study_name=wanted.name,
            storage=storage,
            direction="minimize",
            pruner=optuna.pruners.MedianPruner(
                n_startup_trials=wanted.config.startup_trials,
                n_warmup_steps=wanted.config.warmup_steps,
            ),
            load_if_exists=True,
        )
        work = _work(wanted)
        if study.user_attrs.get(WORK, work) != work:
            raise ConfigError(
                f"study {wanted.name} in {storage.engine.url.render_as_string()}: begun on other "
                "data, code or configuration than this checkout's; expected the same, so that "
                "trainings can be compared: bring them here (`git checkout`, `dvc pull`), or give "
                "another --name"
            )
        if WORK not in study.user_attrs:
            study.set_user_attr(WORK, work)
            study.enqueue_trial({}, user_attrs={IS_BASE: True})
    return study


def _work(wanted: Study) -> str:
    """Hash of what the trials have in common."""
    artifacts_dir = wanted.root / "artifacts"
    parts = [sha256_file(artifacts_dir / stage / "manifest.json") for stage in INPUTS]
    parts += [code_version(wanted.root / "src" / "groundwork" / room) for room in ("train", "base")]
    parts += [repr(wanted.space), repr(wanted.params["train"]), repr(wanted.params["model"])]
    return sha256_bytes("\n".join(parts).encode())


def _is_open(study: "optuna.Study", trials: int) -> bool:
    """Whether a trial waits (of a dead worker, or the base), or there are too few."""
    from optuna.storages import fail_stale_trials
    from optuna.trial import TrialState

    fail_stale_trials(study)
    known = study.get_trials(deepcopy=False)
    begun = [t for t in known if t.state != TrialState.WAITING and IS_BASE not in t.user_attrs]
    return len(known) > 0 and (
        any(t.state == TrialState.WAITING for t in known) or len(begun) < trials
    )


def _train(trial: "optuna.Trial", *, wanted: Study, say: Callable[[str], None]) -> float:
    """The objective: validation loss of one training. Raises: `TrialPruned` when it was stopped."""
    import optuna

    is_base = IS_BASE in trial.user_attrs
    name = f"{wanted.name}-{BASE if is_base else trial.number}"
    point = wanted.space.base if is_base else _draw(trial, wanted)
    trial.set_user_attr("experiment", name)
    looks: list[tuple[int, float]] = []

    def goes_on(step: int, loss: float) -> bool:
        looks.append((step, loss))
        trial.report(loss, step)
        return is_base or not trial.should_prune()

    params = with_values(wanted.params, point)
    try:
        ended = train_watched(name, params, root=wanted.root, judge=goes_on)
    except EngineError as error:
        say(str(error))
        raise _FailedError from error
    run = find_member(client(), name, domain=wanted.domain)
    if run is None:
        raise EngineError(f"{name}: its run is not in MLflow; check MLFLOW_TRACKING_URI")
    if not ended:
        _mark_stopped(run.info.run_id, looks)
        say(f"{name}: stopped at step {looks[-1][0]}, loss {looks[-1][1]:.4f} {_told(trial)}")
        raise optuna.TrialPruned
    loss = float(run.data.metrics["validation_loss"])
    say(f"{name}: loss {loss:.4f} {_told(trial)}")
    return loss


def _draw(trial: "optuna.Trial", wanted: Study) -> Point:
    """Values for a trial; each trial has a seed of its own, so that workers draw other points."""
    import optuna

    trial.study.sampler = optuna.samplers.TPESampler(
        seed=wanted.config.seed * SEED_STRIDE + trial.number,
        n_startup_trials=wanted.config.startup_trials,
        constant_liar=True,
    )
    point = dict(wanted.space.fixed)
    for key, values in wanted.space.choices:
        point[key] = trial.suggest_categorical(key, list(values))
    for key, low, high, log in wanted.space.ranges:
        point[key] = trial.suggest_float(key, low, high, log=log)
    return point


def _told(trial: "optuna.Trial") -> str:
    shown = (
        f"{k}={v:.3g}" if isinstance(v, float) else f"{k}={v}" for k, v in trial.params.items()
    )
    return ", ".join(shown)


def _mark_stopped(run_id: str, looks: list[tuple[int, float]]) -> None:
    """A training that was stopped has not failed: its run says so, and keeps its looks."""
    run = Run(client(), run_id, "")
    run.log_series([{"step": step, "eval_loss": loss} for step, loss in looks])
    run.set_tag(STOPPED_TAG, str(looks[-1][0]))
    run.end("KILLED")


def _bury(wanted: Study, trial: Any) -> None:
    """The run of a worker that died does not stay RUNNING."""
    run = find_member(client(), trial.user_attrs.get("experiment", ""), domain=wanted.domain)
    if run is not None and run.info.status == "RUNNING":
        client().set_terminated(run.info.run_id, "KILLED")


@contextmanager
def _quiet() -> Iterator[None]:
    """Our own lines tell of trials; heartbeats are experimental since 2021 (Optuna 5.0)."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(before)

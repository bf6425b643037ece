"""Studies: workers that share a database, trials that are stopped, fail or lose their worker.

The stage that they start is a process of its own that leaves a real run, but trains nothing.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sweep_parts import sweep_config, write_checkout
from tiny_base import DOMAIN, model_config, train_config

from groundwork.errors import ConfigError, EngineError, InputError
from groundwork.sweep import (
    Study,
    make_space,
    newest_sweep,
    open_sweep,
    read_members,
    run_study,
)
from groundwork.sweep.config import Choice, Range
from groundwork.sweep.storage import open_storage
from groundwork.sweep.study import _draw
from groundwork.tracking import STAGE_TAG, SWEEP_TAG, client, experiment_of

pytestmark = pytest.mark.slow
SOURCE_DIR = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def params(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A checkout with a stage `train` that says losses and trains nothing."""
    monkeypatch.setenv("PYTHONPATH", str(SOURCE_DIR))
    values = {
        "domain": asdict(DOMAIN),
        "model": asdict(model_config()),
        "train": asdict(train_config()),
        "sweep": asdict(sweep_config(choices=[Choice("train.lora.rank", [2, 4])])),
    }
    write_checkout(checkout, values)
    return values


@pytest.fixture
def postgresql() -> Iterator[str]:
    """Address of an empty database of a PostgreSQL server on loopback, where one is installed."""
    pytest.importorskip("psycopg")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    path = os.pathsep.join([os.environ["PATH"], *map(str, installed)])
    programs = shutil.which("initdb", path=path)
    if programs is None:
        pytest.skip("no PostgreSQL server: initdb is not on PATH")
    folder = Path(tempfile.mkdtemp(prefix="groundwork-"))  # its socket's path must be short
    user = "nobody" if os.geteuid() == 0 else None  # the server refuses to run as root
    if user:
        shutil.chown(folder, user)

    def call(name: str, *options: str) -> None:
        command = [str(Path(programs).with_name(name)), *options]
        subprocess.run(command, user=user, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    call("initdb", "-D", data, "-A", "trust", "-U", "ada")
    listening = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
    call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", listening, "start")
    try:
        yield f"postgresql://ada@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _study(params: dict[str, Any], *, trials: int, **changes: Any) -> Study:
    config = sweep_config(**({"choices": [Choice("train.lora.rank", [2])]} | changes))
    return Study(
        name="s",
        storage="sqlite:///sweeps.db",
        trials=trials,
        space=make_space(config, params, grid=False),
        config=config,
        params=params,
        root=Path.cwd(),
    )


def _run(study: Study) -> list[str]:
    lines: list[str] = []
    run_study(study, say=lines.append)
    return lines


def _statuses() -> dict[str, str]:
    return {m.experiment: m.status for m in read_members(client(), "s", domain="plants")}


def _worker(trials: int, *, storage: str = "", **more: Any) -> "subprocess.Popen[str]":
    script = "import sys; from groundwork.cli import main; sys.exit(main(sys.argv[1:]))"
    address = storage or f"sqlite:///{Path.cwd() / 'sweeps.db'}"
    options = ["--name", "s", "--storage", address, "--trials", str(trials)]
    command = [sys.executable, "-c", script, "sweep", "run", *options]
    environment = {**os.environ, "COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_workers_share_a_study(
    params: dict[str, Any], kind: str, request: pytest.FixtureRequest
) -> None:
    """One parent, one base, no point twice; each may begin a trial as the other begins the last."""
    storage = request.getfixturevalue("postgresql") if kind == "postgresql" else ""
    workers = [_worker(3, storage=storage) for _ in range(2)]
    said = [worker.communicate(timeout=240) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    members = read_members(client(), "s", domain="plants")
    trained = [m for m in members if m.experiment != "s-base"]
    assert len(trained) in (3, 4)
    assert {m.status for m in members} <= {"FINISHED", "STOPPED"}
    assert len({m.params["train.learning_rate"] for m in trained}) == len(trained)
    assert all("wins" in out or "base configuration is the best" in out for out, _ in said)
    parents = client().search_runs(["1"], "tags.`groundwork.stage` = 'sweep'")
    assert len(parents) == 1
    assert newest_sweep(client(), domain="plants") == "s"


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_tables_that_another_worker_makes_are_waited_for(
    params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL refuses the second of two `CREATE TABLE` at once; then they are there."""
    import optuna.storages
    from sqlalchemy.exc import IntegrityError

    real, refused = optuna.storages.RDBStorage, [IntegrityError("CREATE TABLE", {}, ValueError())]

    def refuse_once(*args: Any, **more: Any) -> Any:
        if refused:
            raise refused.pop()
        return real(*args, **more)

    monkeypatch.setattr(optuna.storages, "RDBStorage", refuse_once)
    monkeypatch.setattr("groundwork.sweep.storage.PAUSE_S", 0)
    with open_storage("sqlite:///sweeps.db", sweep_config(), on_dead=print) as storage:
        assert storage.get_all_studies() == []


def test_of_two_experiments_made_at_once_the_first_one_stays(
    params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither was there when both looked; the second is refused by the store and looks again."""
    assert params
    store = client()
    first = experiment_of("plants", store)
    look, missed = store.get_experiment_by_name, [None]
    monkeypatch.setattr(
        store, "get_experiment_by_name", lambda name: missed.pop() if missed else look(name)
    )
    assert experiment_of("plants", store) == first
    assert not missed


def test_of_two_parents_begun_at_once_the_older_one_stays(
    params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other worker began first and is in the store after this one has looked."""
    store = client()
    experiment_id = experiment_of("plants", store)
    tags = {SWEEP_TAG: "s", STAGE_TAG: "sweep"}
    older: list[str] = []

    def another_arrives(_: float) -> None:
        older.append(store.create_run(experiment_id, start_time=1, tags=tags).info.run_id)

    monkeypatch.setattr("groundwork.sweep.members.sleep", another_arrives)
    assert open_sweep(store, "s", domain="plants") == older[0]
    assert [run.info.run_id for run in store.search_runs([experiment_id])] == older
    assert open_sweep(store, "s", domain="plants") == older[0]
    assert len(older) == 1, "a sweep that is there is not waited for"


def test_points_follow_from_the_seed(params: dict[str, Any]) -> None:
    """The same study draws the same again, each trial another; another seed draws others."""
    import optuna

    drawn = []
    for seed in (5, 5, 6):
        study, made = optuna.create_study(), _study(params, trials=3, seed=seed)
        drawn.append([_draw(study.ask(), made)["train.learning_rate"] for _ in range(3)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(set(drawn[0])) == 3


def _fields(study: Study) -> dict[str, Any]:
    return {name: getattr(study, name) for name in Study.__dataclass_fields__}


def test_training_that_is_behind_is_stopped(params: dict[str, Any]) -> None:
    """Its run is no failure: it is KILLED, tells of the step, and keeps its look."""
    params["train"]["lora"]["rank"] = 1
    lines = _run(_study(params, trials=2, choices=[Choice("train.lora.rank", [8])]))
    stopped = [name for name, status in _statuses().items() if status == "STOPPED"]
    assert stopped
    assert any("stopped at step 10, loss 0.8" in line for line in lines)
    run_id = next(
        m.run_id for m in read_members(client(), "s", domain="plants") if m.experiment in stopped
    )
    run = client().get_run(run_id)
    assert (run.info.status, run.data.tags["groundwork.stopped"]) == ("KILLED", "10")
    assert [m.step for m in client().get_metric_history(run_id, "eval_loss")] == [10]


def test_trial_that_fails_does_not_end_the_study(params: dict[str, Any]) -> None:
    """It counts as a trial, and its run as FAILED; a base that fails ends the study."""
    lines = _run(_study(params, trials=1, choices=[Choice("train.lora.rank", [999])]))
    assert _statuses() == {"s-base": "FINISHED", "s-1": "FAILED"}
    assert any(line.startswith("s-1: the training failed with exit code 1") for line in lines)
    params["train"]["lora"]["rank"] = 999
    study = _study(params, trials=1)
    with pytest.raises(EngineError, match="base configuration cannot be trained"):
        run_study(Study(**{**_fields(study), "name": "t"}), say=lines.append)


def test_trial_of_a_dead_worker_is_begun_again(params: dict[str, Any]) -> None:
    """Killed without warning: its stage ends with it, and another worker trains the same point."""
    _run(_study(params, trials=1))
    Path("slow").write_text("")
    worker = _start_slow_trial(params)
    pid = int(Path("slow").read_text())
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    give_up = time.monotonic() + 20
    while Path(f"/proc/{pid}").exists() and "Z" not in _state(pid):
        assert time.monotonic() < give_up
        time.sleep(0.1)
    Path("slow").unlink()
    time.sleep(5)  # four heartbeats of a second
    _run(_study(params, trials=2))
    members = {m.experiment: m for m in read_members(client(), "s", domain="plants")}
    assert members["s-2"].status == "KILLED"
    assert members["s-3"].status == "FINISHED"
    rates = [members[name].params["train.learning_rate"] for name in ("s-2", "s-3")]
    assert rates[0] == rates[1]


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _start_slow_trial(params: dict[str, Any]) -> "subprocess.Popen[str]":
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "import json; from test_sweep_study import _study, _run\n"
        "_run(_study(json.loads(sys.argv[3]), trials=2))"
    )
    here = Path(__file__).parent
    worker = subprocess.Popen(
        [sys.executable, "-c", code, str(here), str(here.parent), json.dumps(params)],
        env={**os.environ, "COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""},
        text=True,
    )
    give_up = time.monotonic() + 120
    while not Path("slow").read_text():
        assert worker.poll() is None
        assert time.monotonic() < give_up
        time.sleep(0.1)
    return worker


def test_other_data_is_refused(params: dict[str, Any]) -> None:
    """Trainings on other pairs cannot be compared with those of the study."""
    _run(_study(params, trials=1))
    Path("artifacts/qa/manifest.json").write_text('{"other": 1}')
    with pytest.raises(ConfigError, match=r"study s in .*begun on other data, code or config"):
        _run(_study(params, trials=2))


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("sweeps.db", "no address of a database; expected sqlite:///PATH"),
        ("sqlite://", "expected a file, sqlite:///PATH"),
        ("oracle://host/name", "expected one of sqlite, postgresql, mysql"),
        pytest.param(
            "postgresql://host/name",
            "driver is not installed",
            marks=pytest.mark.skipif(find_spec("psycopg") is not None, reason="it is installed"),
        ),
        ("sqlite:////proc/none/sweeps.db", "cannot be (opened|made)"),
    ],
)
def test_address_that_is_none_is_an_error(
    params: dict[str, Any], address: str, problem: str
) -> None:
    """What was given, what was expected, the way out."""
    study = _study(params, trials=1, ranges=[Range("train.learning_rate", 1e-4, 1e-2, True)])
    with pytest.raises(ConfigError, match=problem):
        run_study(Study(**{**_fields(study), "storage": address}), say=print)


def test_unknown_sweep_is_an_error(params: dict[str, Any]) -> None:
    """And that there is none at all."""
    with pytest.raises(InputError, match="nothing: no sweep of that name"):
        read_members(client(), "nothing", domain="plants")
    with pytest.raises(InputError, match="no sweep of plants in MLflow; begin one"):
        newest_sweep(client(), domain="plants")

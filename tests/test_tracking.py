"""The MLflow store: its address, what a stage's run carries, and how a run is found again."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from groundwork.artifacts import sha256_file, write_manifest, write_text
from groundwork.tracking import (
    client,
    find_run,
    flatten,
    git_commit,
    stage_run,
    tracking_uri,
)

PARAMS = {"domain": {"name": "pets"}, "seed": 13, "train": {"lora": {"rank": 8}}}


@pytest.fixture
def project(checkout: Path) -> Path:
    (checkout / "params.yaml").write_text(yaml.safe_dump(PARAMS), encoding="utf-8")
    write_text(checkout / "artifacts/clean/documents.txt", "cats\n")
    return checkout


def test_store_is_the_database_at_the_root_of_the_checkout(checkout: Path) -> None:
    """Without MLFLOW_TRACKING_URI the store is mlflow.db in the working directory."""
    assert tracking_uri() == f"sqlite:///{checkout / 'mlflow.db'}"


def test_copy_made_for_an_experiment_uses_the_store_of_the_checkout(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below .dvc/tmp/exps the store is still the one of the user's checkout."""
    copy_dir = checkout / ".dvc" / "tmp" / "exps" / "abc"
    copy_dir.mkdir(parents=True)
    monkeypatch.chdir(copy_dir)
    assert tracking_uri() == f"sqlite:///{checkout / 'mlflow.db'}"


def test_environment_names_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLFLOW_TRACKING_URI goes before the local database."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example:5000")
    assert tracking_uri() == "http://tracking.example:5000"


def test_run_carries_configuration_inputs_and_metrics(project: Path) -> None:
    """A finished run holds params.yaml flat, the inputs' sha256, its metrics and its stage."""
    documents_path = Path("artifacts/clean/documents.txt")
    with stage_run("chunk", inputs=[documents_path]) as run:
        run.log_metrics({"passages": 3})
    data = run.client.get_run(run.run_id).data
    assert data.params == {"domain.name": "pets", "seed": "13", "train.lora.rank": "8"}
    assert data.tags["groundwork.stage"] == "chunk"
    assert data.tags["input.clean.documents.txt"] == sha256_file(documents_path)
    assert data.metrics["passages"] == 3
    assert data.metrics["stage_seconds"] >= 0
    assert run.client.get_run(run.run_id).info.status == "FINISHED"
    assert [item.path for item in run.client.list_artifacts(run.run_id)] == ["params.yaml"]


def test_failed_stage_leaves_a_failed_run(project: Path) -> None:
    """An error in a stage marks its run FAILED and goes on."""
    with pytest.raises(RuntimeError, match="no cats"), stage_run("chunk", inputs=[]) as run:
        raise RuntimeError("no cats")
    assert client().get_run(run.run_id).info.status == "FAILED"


def test_runs_of_a_domain_share_an_experiment_beside_the_database(project: Path) -> None:
    """The second run joins the domain's experiment, whose files lie in mlartifacts/<domain>."""
    with stage_run("clean", inputs=[]) as first:
        pass
    with stage_run("chunk", inputs=[]) as second:
        pass
    experiments = {client().get_run(run.run_id).info.experiment_id for run in (first, second)}
    assert len(experiments) == 1
    found = client().get_experiment(experiments.pop())
    assert (found.name, found.artifact_location) == (
        "pets",
        (project / "mlartifacts" / "pets").as_uri(),
    )


def test_all_of_a_large_configuration_is_recorded(project: Path) -> None:
    """More than the 100 parameters that one call may carry arrive all the same."""
    big = PARAMS | {"many": {f"key_{n}": n for n in range(150)}}
    (project / "params.yaml").write_text(yaml.safe_dump(big), encoding="utf-8")
    with stage_run("chunk", inputs=[]) as run:
        pass
    assert len(client().get_run(run.run_id).data.params) == 153


def test_series_are_logged_in_batches_with_their_steps(project: Path) -> None:
    """600 rows arrive in order, more than one call may carry."""
    with stage_run("train", inputs=[]) as run:
        run.log_series([{"step": step, "loss": 1.0 / (step + 1)} for step in range(600)])
    history = client().get_metric_history(run.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [
        (step, 1.0 / (step + 1)) for step in range(600)
    ]


def test_nan_metric_fails(project: Path) -> None:
    """A metric that is not a number is an error that names it and its step."""
    with (
        pytest.raises(ValueError, match="metric loss is NaN at step 4"),
        stage_run("train", inputs=[]) as run,
    ):
        run.log_series([{"step": 4, "loss": float("nan")}])


def test_folder_is_stored_with_the_run(project: Path) -> None:
    """A folder's content lands below the name given."""
    with stage_run("chunk", inputs=[]) as run:
        run.log_artifact(Path("artifacts/clean"), folder="kept")
    assert [item.path for item in client().list_artifacts(run.run_id, "kept")] == [
        "kept/documents.txt"
    ]


def test_run_is_found_by_the_manifest_that_it_wrote(project: Path) -> None:
    """The newest run that wrote a manifest is found by its stage and sha256; others are not."""
    folder = Path("artifacts/clean")
    sha256 = write_manifest(folder, ["documents.txt"])
    with stage_run("clean", inputs=[]) as run:
        run.set_output(folder / "manifest.json")
    assert find_run("clean", sha256) == run.run_id
    assert find_run("chunk", sha256) == ""
    assert find_run("clean", "0" * 64) == ""


def test_commit_says_whether_the_code_was_changed(tmp_path: Path) -> None:
    """The commit alone, the commit with a mark once src differs, and nothing outside of git."""
    assert git_commit(tmp_path) == ""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "code.py").write_text("one = 1\n", encoding="utf-8")
    person = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for command in (["init", "-q"], ["add", "."], [*person, "commit", "-qm", "one"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    head = git_commit(tmp_path)
    assert len(head) == 40
    (tmp_path / "src" / "code.py").write_text("one = 2\n", encoding="utf-8")
    assert git_commit(tmp_path) == f"{head}+changes"


def test_nested_mappings_become_dotted_keys() -> None:
    """Lists stay as they are."""
    assert flatten({"a": {"b": {"c": 1}}, "d": [1, {"e": 2}]}) == {"a.b.c": 1, "d": [1, {"e": 2}]}


@pytest.mark.slow
def test_a_store_whose_making_was_killed_is_made_anew(tmp_path: Path) -> None:
    """Killed among the migrations; a half-made database of MLflow's could not be opened again."""
    code = "from groundwork.tracking import client; client().search_experiments()"
    env = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    new_path = tmp_path / "mlflow.db.new"
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=env) as process:
        while not (new_path.exists() and b"alembic_version" in new_path.read_bytes()):
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    assert not (tmp_path / "mlflow.db").exists()
    new_path.write_bytes(new_path.read_bytes()[:5000])
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "mlflow.db").exists()
    assert not new_path.exists()


def test_looking_at_the_checkout_leaves_no_lock_of_git(tmp_path: Path) -> None:
    """`git status` would write its index, and a kill leave the lock of it behind."""
    for command in (["init", "-q"], ["add", "a"], ["commit", "-qm", "a"]):
        (tmp_path / "a").write_text("a")
        who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *who, *command], cwd=tmp_path, check=True)
    os.utime(tmp_path / "a", (1, 1))
    before = (tmp_path / ".git/index").stat().st_mtime_ns
    assert git_commit(tmp_path)
    assert (tmp_path / ".git/index").stat().st_mtime_ns == before

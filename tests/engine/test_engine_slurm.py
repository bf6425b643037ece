"""Job scripts for Slurm, and a stage that waits for its jobs, without a cluster."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import slurm_programs
from engine_work import TURNED, WORDS, calls, engine, processes, turning

from groundwork.engine import Results, SlurmConfig
from groundwork.errors import EngineError
from groundwork.store import reused

CONFIG = SlurmConfig(
    partition="cpu",
    time="00:10:00",
    cpus_per_task=2,
    mem_per_cpu_gb=3,
    qos="short",
    env_command="export READY=1",
    sbatch_args={"account": "acme"},
    max_array_size=4,
    poll_s=0.2,
    timeout_s=120,
)


@pytest.fixture
def slurm_dir(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the jobs of a Slurm of one node lie; its programs are on PATH."""
    monkeypatch.setenv("PATH", slurm_programs.install(own_folder / "slurm"))
    return own_folder / "slurm"


def _run(config: SlurmConfig = CONFIG, **settings: object) -> list[tuple[str, bytes]]:
    where = replace(engine("slurm", slurm=config), shard_records=8)
    return list(Results(turning(**settings), WORDS, engine=where, unit="word"))


def _work_dir() -> Path:
    (folder,) = Path(".cache/groundwork/work/turn").iterdir()
    return folder


def test_jobs_give_what_this_process_gives(slurm_dir: Path) -> None:
    """In the order of the records, by the jobs' own processes, each record once."""
    reused("turn")
    assert _run() == TURNED
    assert calls() == WORDS
    assert len(processes()) == 3
    assert str(reused("turn")) == "0 of 23"
    assert [path.name for path in slurm_dir.glob("*.cancelled")] == []


def test_the_script_says_what_the_configuration_says(slurm_dir: Path) -> None:
    """Every directive, and a command that loads no pickle."""
    _run()
    text = (slurm_dir / "1000.sh").read_text()
    directives = dict(re.findall(r"^#SBATCH --([\w-]+)=?(.*)$", text, re.M))
    output = directives.pop("output")
    assert output.endswith("log/slurm_logs/%A_%a.out")
    assert directives == {
        "cpus-per-task": "2",
        "mem-per-cpu": "3G",
        "nodes": "1",
        "partition": "cpu",
        "job-name": "groundwork_turn",
        "time": "00:10:00",
        "error": output,
        "array": "0-2%2",
        "account": "acme",
        "requeue": "",
        "qos": "short",
    }
    lines = [line.strip() for line in text.splitlines()]
    here = Path.cwd()
    assert any(line.startswith(f"export READY=1; cd {here}; export PYTHONPATH=") for line in lines)
    command = next(line for line in lines if "groundwork.engine.task" in line)
    folder = command.rpartition(" ")[2]
    assert command == f"{sys.executable} -m groundwork.engine.task {folder}"
    assert folder.startswith(f"{here}/.cache/groundwork/work/turn/")
    assert "pik" not in text
    assert (slurm_dir / "1000.arguments").read_text() == "--export=ALL,RUN_OFFSET=0"


def test_more_tasks_than_an_array_may_have_are_several_jobs(slurm_dir: Path) -> None:
    """The second job goes on where the first one ends."""
    assert _run(replace(CONFIG, max_array_size=2)) == TURNED
    assert calls() == WORDS
    arguments = [path.read_text() for path in sorted(slurm_dir.glob("*.arguments"))]
    assert arguments == ["--export=ALL,RUN_OFFSET=0", "--export=ALL,RUN_OFFSET=1"]
    assert "--array=0-1%2" in (slurm_dir / "1001.sh").read_text()


def test_a_job_that_fails_is_named_with_its_log(slurm_dir: Path) -> None:
    """When no job is left the stage does not wait on; the folder stays, without a pickle."""
    with pytest.raises(EngineError, match=r"00000\.parquet: 0 of 8 records are done") as caught:
        _run(fail_at="word07")
    log_path = Path(str(caught.value).partition("read ")[2].partition(";")[0])
    assert "word07 cannot be turned" in log_path.read_text()
    names = [path.name for path in _work_dir().rglob("*") if path.is_file()]
    assert [name for name in names if name.endswith((".pik", ".pkl"))] == []
    assert _run() == TURNED


def test_jobs_that_take_too_long_are_cancelled(
    slurm_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the jobs and the setting."""
    monkeypatch.setenv("SLURM_STUCK", "1")
    with pytest.raises(EngineError, match=r"jobs 1000 were not done.*timeout_s=1"):
        _run(replace(CONFIG, timeout_s=1.0))
    assert [path.name for path in slurm_dir.glob("*.cancelled")] == ["1000.cancelled"]


def test_a_job_that_sbatch_refuses_is_an_error(
    slurm_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its own words are shown, and where the script lies."""
    with pytest.raises(
        EngineError, match=r"refused the job with exit code 1.*launch_script\.slurm"
    ):
        _run(replace(CONFIG, partition="closed"))
    assert "invalid partition specified: closed" in capfd.readouterr().err
    assert (_work_dir() / "log/launch_script.slurm").exists()


def test_without_slurm_the_way_out_is_named(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stages run where jobs are submitted."""
    monkeypatch.setenv("PATH", str(own_folder))
    with pytest.raises(EngineError, match=r"no program `sbatch` on PATH.*engine=local"):
        _run()


def test_a_task_outside_of_a_job_is_an_error(own_folder: Path) -> None:
    """It would queue jobs of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "groundwork.engine.task", str(own_folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "SLURM_ARRAY_TASK_ID is not set" in done.stderr


def test_settings_travel_as_json(slurm_dir: Path) -> None:
    """What a task reads is the section as it was."""
    with pytest.raises(EngineError):
        _run(fail_at="word07")
    assert SlurmConfig(**json.loads((_work_dir() / "slurm.json").read_text())) == CONFIG

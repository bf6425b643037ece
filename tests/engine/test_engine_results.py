"""Results on this machine: the same whoever does the work, and nothing is lost on the way."""

import fcntl
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from engine_work import TURNED, WORDS, blas_threads, calls, engine, processes, turning

from groundwork.engine import Results
from groundwork.engine.results import check_done
from groundwork.engine.spool import Job, Spool, done_path, input_path, read_shard, work_folder
from groundwork.errors import EngineError
from groundwork.store import reused

WORK_DIR = Path(".cache/groundwork/work/turn")


def _run(config: object, words: list[str] = WORDS, **settings: object) -> list[tuple[str, bytes]]:
    return list(Results(turning(**settings), words, engine=config, unit="word"))  # type: ignore[arg-type]


def test_workers_give_what_this_process_gives(own_folder: Path) -> None:
    """In the order of the records, by other processes, each record once."""
    assert _run(None) == TURNED
    assert processes() == {str(os.getpid())}
    shutil.rmtree(".cache")
    shutil.rmtree("calls")
    assert _run(engine()) == TURNED
    assert str(os.getpid()) not in processes()
    assert calls() == WORDS
    assert list(WORK_DIR.iterdir()) == [], "what was spooled is gone"


@pytest.mark.parametrize("config", [None, engine()])
def test_numpy_keeps_to_the_threads_of_a_worker(own_folder: Path, config: object) -> None:
    """Here and in other processes; afterwards this one has its own again."""
    before = blas_threads()
    assert max(before) > 1, "a machine of one core cannot tell"
    found = [data.split(b",") for _, data in _run(config, tell_threads=True)]
    assert {count for counts in found for count in counts} == {b"1"}
    assert blas_threads() == before


def test_results_can_be_gone_through_again(own_folder: Path) -> None:
    """Nothing is done twice, but for what is gone from the store since."""
    results = Results(turning(), WORDS, engine=engine(), unit="word")
    assert list(results) == list(results) == TURNED
    assert calls() == WORDS
    shutil.rmtree(".cache")
    assert list(results) == TURNED
    assert sorted(set(calls())) == WORDS


@pytest.mark.parametrize("config", [None, engine(), replace(engine(), workers=1)])
def test_what_is_known_is_not_done_again(config: object) -> None:
    """The counts say so whoever does the work: they are those of the stage's own process."""
    reused("turn")
    assert _run(config, WORDS[:10]) == TURNED[:10]
    assert str(reused("turn")) == "0 of 10"
    shutil.rmtree("calls")
    assert _run(config) == TURNED
    assert str(reused("turn")) == "10 of 23"
    assert calls() == WORDS[10:]


def test_few_new_records_are_done_at_once(own_folder: Path) -> None:
    """Below `min_records` no process is started, however many records are known already."""
    _run(engine(), WORDS[:20])
    shutil.rmtree("calls")
    assert _run(engine()) == TURNED
    assert processes() == {str(os.getpid())}


def test_small_corpora_do_not_import_datatrove(own_folder: Path) -> None:
    """Start-up costs nothing where nothing is distributed."""
    code = (
        "import sys; from engine_work import *; from groundwork.engine import Results; "
        "list(Results(turning(), ['a', 'b'], engine=engine(), unit='word')); "
        "print(sorted({'datatrove', 'ray', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_an_error_in_a_worker_names_its_record_and_its_log(own_folder: Path) -> None:
    """What was done is kept: the next run does the rest, and clears up."""
    with pytest.raises(ValueError, match="word07 cannot be turned") as caught:
        _run(engine(), fail_at="word07")
    note = next(note for note in caught.value.__notes__ if "of shard" in note)
    log_path = Path(note.rpartition("log: ")[2])
    assert "word07 cannot be turned" in log_path.read_text()
    done = {word for word in calls() if word != "word07"}
    assert len(list(WORK_DIR.iterdir())) == 1
    shutil.rmtree("calls")
    assert _run(engine()) == TURNED
    assert not done & set(calls())
    assert list(WORK_DIR.iterdir()) == []


def test_a_killed_worker_ends_the_stage(own_folder: Path) -> None:
    """It does not wait for ever for what nobody does."""
    with pytest.raises(EngineError, match=r"a worker process was killed.*engine\.workers"):
        _run(engine(), die_at="word07")
    assert _run(engine()) == TURNED


def test_workers_of_other_code_are_refused(own_folder: Path) -> None:
    """Their results would be remembered as those of this code."""
    with pytest.raises(EngineError, match=r"worker's code, packages or processor differ.*turn"):
        _run(engine(), each_its_own=True)
    assert calls() == []


def _spooled(folder: Path) -> Job:
    """All words as shards, whose first one is done."""
    work = turning()
    spool = Spool(folder, engine())
    for word in WORDS:
        spool.add(work.worker().key(word), word.encode())
    spool.flush()
    job = Job(work, "turn", str(folder), tuple(spool.counts))
    from groundwork.engine.pipeline import work_shard
    from groundwork.engine.spool import write_job

    write_job(folder, job)
    work_shard(folder, 0)
    return job


def test_success_that_executors_report_is_not_believed(own_folder: Path) -> None:
    """A shard that was not done, or not whole, is named with its log."""
    job = _spooled(own_folder)
    with pytest.raises(
        EngineError, match=r"input/00001\.parquet: 0 of 5 records.*logs/task_00001\.log"
    ):
        check_done(own_folder, job)
    for number in range(1, len(job.counts)):
        done_path(own_folder, number).write_text('{"records": 5}')
    with pytest.raises(EngineError, match=r"00001\.parquet: 5 of 5 results are not in the store"):
        check_done(own_folder, job)
    done_path(own_folder, 2).write_text('{"records": 4}')
    done_path(own_folder, 1).unlink()
    with pytest.raises(EngineError, match="0 of 5"):
        check_done(own_folder, job)


def test_shards_are_bounded(own_folder: Path) -> None:
    """By records and by bytes; none is lost between them, and few are held."""
    spool = Spool(own_folder, engine())
    sizes = [10] * 12 + [900] * 3 + [2000]
    for number, size in enumerate(sizes):
        spool.add(f"{number:03d}", b"x" * size)
    assert [item.key for item in spool] == [f"{number:03d}" for number in range(len(sizes))]
    spool.flush()
    assert spool.counts == [5, 5, 3, 1, 1, 1]
    assert sum(spool.counts) == spool.total == len(sizes)
    assert [len(read_shard(own_folder, n)) for n in range(6)] == spool.counts
    many = Spool(own_folder / "many", replace(engine(), shard_records=100, shard_bytes=10**6))
    for number in range(3000):
        many.add(f"{number:064d}", b"")
    assert (many.counts[0], max(many.counts)) == (16, 100), "the first are small, for few records"


def test_folders_that_a_kill_left_are_removed(own_folder: Path) -> None:
    """Not one that a living process holds."""
    for name in ("left", "held"):
        (WORK_DIR / name).mkdir(parents=True)
        (WORK_DIR / name / "lock").touch()
    with (WORK_DIR / "held/lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with work_folder("turn") as folder:
            assert sorted(path.name for path in WORK_DIR.iterdir()) == sorted(["held", folder.name])
    assert [path.name for path in WORK_DIR.iterdir()] == ["held"]


def test_a_copy_that_dvc_runs_uses_the_checkouts_store(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers find it, too, and paths are relative to the copy."""
    copy = own_folder / ".dvc/tmp/exps/tmpabc"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    assert _run(engine()) == TURNED
    assert (own_folder / ".cache/groundwork/turn").is_dir()
    assert (copy / "calls").is_dir()
    assert not (own_folder / "calls").exists()


def test_spooled_records_are_where_messages_say(own_folder: Path) -> None:
    """The path in an error can be opened."""
    _spooled(own_folder)
    assert input_path(own_folder, 0).exists()

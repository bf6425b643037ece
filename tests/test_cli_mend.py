"""`groundwork mend`: what a killed `dvc` left half written lets the next one pass."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from groundwork import cli
from groundwork.command import mend

PIPELINE = "stages:\n  copy:\n    cmd: cp a b\n    deps: [a]\n    outs: [b]\n"


def _run(folder: Path, *command: str) -> int:
    who = {f"GIT_{role}_{key}": "t@example.org"
           for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}  # fmt: skip
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, **who, "PATH": path, "DVC_SITE_CACHE_DIR": str(folder / ".site")}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False).returncode


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which one stage was run, with the lock committed."""
    folder = tmp_path_factory.mktemp("repository")
    (folder / "a").write_text("cats")
    (folder / "dvc.yaml").write_text(PIPELINE)
    for command in ("git init -q .", "dvc init -q", "dvc repro", "git add -A", "git commit -qm a"):
        assert _run(folder, *command.split()) == 0, command
    return folder


@pytest.fixture
def checkout(repository: Path) -> Path:
    """The same, as it was."""
    lock_path, rwlock_path = repository / "dvc.lock", repository / mend.RWLOCK_PATH
    (repository / "b").write_text("cats")
    _run(repository, "git", "checkout", "HEAD", "dvc.lock")
    rwlock_path.write_text('{"write": {}}')
    assert lock_path.exists()
    return repository


def _hold(checkout: Path, pid: int, *, kind: str = "write") -> None:
    holder = {"pid": pid, "cmd": "dvc repro"}
    held = {"/a": holder if kind == "write" else [holder]}
    (checkout / mend.RWLOCK_PATH).write_text(json.dumps({kind: held}))


@pytest.mark.slow
def test_dvc_goes_on_after_the_mend(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With either file cut short it refuses; mended, it runs what it no longer knows."""
    monkeypatch.chdir(checkout)
    lock = (checkout / "dvc.lock").read_text()
    for name, text in ((mend.RWLOCK_PATH, ""), (mend.LOCK_NAME, lock[:20])):
        (checkout / "b").unlink()
        (checkout / name).write_text(text)
        assert _run(checkout, "dvc", "repro") != 0
        assert cli.main(["mend"]) == 0
        assert str(name) in capsys.readouterr().out
        assert _run(checkout, "dvc", "repro") == 0
        assert (checkout / "b").read_text() == "cats"
        assert (checkout / "dvc.lock").read_text() == lock
    assert cli.main(["mend"]) == 0
    assert capsys.readouterr().out == ""


def test_a_lock_cut_anywhere_is_one_that_dvc_reads(checkout: Path) -> None:
    """Restored from git; where git has none that is whole, deleted. A whole one stays."""
    path = checkout / "dvc.lock"
    whole = path.read_bytes()
    assert mend.mend(checkout) == ""
    damaged = [cut for cut in range(0, len(whole), 7) if _is_damaged(checkout, whole[:cut])]
    assert len(damaged) > 5
    path.write_bytes(whole[: damaged[0]])
    assert "restored from git" in mend.mend(checkout)
    assert path.read_bytes() == whole
    (checkout / ".git").rename(checkout / "git")
    path.write_bytes(whole[: damaged[0]])
    assert "deleted" in mend.mend(checkout)
    assert not path.exists()
    (checkout / "git").rename(checkout / ".git")


def test_a_damaged_lock_that_was_committed_is_not_restored(checkout: Path) -> None:
    """It would be as useless as the one in its place."""
    path = checkout / "dvc.lock"
    path.write_bytes(path.read_bytes()[:20])
    assert _run(checkout, "git", "commit", "-qam", "cut") == 0
    try:
        assert "deleted" in mend.mend(checkout)
        assert not path.exists()
    finally:
        assert _run(checkout, "git", "reset", "-q", "--hard", "HEAD~1") == 0


def _is_damaged(checkout: Path, content: bytes) -> bool:
    (checkout / "dvc.lock").write_bytes(content)
    return bool(mend.lock_fault(checkout))


@pytest.mark.parametrize("text", ["", '{"write": {"/a', "[1]", '{"write": {"/a": {"cmd": "x"}}}'])
def test_a_damaged_rwlock_is_deleted(checkout: Path, text: str) -> None:
    """Empty, cut short, of another shape, without a number."""
    (checkout / mend.RWLOCK_PATH).write_text(text)
    assert mend.mend(checkout) == ".dvc/tmp/rwlock is damaged: deleted"
    assert not (checkout / mend.RWLOCK_PATH).exists()


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_dvc_that_runs_keeps_its_rwlock(checkout: Path, kind: str) -> None:
    """And one that is gone is none of our business: DVC passes over it."""
    _hold(checkout, os.getpid(), kind=kind)
    assert mend.mend(checkout) == ""
    assert mend.running(checkout) == os.getpid()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    _hold(checkout, gone.pid, kind=kind)
    assert mend.mend(checkout) == ""
    assert mend.running(checkout) is None


def test_a_stranger_with_an_old_number_holds_nothing(checkout: Path) -> None:
    """The file is older than the process: after a restart numbers begin anew."""
    _hold(checkout, os.getpid())
    before = time.time() - 10**6
    os.utime(checkout / mend.RWLOCK_PATH, (before, before))
    assert "younger" in mend.mend(checkout)
    assert not (checkout / mend.RWLOCK_PATH).exists()


def test_what_is_being_written_is_left_alone(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is whole a moment later was not damaged."""
    path = checkout / mend.RWLOCK_PATH
    path.write_text("")
    monkeypatch.setattr(mend.time, "sleep", lambda _: path.write_text("{}"))
    assert mend.mend(checkout) == ""
    assert path.exists()

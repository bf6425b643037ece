"""`groundwork mend`: puts right what a killed `dvc` leaves behind, without a question.

DVC rewrites `dvc.lock` and `.dvc/tmp/rwlock` in place, so that a kill may cut them short, and every
later `dvc` refuses them. Nothing is lost by the mend: stages that the lock no longer knows are
taken from DVC's cache or run again.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from groundwork.artifacts import write_bytes

LOCK_NAME = "dvc.lock"
RWLOCK_PATH = Path(".dvc/tmp/rwlock")
WRITING_S = 0.5
"""A file that still reads the same is not being written by a `dvc` that runs."""
CLOCK_S = 2.0
"""By which the times of processes and files may differ."""


def mend(root: Path) -> str:
    """Mend the checkout at `root`; says what was done, which is nothing where nothing was wrong."""
    done = []
    if fault := _lasting(rwlock_fault, root):
        (root / RWLOCK_PATH).unlink()
        done.append(f"{RWLOCK_PATH} {fault}: deleted")
    if fault := _lasting(lock_fault, root):
        committed = _committed_lock(root)
        if committed is None:
            (root / LOCK_NAME).unlink()
        else:
            write_bytes(root / LOCK_NAME, committed)
        way = "deleted" if committed is None else "restored from git"
        done.append(f"{LOCK_NAME} {fault}: {way}; `dvc repro` makes it anew")
    return "\n".join(done)


def _lasting(fault: Any, root: Path) -> str:
    """What is wrong with a file, and still is a moment later."""
    if not fault(root):
        return ""
    time.sleep(WRITING_S)
    return str(fault(root))


def lock_fault(root: Path) -> str:
    """Why DVC would refuse `dvc.lock`; empty when it would not."""
    path = root / LOCK_NAME
    return _fault_of_lock(path.read_bytes()) if path.exists() else ""


def _fault_of_lock(content: bytes) -> str:
    from dvc.exceptions import DvcException
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from dvc.utils.serialize import parse_yaml
    from voluptuous import Invalid

    try:
        COMPILED_LOCKFILE_SCHEMA(parse_yaml(content.decode(), LOCK_NAME))
    except (DvcException, Invalid, ValueError) as error:
        return f"is damaged ({type(error).__name__})"
    return ""


def _committed_lock(root: Path) -> bytes | None:
    """`dvc.lock` of the last commit, where there is one that is whole."""
    command = ["git", "show", f"HEAD:./{LOCK_NAME}"]
    shown = subprocess.run(command, cwd=root, capture_output=True, check=False)
    return None if shown.returncode or _fault_of_lock(shown.stdout) else shown.stdout


def rwlock_fault(root: Path) -> str:
    """Why DVC's lock of files would stop every later `dvc`; empty when it would not.

    DVC itself passes over processes that are gone, but takes a new one with an old number for the
    holder: so it is in containers, whose numbers begin anew.
    """
    path = root / RWLOCK_PATH
    if not path.exists():
        return ""
    try:
        pids = sorted(set(_holders(json.loads(path.read_text(encoding="utf-8")))))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "is damaged"
    written_at = path.stat().st_mtime
    alive = [pid for pid in pids if psutil.pid_exists(pid)]
    if any(_began_at(pid) <= written_at + CLOCK_S for pid in alive):
        return ""
    return f"is held by process {alive[0]}, which is younger than it" if alive else ""


def running(root: Path) -> int | None:
    """Number of a `dvc` that works here now."""
    path = root / RWLOCK_PATH
    if rwlock_fault(root) or not path.exists():
        return None
    pids = _holders(json.loads(path.read_text(encoding="utf-8")))
    return min((pid for pid in pids if psutil.pid_exists(pid)), default=None)


def _began_at(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return float("inf")


def _holders(locks: dict[str, Any]) -> Iterator[int]:
    """Numbers in `{"write": {path: {"pid": …}}, "read": {path: [{"pid": …}]}}`."""
    for holder in locks.get("write", {}).values():
        yield int(holder["pid"])
    for holders in locks.get("read", {}).values():
        for holder in holders:
            yield int(holder["pid"])

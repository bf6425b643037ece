"""A stage's run, written to MLflow by a process of its own.

Importing MLflow and opening its store takes longer than many a stage whose work is remembered, so
it happens beside the work, once for the stages that follow each other: a stage tells the process
what to write, one JSON object a line, and hears at the end that all is written. The process then
waits `LINGER_S` for the next stage of the checkout. A stage that is killed closes the connection,
and its run ends FAILED.
"""

import hashlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from groundwork.artifacts import project_root, sha256_file
from groundwork.errors import TrackingError
from groundwork.tracking import (
    OUTPUT_TAG,
    SQLITE,
    Opening,
    Run,
    check_numbers,
    client,
    describe,
    open_run,
    stage_run,
    tracking_uri,
)

SOURCE_DIR = Path(__file__).resolve().parents[1]
LINGER_S = 5.0
"""How long the process waits for a next stage: `dvc` starts one a second or two after another."""
ANSWER_S = 1.0
"""How long a stage waits for the first word of a process that says it is free."""


class Scribe:
    """Another process that writes a run; what it is told takes effect in that order.

    Raises: `TrackingError` from any method once the process could not do what it was told.
    """

    def __init__(self) -> None:
        self._connection = _waiting() or _started()
        self._answers = self._connection.makefile("r", encoding="utf-8")

    def open(self, opening: Opening) -> None:
        """Begin the run."""
        self._tell("open", **asdict(opening))

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Log numbers under their names; NaN is an error, never silently kept."""
        self.log_series([{"step": step, **metrics}])

    def log_series(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Log rows that each hold `step` and numbers."""
        check_numbers(rows)
        self._tell("log_series", rows=[dict(row) for row in rows])

    def set_output(self, manifest_path: Path) -> None:
        """Tie the run to the artifact that it wrote, by the manifest's sha256."""
        self._tell("set_tag", key=OUTPUT_TAG, value=sha256_file(manifest_path))

    def end(self, status: str) -> None:
        """Close the run as `FINISHED` or `FAILED` and wait until all is written."""
        self._tell("end", status=status)
        answer = self._hear()
        if answer != "written":
            raise _failure(answer)
        self._close()

    def _tell(self, what: str, **details: Any) -> None:
        try:
            self._connection.sendall(f"{json.dumps({'what': what, **details})}\n".encode())
        except OSError as error:
            raise _failure(self._hear()) from error

    def _hear(self) -> str:
        with suppress(OSError):
            if line := self._answers.readline():
                return str(json.loads(line))
        return "its process ended without a word"

    def _close(self) -> None:
        self._answers.close()
        self._connection.close()


def _failure(words: str) -> TrackingError:
    return TrackingError(
        f"{tracking_uri()}: MLflow did not take the run ({words}); expected a store that can be "
        "written; check MLFLOW_TRACKING_URI"
    )


@contextmanager
def scribed_run(stage: str, *, inputs: Sequence[Path]) -> Iterator[Scribe | Run]:
    """As `tracking.stage_run`, beside the work of the stage; here where MLflow is at hand."""
    if "mlflow" in sys.modules:
        with stage_run(stage, inputs=inputs) as run:
            yield run
        return
    scribe = Scribe()
    scribe.open(describe(stage, inputs))
    started = time.monotonic()
    try:
        yield scribe
    except BaseException:  # whatever ends the stage ends its run; raised again
        with suppress(TrackingError):  # the stage's own error is the one to show
            scribe.end("FAILED")
        raise
    scribe.log_metrics({"stage_seconds": time.monotonic() - started})
    scribe.end("FINISHED")


def _address() -> Path:
    """Where a free process of this checkout, code and these settings waits."""
    texts = [Path(__file__).read_text(), (SOURCE_DIR / "groundwork/tracking.py").read_text()]
    settings = sorted(f"{k}={v}" for k, v in os.environ.items() if k.startswith("MLFLOW"))
    known = [str(Path.cwd()), sys.executable, *settings, *texts]
    key = hashlib.sha256("\0".join(known).encode()).hexdigest()[:12]
    return project_root() / ".cache" / "groundwork" / f"scribe-{key}"


def _waiting() -> socket.socket | None:
    """A connection to a process that the stage before left waiting; None without one."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(ANSWER_S)
    try:
        connection.connect(str(_address()))
        free = connection.recv(1) == b"\n"
    except OSError:
        free = False
    if not free:
        connection.close()
        return None
    connection.settimeout(None)
    return connection


def _started() -> socket.socket:
    """A connection to a new process, which reads it as its standard input."""
    here, there = socket.socketpair()
    paths = [str(SOURCE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
    with there:
        os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "groundwork.scribe"],
            {**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            file_actions=[(os.POSIX_SPAWN_DUP2, there.fileno(), 0)],
        )
    return here


def main() -> None:
    """Write the run that stdin tells of, then those of the stages that follow."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the stage says how its run ends
    address = _address()  # before MLflow's client adds settings of its own
    connection: socket.socket | None = socket.socket(fileno=os.dup(0))
    while connection and _serve(connection):
        connection.close()
        connection = _next(address)


def _serve(connection: socket.socket) -> bool:
    """Write one run; False when it could not be written, or its stage fell silent."""
    what, run = "", None
    try:
        client()  # imports MLflow while the stage is still finding out what to say
        with connection.makefile("r", encoding="utf-8") as lines:
            for line in lines:
                details = json.loads(line)
                what = details.pop("what")
                if run is None:
                    run = open_run(Opening(**details))
                else:
                    _write(run, what, details)
                if what == "end":
                    connection.sendall(b'"written"\n')
                    return True
        if run is not None:
            run.end("FAILED")
    except Exception as error:  # the boundary of a request: the stage is told, and fails
        with suppress(OSError):
            connection.sendall(f"{json.dumps(f'{type(error).__name__}: {error}')}\n".encode())
    return False


def _write(run: Run, what: str, details: Mapping[str, Any]) -> None:
    """Do with `run` what a line says."""
    match what:
        case "log_series":
            run.log_series(details["rows"])
        case "set_tag":
            run.set_tag(details["key"], details["value"])
        case "end":
            run.end(details["status"])


def _next(address: Path) -> socket.socket | None:
    """The connection of the next stage; None when none comes, or the store is another by then."""
    _fall_silent()
    store = _store()
    own = address.with_name(f"{address.name}.{os.getpid()}")
    address.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(own))
            listener.listen(1)
            listener.settimeout(LINGER_S)
            own.replace(address)
            connection, _ = listener.accept()
        except OSError:  # no stage came; or the path has more than the 107 bytes of an address
            return None
        finally:
            own.unlink(missing_ok=True)
            address.unlink(missing_ok=True)  # one stage at a time: the next starts its own
    if _store() != store:
        connection.close()
        return None
    connection.settimeout(None)
    connection.sendall(b"\n")
    return connection


def _fall_silent() -> None:
    """Let go of the output of the stage that is over: who reads it waits for its end."""
    with open(os.devnull, "r+b") as nothing:
        for number in (0, 1, 2):
            os.dup2(nothing.fileno(), number)


def _store() -> int:
    """Tells the SQLite file from one that took its place; 0 for a server."""
    uri = tracking_uri()
    path = Path(uri.removeprefix(SQLITE))
    return path.stat().st_ino if uri.startswith(SQLITE) and path.exists() else 0


if __name__ == "__main__":
    main()

"""A stage's run, written to MLflow by a process of its own.

Importing MLflow and opening its store takes longer than many a stage whose work is remembered, so
it happens beside the work: the stage tells the other process what to write, one JSON object a line,
and waits for it at the end alone. A stage that is killed closes the pipe, and its run ends FAILED.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from groundwork.artifacts import sha256_file
from groundwork.errors import TrackingError
from groundwork.tracking import (
    OUTPUT_TAG,
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


class Scribe:
    """Another process that writes a run; what it is told takes effect in that order.

    Raises: `TrackingError` from any method once the process could not do what it was told.
    """

    def __init__(self) -> None:
        paths = [str(SOURCE_DIR), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "groundwork.scribe"],
            stdin=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )

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
        assert self._process.stdin
        self._process.stdin.close()
        if self._process.wait():
            raise self._failure()

    def _tell(self, what: str, **details: Any) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"what": what, **details}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            self._process.wait()
            raise self._failure() from error

    def _failure(self) -> TrackingError:
        return TrackingError(
            f"{tracking_uri()}: MLflow did not take the run (its own words stand above); expected "
            "a store that can be written; check MLFLOW_TRACKING_URI"
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


def write(run: Run, what: str, details: Mapping[str, Any]) -> None:
    """Do with `run` what a line says."""
    match what:
        case "log_series":
            run.log_series(details["rows"])
        case "set_tag":
            run.set_tag(details["key"], details["value"])
        case "end":
            run.end(details["status"])


def main() -> None:
    """Write what the lines on stdin say; a stage that falls silent has failed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the stage says how its run ends
    client()  # imports MLflow while the stage is still finding out what to say
    what, run = "", None
    for line in sys.stdin:
        details = json.loads(line)
        what = details.pop("what")
        if run is None:
            run = open_run(Opening(**details))
        else:
            write(run, what, details)
    if run is not None and what != "end":
        run.end("FAILED")


if __name__ == "__main__":
    main()

"""One training of a study: the real stage `train`, in a folder of its own, watched at each look.

In: a configuration. Out: how it ended; its run, scores included, is in MLflow. The folder lies
where DVC puts its copies, so that store and checkpoints are those of the checkout.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from groundwork.artifacts import write_text
from groundwork.errors import EngineError
from groundwork.train import GO, PIPES

INPUTS = ("qa", "index", "base")
"""Folders of `artifacts/` that the stage reads."""
Judge = Callable[[int, float], bool]
"""Told of step and validation loss; says whether to go on."""


def train_watched(name: str, params: Mapping[str, Any], *, root: Path, judge: Judge) -> bool:
    """Train as experiment `name`; True when the training came to its end, False when stopped.

    Raises: `EngineError` when it failed.
    """
    with _workspace(name, params, root) as folder:
        tell, hear = os.pipe(), os.pipe()
        process = subprocess.Popen(
            [sys.executable, "-m", "stages.train"],
            cwd=folder,
            stdout=sys.stderr,
            env=_environment(name, tell[1], hear[0]),
            pass_fds=(tell[1], hear[0]),
        )
        os.close(tell[1])
        os.close(hear[0])
        try:
            ended = _watch(tell[0], hear[1], judge)
            code = process.wait()
        finally:
            process.kill()
            process.wait()
    if code and ended:
        raise EngineError(
            f"{name}: the training failed with exit code {code} (its own words stand above)"
        )
    return ended


def _watch(looks: int, word: int, judge: Judge) -> bool:
    """Answer each look; False once the training was told to stop."""
    with (
        os.fdopen(looks, encoding="utf-8") as heard,
        os.fdopen(word, "w", encoding="utf-8") as said,
    ):
        for line in heard:
            look = json.loads(line)
            goes_on = judge(int(look["step"]), float(look["eval_loss"]))
            print(GO if goes_on else "stop", file=said, flush=True)
            if not goes_on:
                return False
    return True


def _environment(name: str, tell: int, hear: int) -> dict[str, str]:
    """`DVC_STAGE` lets the kernel end the stage with this process, see `lifetime`."""
    ours = {"DVC_EXP_NAME": name, "DVC_STAGE": "train", PIPES: f"{tell},{hear}"}
    return {**os.environ, **ours}


@contextmanager
def _workspace(name: str, params: Mapping[str, Any], root: Path) -> Iterator[Path]:
    folder = root / ".dvc" / "tmp" / "exps" / f"sweep-{name}-{os.getpid()}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "artifacts").mkdir(parents=True)
    for place in ("src", "stages", *(f"artifacts/{stage}" for stage in INPUTS)):
        (folder / place).symlink_to(root / place)
    write_text(folder / "params.yaml", yaml.safe_dump(dict(params), sort_keys=False))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""A grid of trainings in DVC's queue.

In: the space of a sweep. Out: experiments `<name>-base` and `<name>-1` and so on, queued.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from groundwork.errors import InputError
from groundwork.sweep.config import Value
from groundwork.sweep.points import Point, Space
from groundwork.tracking import BASE

COMMAND = ("dvc", "exp", "run", "--queue", "--force", "--single-item")
"""Without --force DVC would bring back a training that it knows, and leave no run of it."""


def queue(name: str, space: Space, *, root: Path) -> None:
    """Queue the base and every combination. Raises: `InputError` with DVC's words."""
    _dvc(f"{name}-{BASE}", _settings(space.base), root=root)
    varied = {key for key, _ in space.choices}
    fixed = {key: value for key, value in space.fixed.items() if key not in varied}
    choices = [f"{key}={','.join(map(_text, values))}" for key, values in space.choices]
    alone = all(len(values) == 1 for _, values in space.choices)
    # DVC numbers the experiments of several combinations itself.
    _dvc(f"{name}-1" if alone else name, [*_settings(fixed), *choices], root=root)


def _settings(point: Point) -> list[str]:
    return [f"{key}={_text(value)}" for key, value in point.items()]


def _text(value: Value) -> str:
    """A value in Hydra's grammar."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _dvc(name: str, settings: Sequence[str], *, root: Path) -> None:
    overrides = [word for setting in settings for word in ("--set-param", setting)]
    command = [*COMMAND, "--name", name, *overrides, "train"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise InputError(
            f"{' '.join(command)}: {' '.join(said[-3:])}; expected DVC to queue it: commit your "
            "changes, or choose another --name (`dvc exp list` shows those that are taken)"
        )

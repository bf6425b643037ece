"""A training that another process watches: it is told of each look and says whether to go on.

In: two pipes, named by `GROUNDWORK_WATCH`. A sweep starts the stage in this way (see `sweep`) and
ends trainings that are behind the others; without the variable nobody is asked.
"""

import json
import os
from functools import cache
from typing import Any

from groundwork.errors import EngineError, StoppedError

PIPES = "GROUNDWORK_WATCH"
"""Numbers of two open files: `TELL,HEAR`."""
GO = "go"


@cache
def watch_class() -> Any:
    """A trainer callback that tells of each validation loss and waits for the word."""
    from transformers import TrainerCallback

    class Watch(TrainerCallback):  # type: ignore[misc]
        """Raises `StoppedError` at a look when the watcher says so, `EngineError` when it is gone.

        Only what was stopped is not worth a checkpoint.
        """

        def __init__(self, pipes: str) -> None:
            tell, hear = (int(number) for number in pipes.split(","))
            self._tell = os.fdopen(tell, "w", encoding="utf-8")
            self._hear = os.fdopen(hear, encoding="utf-8")

        def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
            look = {"step": state.global_step, "eval_loss": float(more["metrics"]["eval_loss"])}
            try:
                self._tell.write(json.dumps(look) + "\n")
                self._tell.flush()
                word = self._hear.readline().strip()
            except BrokenPipeError:
                word = ""
            if not word:
                raise EngineError(
                    f"step {state.global_step}: the sweep that watched this training has ended; "
                    "run `groundwork sweep run` again, and it goes on from its last checkpoint"
                )
            if word != GO:
                raise StoppedError(
                    f"stopped by its sweep at step {state.global_step}: its validation loss is "
                    "behind that of the others"
                )

    return Watch


def watchers() -> list[Any]:
    """The callbacks of whoever started this process."""
    pipes = os.environ.get(PIPES)
    return [watch_class()(pipes)] if pipes else []

"""Early stopping: the best look's weights are kept, and too many looks without a better one end it.

What it remembers stands in a file of the work's folder and in the trainer's log, so that a training
that was killed goes on as if it had not been.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

BEST = "best.safetensors"


@dataclass(frozen=True, slots=True)
class Looks:
    """What is looked at, and for how long without a gain."""

    figure: str
    """Name of the figure in the trainer's log."""
    greater: bool
    """Whether more of it is better."""
    patience: int

    def best(self, values: Sequence[float]) -> int:
        """Number of the best look; the first of equal ones."""
        return values.index(max(values) if self.greater else min(values))


def keeper(work_dir: Path, looks: Looks, *, matrices: Callable[[Any], dict[str, Any]]) -> Any:
    """The callback that keeps `matrices` of the model at its best look, in `work_dir`."""
    work_dir.mkdir(parents=True, exist_ok=True)
    return _keeper_class()(work_dir / BEST, looks, matrices)


def adapter_tensors(model: Any) -> dict[str, Any]:
    """The adapter's tensors of PEFT's `model`, in float32 on the processor, sorted by name."""
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model)
    return {name: state[name].detach().float().cpu().contiguous() for name in sorted(state)}


def restore_best(model: Any, work_dir: Path) -> None:
    """Put the tensors of the best look into PEFT's `model`."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(model, load_file(work_dir / BEST))


@cache
def _keeper_class() -> Any:
    from safetensors.torch import save_file
    from transformers import TrainerCallback

    class Keeper(TrainerCallback):  # type: ignore[misc]
        """Keeps the tensors of the best look and stops after `patience` looks without a better."""

        def __init__(
            self, path: Path, looks: Looks, matrices: Callable[[Any], dict[str, Any]]
        ) -> None:
            self._path, self._looks, self._matrices = path, looks, matrices

        def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
            name = self._looks.figure
            values = [entry[name] for entry in state.log_history if name in entry]
            best = self._looks.best(values)
            if best == len(values) - 1:
                if state.is_world_process_zero:
                    partial_path = self._path.with_suffix(".partial")
                    save_file(self._matrices(more["model"]), partial_path)
                    partial_path.replace(self._path)
            elif len(values) - 1 - best >= self._looks.patience:
                control.should_training_stop = True
                control.should_save = False  # from a checkpoint of this step it would train on

    return Keeper

"""Checkpoints without pickle: tensors in safetensors, the rest in JSON, a manifest last.

In: a running trainer. Out: folders `checkpoint-<step>` from which a killed training goes on and
ends with the same bytes. A folder whose manifest is missing or wrong was cut off, and is not used.
"""

import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from groundwork.artifacts import (
    check_manifest,
    project_root,
    read_json,
    sha256_bytes,
    write_json,
    write_manifest,
)
from groundwork.base import device_type
from groundwork.errors import ArtifactError

ADAPTER = "adapter_model.safetensors"
STATE = "state"
"""Name of the optimizer's two files, without what they end with."""
TRAINER = "trainer_state.json"
GENERATORS = "generators"
"""Begins the names of the two files that each process of the training writes for itself."""
BESIDE = "beside."
"""Begins the names of tensors that are trained beside the adapter."""
KEPT = 2
"""Checkpoints on disk: the newest may be cut off by a full disk, the one before is whole."""


def newest_checkpoint(work_dir: Path) -> Path | None:
    """The newest whole checkpoint below `work_dir`."""
    for folder in sorted(work_dir.glob("checkpoint-*"), key=_step, reverse=True):
        try:
            check_manifest(folder)
        except ArtifactError:
            continue
        return folder
    return None


def train_to_end(trainer: Any, work_dir: Path) -> None:
    """Train, going on from the newest whole checkpoint; one of the last step is only loaded.

    transformers 5 would take another step from it when the end is not the end of an epoch.
    """
    from transformers import TrainerState

    found = newest_checkpoint(work_dir)
    if found is None or _step(found) < trainer.args.max_steps:
        trainer.train(resume_from_checkpoint=str(found) if found else None)
        return
    trainer._load_from_checkpoint(str(found))
    trainer.state = TrainerState.load_from_json(str(found / TRAINER))


def checkpoint_dir(stage: str, *, work: Mapping[str, Any], packages: Sequence[str]) -> Path:
    """Where the checkpoints of this very work lie: what `work` says, on this device, with these
    versions of `packages`."""
    versions = {name: version(name) for name in packages}
    described = {**work, "packages": versions, "device": device_type()}
    key = sha256_bytes(json.dumps(described, sort_keys=True).encode())
    return project_root() / ".cache" / "groundwork" / stage / key


def notes_on_checkpoints(work_dir: Path) -> list[str]:
    """What a person should know of the checkpoints in and beside `work_dir`."""
    lines = []
    if found := newest_checkpoint(work_dir):
        lines.append(f"going on from {found.name}")
    others = sorted(p for p in work_dir.parent.glob("*/checkpoint-*") if p.parent != work_dir)
    if others:
        lines.append(
            f"{len(others)} checkpoints below {work_dir.parent} belong to other data, code or "
            "configuration and were ignored"
        )
    return lines


def forget_checkpoints(work_dir: Path) -> None:
    """Remove the checkpoints of work that is done."""
    shutil.rmtree(work_dir, ignore_errors=True)


def _step(folder: Path) -> int:
    digits = folder.name.rpartition("-")[2]
    return int(digits) if digits.isdigit() else -1


def pack(value: Any, tensors: dict[str, Any], path: str = "") -> Any:
    """Replace each tensor of a nested value by its name in `tensors`; the rest becomes JSON."""
    import numpy as np
    import torch

    if isinstance(value, torch.Tensor):
        tensors[path] = value.detach().cpu().clone().contiguous()
        return {"tensor": path}
    if isinstance(value, dict):
        return {"dict": [[key, pack(v, tensors, f"{path}/{key}")] for key, v in value.items()]}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [pack(v, tensors, f"{path}/{i}") for i, v in enumerate(value)]}
    if isinstance(value, np.ndarray):
        return {"array": value.tolist(), "dtype": str(value.dtype)}
    return {"value": value.item() if isinstance(value, np.generic) else value}


def unpack(value: Any, tensors: dict[str, Any]) -> Any:
    """The inverse of `pack`."""
    import numpy as np

    if "tensor" in value:
        return tensors[value["tensor"]]
    if "dict" in value:
        return {key: unpack(v, tensors) for key, v in value["dict"]}
    if "list" in value:
        return [unpack(v, tensors) for v in value["list"]]
    if "tuple" in value:
        return tuple(unpack(v, tensors) for v in value["tuple"])
    if "array" in value:
        return np.array(value["array"], dtype=value["dtype"])
    return value["value"]


def _write_state(folder: Path, name: str, state: Mapping[str, Any]) -> None:
    from safetensors.torch import save_file

    tensors: dict[str, Any] = {}
    write_json(folder / f"{name}.json", pack(state, tensors))
    save_file(tensors, folder / f"{name}.safetensors")


def _read_state(folder: Path, name: str) -> Any:
    from safetensors.torch import load_file

    return unpack(read_json(folder / f"{name}.json"), load_file(folder / f"{name}.safetensors"))


def _put_in_place(partial: Path, step: int, *, processes: int) -> None:
    """Make a whole checkpoint of what was written, and remove those before the last `KEPT`."""
    states = [STATE, *(f"{GENERATORS}-{rank}" for rank in range(processes))]
    files = [f"{name}.{ending}" for name in states for ending in ("json", "safetensors")]
    write_manifest(partial, [ADAPTER, TRAINER, *files])
    folder = partial.with_name(f"checkpoint-{step}")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    for stale in sorted(partial.parent.glob("checkpoint-*"), key=_step)[:-KEPT]:
        shutil.rmtree(stale)


def _generators() -> dict[str, Any]:
    """States of this process."""
    import numpy as np
    import torch

    states = {
        "python": random.getstate(),
        "numpy": np.random.get_state(),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def _restore_generators(states: dict[str, Any]) -> None:
    import numpy as np
    import torch

    random.setstate(states["python"])
    np.random.set_state(states["numpy"])
    torch.set_rng_state(states["torch"])
    if "cuda" in states:
        torch.cuda.set_rng_state_all(states["cuda"])


def without_pickle(
    parent: Any,
    *,
    adapted: Callable[[Any], Any] = lambda model: model,
    beside: Callable[[Any], Mapping[str, Any]] = lambda _: {},
) -> Any:
    """A trainer class with our checkpoints; `adapted` finds PEFT's model in the trainer's.

    `beside` names the tensors that are trained beside the adapter.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict
    from safetensors.torch import load_file, save_file

    class Trainer(parent):  # type: ignore[misc]
        """Writes and reads safetensors and JSON where transformers would pickle.

        The first process writes what all share, each its own generators.
        """

        def _save_checkpoint(self, model: Any, trial: Any) -> None:  # noqa: ARG002
            step, rank = self.state.global_step, self.args.process_index
            partial = Path(self.args.output_dir) / f"partial-{step}"
            partial.mkdir(parents=True, exist_ok=True)
            _write_state(partial, f"{GENERATORS}-{rank}", _generators())
            self.accelerator.wait_for_everyone()
            if rank == 0:
                self._save_shared(partial)
                _put_in_place(partial, step, processes=self.args.world_size)
            self.accelerator.wait_for_everyone()

        def _save_shared(self, folder: Path) -> None:
            weights = get_peft_model_state_dict(adapted(self.model))
            others = {BESIDE + name: value.data for name, value in beside(self.model).items()}
            save_file(weights | others, folder / ADAPTER)
            state = {
                "optimizer": self.optimizer.state_dict(),
                "scheduler": self.lr_scheduler.state_dict(),
            }
            _write_state(folder, STATE, state)
            self.state.save_to_json(str(folder / TRAINER))

        def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
            weights = load_file(Path(resume_from_checkpoint) / ADAPTER)
            for name, value in beside(model or self.model).items():
                value.data.copy_(weights.pop(BESIDE + name))
            set_peft_model_state_dict(adapted(model or self.model), weights)

        def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
            if checkpoint is not None:
                state = _read_state(Path(checkpoint), STATE)
                self.optimizer.load_state_dict(state["optimizer"])
                self.lr_scheduler.load_state_dict(state["scheduler"])

        def _load_rng_state(self, checkpoint: str | None) -> None:
            if checkpoint is not None:
                name = f"{GENERATORS}-{self.args.process_index}"
                _restore_generators(_read_state(Path(checkpoint), name))

    return Trainer

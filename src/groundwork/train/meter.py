"""Watches a training: a progress bar, and the numbers that depend on the clock or the machine."""

import resource
import time
from functools import cache
from typing import Any

from tqdm import tqdm


def peak_memory_mb() -> float:
    """Most memory that this process has held, on the GPU when there is one."""
    import torch

    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@cache
def meter_class() -> Any:
    """A trainer callback that shows progress and fills `rows`."""
    from transformers import TrainerCallback

    class Meter(TrainerCallback):  # type: ignore[misc]
        """`rows` hold `step`, `tokens_per_s` since the row before, and `peak_memory_mb`."""

        def __init__(self, label: str) -> None:
            self._label = label
            self.rows: list[dict[str, float]] = []
            self._bar: Any = None
            self._since = (time.monotonic(), 0.0)

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
            self._bar = tqdm(
                total=state.max_steps,
                initial=state.global_step,
                desc=self._label,
                unit="step",
                disable=not state.is_world_process_zero,
            )
            self._since = (time.monotonic(), 0.0)

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
            self._bar.update(state.global_step - self._bar.n)

        def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
            logs: dict[str, float] = more["logs"]
            if "loss" not in logs:
                return
            if "num_tokens" not in logs:  # sentence-transformers does not count them
                self._bar.set_postfix(loss=f"{logs['loss']:.3f}")
                return
            now, tokens = time.monotonic(), logs["num_tokens"]
            speed = (tokens - self._since[1]) / max(1e-9, now - self._since[0])
            self._since = (now, tokens)
            self._bar.set_postfix(loss=f"{logs['loss']:.3f}", tokens_per_s=f"{speed:.0f}")
            self.rows.append(
                {
                    "step": state.global_step,
                    "tokens_per_s": speed,
                    "peak_memory_mb": peak_memory_mb(),
                }
            )

        def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
            self._bar.close()

    return Meter

"""`groundwork doctor --model NAME`: what a training with that model needs, before it is started.

In: `conf/` composed with that model, this machine. Out: memory by part, time, whether it fits, and
what to change where it does not. Nothing is downloaded and nothing is written.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from groundwork.base import BaseConfig, device_type, model_shape
from groundwork.config import ModelConfig, ShapeConfig, check, compose
from groundwork.errors import ConfigError

if TYPE_CHECKING:
    from groundwork.train import Memory, Plan, Rates, TrainConfig

MIB = 2**20
RESERVE = 0.95
"""Share of the free memory that a training may take."""
PARTS = {
    "process": "process, libraries",
    "weights": "base model, blocks in 4-bit",
    "adapters": "adapters",
    "gradients": "gradients",
    "optimizer": "optimizer state",
    "activations": "activations",
    "logits": "scores of the vocabulary",
    "cache": "keys and values of an answer",
}


@dataclass(frozen=True, slots=True)
class Plans:
    """The configuration that would be trained."""

    model: ModelConfig
    train: "TrainConfig"
    shape: ShapeConfig
    device: str


def forecast(name: str, *, root: Path, as_json: bool) -> str:
    """Memory, time and verdict for the model of `conf/model/<name>.yaml`.

    Raises: `ConfigError` for a name that is not there.
    """
    from groundwork.train import estimate_memory, make_plan, measure_rates

    plans = read_plans(name, root)
    memory = estimate_memory(
        plans.shape, plans.train, max_length=plans.model.max_length, device=plans.device
    )
    rates = measure_rates(plans.shape, plans.train, max_length=plans.model.max_length)
    pairs = _count_pairs(root, plans.train)
    plan = make_plan(plans.train, pairs=pairs)
    seconds = training_seconds(plans, plan, rates)
    if as_json:
        free = available(plans.device)
        found = {"memory": {**asdict(memory), "peak": memory.peak}, "available": free}
        return json.dumps(
            {**found, "pairs": pairs, "steps": plan.steps, "seconds": seconds}, indent=2
        )
    lines = [*_heading(plans), *_memory_lines(memory), "", *_time_lines(plan, pairs, seconds)]
    return "\n".join([*lines, "", *_verdict(plans, memory)])


def read_plans(name: str, root: Path) -> Plans:
    """The sections of `conf/` with that model, checked."""
    from groundwork.train import TrainConfig

    folder = root / "conf" / "model"
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in names:
        raise ConfigError(f"--model {name}: expected one of {', '.join(names)} (files in {folder})")
    params = yaml.safe_load(compose([f"model={name}"], root / "conf"))
    where = Path("conf")
    model = check("model", ModelConfig, params["model"], where)
    base = check("base", BaseConfig, params["base"], where)
    train = check("train", TrainConfig, params["train"], where)
    return Plans(model, train, model_shape(model, base), device_type())


def training_seconds(plans: Plans, plan: "Plan", rates: "Rates") -> float:
    """Of all steps and all looks at the validation pairs; a look is a third of a step's work."""
    config = plans.train
    step = config.gradient_accumulation * rates.pass_s(plans.shape)
    looks = plan.steps // config.eval_steps + 2  # perplexity before and after
    look = config.eval_pairs / config.batch_size * rates.pass_s(plans.shape) / 3
    return plan.steps * step + looks * look


def available(device: str) -> float:
    """Bytes that are free on the card, or on the machine without one."""
    import psutil
    import torch

    if device == "cuda":
        return float(torch.cuda.mem_get_info()[0])
    return float(psutil.virtual_memory().available)


def _count_pairs(root: Path, config: "TrainConfig") -> int:
    """Training pairs of the last `qa`; 0 when there is none."""
    path = root / "artifacts" / "qa" / "train.jsonl"
    if not path.exists():
        return 0
    with path.open(encoding="utf-8") as stream:
        return round(sum(1 for line in stream if line.strip()) * (1 + config.refusals))


def _heading(plans: Plans) -> list[str]:
    from groundwork.train import count_parameters

    total = sum(count_parameters(plans.shape))
    config = plans.train
    kept = "recomputed" if config.gradient_checkpointing else "kept"
    return [
        f"{plans.model.name}: {total / 1e6:,.1f} million parameters, on the "
        f"{'GPU' if plans.device == 'cuda' else 'processor'}",
        f"rank {config.lora.rank}, batches of {config.batch_size} x {plans.model.max_length} "
        f"tokens, activations {kept}, {config.optimizer}",
        "",
    ]


def _memory_lines(memory: "Memory") -> list[str]:
    lines = [f"{PARTS[n]:<30}{v / MIB:>9,.0f} MiB" for n, v in asdict(memory).items()]
    return [*lines, f"{'peak':<30}{memory.peak / MIB:>9,.0f} MiB"]


def _time_lines(plan: "Plan", pairs: int, seconds: float) -> list[str]:
    if not pairs:
        return ["time: no questions yet (run stage `qa`)"]
    told = f"{seconds / 60:,.0f} min" if seconds >= 120 else f"{seconds:,.0f} s"
    return [
        f"{plan.steps} steps on {pairs} pairs: at most {told}, if every prompt fills its room; "
        "measured on one layer just now"
    ]


def _verdict(plans: Plans, memory: "Memory") -> list[str]:
    """Whether it fits; if not, the fewest changes with which it does."""
    from groundwork.train import changes

    free = RESERVE * available(plans.device)
    where = f"{free / MIB:,.0f} MiB of free memory may be taken"
    if memory.peak <= free:
        return [f"it fits: {where}"]
    last = None
    for last in changes(
        plans.shape, plans.train, max_length=plans.model.max_length, device=plans.device
    ):
        if last.peak <= free:
            told = " ".join(last.overrides)
            return [
                f"it does not fit: {where}; it would ({last.peak / MIB:,.0f} MiB) with",
                f"-> groundwork compose model={plans.model.name} {told}",
            ]
    least = f" ({last.peak / MIB:,.0f} MiB at least)" if last else ""
    return [f"it does not fit, whatever is changed{least}: {where}", "-> take a smaller model"]

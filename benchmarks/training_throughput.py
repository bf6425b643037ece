"""Tokens per second of our training against a bare TRL script of the same settings, in one run.

    python benchmarks/training_throughput.py [rounds]

Both train the embedded model of artifacts/base in 4-bit on the same prompts with the same SFT and
LoRA settings, in turns, in this process; what is ours in one is left out of the other: checkpoints
without pickle, the meter, adapters in float32. Needs artifacts/base and artifacts/clean.
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from estimate import BASE, ROOT, make_pairs

from groundwork.base import compute_dtype, device_type, keep_packing, quantization, reproducible
from groundwork.command.forecast import read_plans
from groundwork.train import Prepared, TrainConfig, tune

STEPS = 12
ROUNDS = 3


def ours(pairs: Prepared, config: TrainConfig) -> float:
    """Tokens per second of `tune`, between its first logged step and its last."""
    with tempfile.TemporaryDirectory() as work:
        tuned = tune(
            BASE,
            train=pairs,
            validation=Prepared((), ()),
            config=config,
            work_dir=Path(work) / "key",
        )
    rows = [row["tokens_per_s"] for row in tuned.speed[1:]]
    return len(rows) / sum(1 / rate for rate in rows)


def bare(pairs: Prepared, config: TrainConfig) -> float:
    """The same of TRL's own trainer, as its documentation has it."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    class Clock(TrainerCallback):  # type: ignore[misc]
        """Times and tokens at the logged steps."""

        def __init__(self) -> None:
            self.rows: list[tuple[float, float]] = []

        def on_log(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ARG002
            if "loss" in more["logs"]:
                self.rows.append((time.monotonic(), more["logs"]["num_tokens"]))

    with tempfile.TemporaryDirectory() as work, reproducible(seed=13, threads=config.threads):
        model = AutoModelForCausalLM.from_pretrained(
            str(BASE / "model"),
            quantization_config=quantization(),
            dtype=compute_dtype(),
            device_map={"": device_type()},
        )
        keep_packing(model)
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                output_dir=work,
                max_length=448,
                completion_only_loss=True,
                per_device_train_batch_size=config.batch_size,
                gradient_accumulation_steps=config.gradient_accumulation,
                max_steps=STEPS,
                learning_rate=config.learning_rate,
                lr_scheduler_type=config.scheduler,
                activation_checkpointing=config.gradient_checkpointing,
                logging_steps=config.logging_steps,
                save_strategy="no",
                use_cpu=device_type() == "cpu",
                bf16=False,
                disable_tqdm=True,
                report_to="none",
            ),
            processing_class=AutoTokenizer.from_pretrained(str(BASE / "model")),
            train_dataset=Dataset.from_list(
                [{"prompt": p.prompt, "completion": p.completion} for p in pairs.pairs]
            ),
            peft_config=LoraConfig(
                r=config.lora.rank,
                lora_alpha=config.lora.alpha,
                lora_dropout=config.lora.dropout,
                target_modules=config.lora.target_modules,
                task_type="CAUSAL_LM",
            ),
        )
        clock = Clock()
        trainer.add_callback(clock)
        trainer.train()
    (start, before), (end, after) = clock.rows[0], clock.rows[-1]
    return (after - before) / (end - start)


def main(rounds: int) -> None:
    """Print each round and the ratio of the best of each."""
    config = replace(
        read_plans("embedded", ROOT).train,
        max_steps=STEPS, epochs=100, eval_pairs=0, logging_steps=2, save_steps=1000,
    )  # fmt: skip
    pairs = make_pairs(BASE / "model", max_length=448, count=16)
    found: list[tuple[float, float]] = []
    for number in range(rounds):
        first = number % 2 == 0  # each goes first in turn
        one = ours(pairs, config) if first else 0.0
        other = bare(pairs, config)
        found.append((one or ours(pairs, config), other))
        print(f"round {number + 1}: ours {found[-1][0]:.0f}, bare TRL {other:.0f} tokens/s")
    best = [max(column) for column in zip(*found, strict=True)]
    print(f"best of {rounds}: {best[0]:.0f} and {best[1]:.0f}, ratio {best[0] / best[1]:.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)

"""What `groundwork doctor --model` says beforehand against what a training then takes.

    python benchmarks/estimate.py [embedded|random ...]

Trains the embedded model of artifacts/base and a Llama of 75 million random weights in 4-bit for a
few steps on full prompts, each in a process of its own, and prints estimated and measured peak
memory and seconds a step. Needs artifacts/base and artifacts/clean.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from groundwork.artifacts import read_json, read_parquet, write_manifest
from groundwork.base import describe, open_tokenizer, read_shape, write_info
from groundwork.command.forecast import read_plans
from groundwork.config import ModelConfig
from groundwork.records import Document
from groundwork.train import (
    Prepared,
    TrainConfig,
    TrainingPair,
    estimate_memory,
    measure_rates,
    tune,
)

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / "artifacts" / "base"
STEPS = 4
RANDOM = {
    "vocab_size": 16384,
    "hidden_size": 768,
    "intermediate_size": 2048,
    "num_hidden_layers": 8,
    "num_attention_heads": 12,
    "num_key_value_heads": 4,
}


def make_pairs(folder: Path, *, max_length: int, count: int) -> Prepared:
    """Prompts of the documents' text that fill `max_length` tokens to the last few."""
    tokenizer, _ = open_tokenizer(folder)
    documents = read_parquet(ROOT / "artifacts" / "clean" / "documents.parquet", Document)
    text = " ".join(document.text for document in documents)
    ids = tokenizer.encode(text[: 20 * max_length * count], add_special_tokens=False)
    answer = [{"role": "assistant", "content": tokenizer.decode(ids[:40])}]
    pairs = []
    for number in range(count):
        size = max_length - 60
        start = number * max_length
        prompt = [{"role": "user", "content": tokenizer.decode(ids[start : start + size])}]
        found = tokenizer.apply_chat_template(prompt + answer, return_dict=True)["input_ids"]
        pairs.append(TrainingPair(f"q{number}", prompt, answer, len(found)))
    return Prepared(tuple(pairs), ())


def random_base(folder: Path) -> Path:
    """A base folder with a Llama of random weights and the embedded model's tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer, _ = open_tokenizer(BASE / "model")
    torch.manual_seed(13)
    model = LlamaForCausalLM(
        LlamaConfig(
            **RANDOM, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id
        )
    )
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    names = sorted(p.name for p in (folder / "model").iterdir())
    made = ModelConfig(
        name="random", kind="embedded", hub_id=None, revision=None, max_length=448, extracts=0,
        shape=None,
    )  # fmt: skip
    write_info(folder, describe(folder / "model", names, model=made, revision=""))
    write_manifest(folder, ["base.json", *(f"model/{name}" for name in names)])
    return folder


def settings(name: str) -> TrainConfig:
    """The embedded model's own; the random one in batches of four."""
    config = replace(
        read_plans("embedded", ROOT).train,
        max_steps=STEPS, epochs=100, eval_pairs=0,
        logging_steps=1, save_steps=1000, eval_steps=1000,
    )  # fmt: skip
    if name == "random":
        return replace(config, batch_size=4, gradient_accumulation=1)
    return config


def child(name: str, base_dir: Path) -> dict[str, Any]:
    """Train in this process; its peak is nobody else's."""
    config = settings(name)
    train = make_pairs(base_dir / "model", max_length=448, count=8)
    with tempfile.TemporaryDirectory() as work:
        tuned = tune(
            base_dir,
            train=train,
            validation=Prepared((), ()),
            config=config,
            work_dir=Path(work) / "key",
        )
    tokens = sum(pair.tokens for pair in train.pairs) / len(train.pairs)
    a_step = tokens * config.batch_size * config.gradient_accumulation
    return {
        "peak_mb": max(row["peak_memory_mb"] for row in tuned.speed),
        "step_s": min(a_step / row["tokens_per_s"] for row in tuned.speed[1:]),
        "tokens": tokens,
    }


def compare(name: str) -> None:
    """Print a line for memory and one for time."""
    with tempfile.TemporaryDirectory() as made:
        base_dir = BASE if name == "embedded" else random_base(Path(made))
        config, shape = settings(name), read_shape(read_json(base_dir / "model" / "config.json"))
        memory = estimate_memory(shape, config, max_length=448, device="cpu")
        first = measure_rates(shape, config, max_length=448)
        command = [sys.executable, __file__, "--child", name, str(base_dir)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        second = measure_rates(shape, config, max_length=448)
    found = json.loads(done.stdout.splitlines()[-1])
    rate = min(first.pass_s(shape), second.pass_s(shape))
    said = rate * config.gradient_accumulation * found["tokens"] / 448
    for what, estimated, measured, unit in (
        ("peak memory", memory.peak / 2**20, found["peak_mb"], "MiB"),
        ("a step", said, found["step_s"], "s"),
    ):
        ratio = estimated / measured
        print(f"{name:<9} {what:<12} estimated {estimated:8.2f} measured {measured:8.2f} {unit} "
              f"ratio {ratio:.2f}")  # fmt: skip


def main(arguments: list[str]) -> None:
    """Compare the named models, or train one of them as a child."""
    if arguments[:1] == ["--child"]:
        print(json.dumps(child(arguments[1], Path(arguments[2]))))
        return
    for name in arguments or ["embedded", "random"]:
        compare(name)


if __name__ == "__main__":
    main(sys.argv[1:])

"""What a training will need, before it runs: memory by part, and what would make it fit.

In: the shape of the base model and the section `train`. Out: bytes of each part at the peak. What
autograd keeps of a layer is counted tensor by tensor; `benchmarks/estimate.py` compares with what
is measured.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from groundwork.config import ShapeConfig
from groundwork.train.config import TrainConfig

FLOAT = 4
"""Bytes of float32: adapters, their gradients, and whatever of the base is not in 4-bit."""
NF4 = 0.5 + 1 / 64 + 4 / (64 * 256)
"""Bytes of a 4-bit weight: its half byte, an 8-bit scale per 64, a float scale per 256 of those."""
OPTIMIZER = {"adamw": 2 * FLOAT, "paged_adamw_8bit": 2}
"""Bytes of the two moments of a trained number."""
PROCESS_BYTES = {"cpu": 780 * 2**20, "cuda": 500 * 2**20}
"""Python with torch, transformers and TRL as measured with the embedded model; on a GPU the CUDA
context, as is usual: not measured here."""
TILE = (4096, 32768)
"""Tokens and vocabulary that TRL 1.16 scores at a time."""
TILES = {"cpu": 9, "cuda": 1}
"""Copies of a tile: on a processor 8.6 and 8.9 measured (1,792 and 896 tokens, 16,384 words)."""
SLACK = {"cpu": 1.3, "cuda": 1.0}
"""What the allocator takes for a byte that is kept: 1.32 measured on 8 layers, 768 wide."""
ATTENTION = ("q_proj", "k_proj", "v_proj")
GATED = ("gate_proj", "up_proj")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes at the peak of a training, by part."""

    process: float
    weights: float
    """Base in 4-bit; embedding, head and norms in float32."""
    adapters: float
    gradients: float
    optimizer: float
    activations: float
    """What autograd keeps for the backward pass, and a layer's scratch."""
    logits: float
    """Scores over the vocabulary, tile by tile."""
    cache: float
    """Keys and values of one answer while it is generated, after the training."""

    @property
    def peak(self) -> float:
        """All but the cache, which is needed when activations are gone."""
        kept = self.process + self.weights + self.adapters
        training = self.gradients + self.optimizer + self.activations + self.logits
        return kept + max(training, self.cache)


def layer_sizes(shape: ShapeConfig) -> dict[str, tuple[int, int]]:
    """Width of input and output of the linear layers of a block, by the last part of their name."""
    across = shape.heads * shape.head_size
    narrow = shape.key_value_heads * shape.head_size
    return {
        "q_proj": (shape.hidden, across),
        "k_proj": (shape.hidden, narrow),
        "v_proj": (shape.hidden, narrow),
        "o_proj": (across, shape.hidden),
        "gate_proj": (shape.hidden, shape.feed_forward),
        "up_proj": (shape.hidden, shape.feed_forward),
        "down_proj": (shape.feed_forward, shape.hidden),
    }


def count_parameters(shape: ShapeConfig) -> tuple[int, int]:
    """Numbers that are put into 4-bit, and those that are not (embedding, head, norms)."""
    linear = shape.layers * sum(a * b for a, b in layer_sizes(shape).values())
    tables = (1 if shape.tied else 2) * shape.vocabulary * shape.hidden
    return linear, tables + (2 * shape.layers + 1) * shape.hidden


def count_trained(shape: ShapeConfig, config: TrainConfig) -> int:
    """Numbers in the adapters."""
    sizes = layer_sizes(shape)
    chosen = [sizes[name] for name in config.lora.target_modules if name in sizes]
    lengths = sum(b for _, b in chosen) if config.lora.dora else 0
    return shape.layers * (config.lora.rank * sum(a + b for a, b in chosen) + lengths)


def estimate_memory(
    shape: ShapeConfig, config: TrainConfig, *, max_length: int, device: str
) -> Memory:
    """Bytes at the peak when every sequence of a batch is `max_length` tokens long."""
    linear, others = count_parameters(shape)
    trained = count_trained(shape, config)
    tokens = config.batch_size * max_length
    narrow = shape.key_value_heads * shape.head_size
    half = FLOAT if device == "cpu" else 2
    return Memory(
        process=PROCESS_BYTES[device],
        weights=_held(NF4 * linear, shape, config) + FLOAT * others,
        adapters=FLOAT * trained,
        gradients=FLOAT * trained,
        optimizer=OPTIMIZER[config.optimizer] * trained,
        activations=SLACK[device] * _activations(shape, config, tokens=tokens, half=half),
        logits=TILES[device] * half * min(tokens, TILE[0]) * min(shape.vocabulary, TILE[1]),
        cache=2 * half * shape.layers * narrow * max_length,
    )


def _held(blocks: float, shape: ShapeConfig, config: TrainConfig) -> float:
    """Of the 4-bit blocks: this process's share and the layer that is gathered, or all."""
    if not config.sharded:
        return blocks
    return blocks / config.processes + blocks / shape.layers


def _activations(shape: ShapeConfig, config: TrainConfig, *, tokens: int, half: int) -> float:
    layer = tokens * _kept_a_token(shape, config, half)
    widest = max(a * b for a, b in layer_sizes(shape).values())
    scratch = FLOAT * tokens * (2 * shape.hidden + 3 * shape.feed_forward) + 2 * FLOAT * widest
    inputs = FLOAT * tokens * shape.hidden
    if config.gradient_checkpointing:
        return shape.layers * inputs + layer + scratch
    return shape.layers * layer + inputs + scratch


def _kept_a_token(shape: ShapeConfig, config: TrainConfig, half: int) -> float:
    """Bytes that autograd keeps of one token in one layer.

    4-bit products keep nothing of their input; LoRA's A matrix keeps it, and with dropout a copy
    and the mask instead of what the neighbours share.
    """
    sizes = layer_sizes(shape)
    chosen = [name for name in config.lora.target_modules if name in sizes]
    across = shape.heads * shape.head_size
    norms = 2 * FLOAT * shape.hidden
    narrow = shape.key_value_heads * shape.head_size
    attention = half * 2 * (across + narrow)  # q and output, k and v
    gated = half * 3 * shape.feed_forward  # gate, its SiLU, up
    if config.lora.dropout:
        inputs = sum(2 * half * sizes[name][0] for name in chosen)
    else:
        shared = (any(n in ATTENTION for n in chosen), any(n in GATED for n in chosen))
        inputs = half * shape.hidden * sum(shared)
        inputs += half * shape.feed_forward * ("down_proj" in chosen)  # o's is the output above
    matrices = half * config.lora.rank * len(chosen)
    if config.lora.dora:  # the product of the base before its length is set, and after
        matrices += 2 * half * sum(sizes[name][1] for name in chosen)
    return norms + attention + gated + inputs + matrices


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that would save memory, with everything before it."""

    overrides: tuple[str, ...]
    peak: float


def changes(
    shape: ShapeConfig, config: TrainConfig, *, max_length: int, device: str
) -> Iterator[Change]:
    """What to change, cheapest for the result first, each with the peak that it would lead to."""
    said: list[str] = []

    def changed(*overrides: str) -> Change:
        said.extend(overrides)
        found = estimate_memory(shape, config, max_length=max_length, device=device)
        return Change(tuple(dict.fromkeys(said)), found.peak)

    if not config.gradient_checkpointing:
        config = replace(config, gradient_checkpointing=True)
        yield changed("train.gradient_checkpointing=true")
    if config.processes > 1 and not config.sharded:
        config = replace(config, sharded=True)
        yield changed("train.sharded=true")
    if config.batch_size > 1:
        steps = config.batch_size * config.gradient_accumulation
        config = replace(config, batch_size=1, gradient_accumulation=steps)
        yield changed("train.batch_size=1", f"train.gradient_accumulation={steps}")
    if config.optimizer == "adamw":
        config = replace(config, optimizer="paged_adamw_8bit")
        yield changed("train.optimizer=paged_adamw_8bit")
    if config.lora.rank > 8:
        config = replace(config, lora=replace(config.lora, rank=8))
        yield changed("train.lora.rank=8")
    if max_length > 256:
        max_length = math.ceil(max_length / 2)
        yield changed(f"model.max_length={max_length}")

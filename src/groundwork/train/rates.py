"""How fast this machine trains layers of a given shape: measured, not looked up.

In: a shape and the section `train`. Out: seconds of a forward and backward pass. One layer with
random weights, in 4-bit and with adapters, is timed against none; all the others take as long.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from groundwork.base import compute_dtype, device_type, older_names, quiet_loading
from groundwork.config import ShapeConfig
from groundwork.train.config import TrainConfig

REPEATS = 7
"""The fastest of them counts: what else runs on the machine only ever slows a pass down."""
MAX_TOKENS = 1024
"""Tokens of a measured pass; more are reckoned in proportion."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds for one micro-batch."""

    ends_s: float
    """Embedding, head and loss, forward and backward."""
    layer_s: float
    """A layer, forward and backward, with recomputed activations if so configured."""

    def pass_s(self, shape: ShapeConfig) -> float:
        """Forward and backward of the whole model."""
        return self.ends_s + shape.layers * self.layer_s


def measure_rates(shape: ShapeConfig, config: TrainConfig, *, max_length: int) -> Rates:
    """Time layers of that shape on this machine, for a batch of full sequences."""
    import torch

    rows = max(1, min(config.batch_size, MAX_TOKENS // max_length))
    share = config.batch_size / rows
    quiet_loading()
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        ends, one = (
            _seconds(_model(shape, config, layers=layers), rows=rows, length=max_length)
            for layers in (0, 1)
        )
    finally:
        torch.set_num_threads(before)
    return Rates(share * ends, share * max(0.0, one - ends))


def _model(shape: ShapeConfig, config: TrainConfig, *, layers: int) -> Any:
    """A Llama of that shape with random weights, as the trainer sees it."""
    import torch
    from peft import get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM
    from trl.trainer.utils import add_fused_lm_head

    from groundwork.train.trl import lora_arguments

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.feed_forward,
            num_hidden_layers=layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.key_value_heads,
            head_dim=shape.head_size,
            tie_word_embeddings=shape.tied,
        )
    ).to(torch.float32)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for layer in model.model.layers:
        _quantise(layer)
    model.to(device_type())
    add_fused_lm_head(model, outputs=("log_probs", "entropy", "is_top1"))
    model.enable_input_require_grads()
    if config.gradient_checkpointing and layers:
        with older_names():
            model.gradient_checkpointing_enable({"use_reentrant": False})
    if not layers:
        return model.train()
    with older_names():
        return get_peft_model(model, lora_arguments(config)).train()


def _quantise(module: Any) -> None:
    import torch
    from bitsandbytes.nn import Linear4bit, Params4bit

    for name, child in list(module.named_children()):
        if not isinstance(child, torch.nn.Linear):
            _quantise(child)
            continue
        small = Linear4bit(
            child.in_features,
            child.out_features,
            bias=False,
            compute_dtype=compute_dtype(),
            quant_type="nf4",
        )
        small.support_avx512bf16_for_cpu = False
        small.weight = Params4bit(child.weight.data, requires_grad=False, quant_type="nf4").to(
            device_type()
        )
        setattr(module, name, small)


def _seconds(model: Any, *, rows: int, length: int) -> float:
    """Shortest time of a forward and backward pass."""
    import torch

    device = device_type()
    ids_BT = torch.randint(0, model.config.vocab_size, (rows, length), device=device)
    half = torch.autocast("cuda", dtype=compute_dtype(), enabled=device == "cuda")

    def once() -> None:
        with half:
            found = model(input_ids=ids_BT, labels=ids_BT, fused_lm_head=True)
        found.loss.backward()
        model.zero_grad()
        if device == "cuda":
            torch.cuda.synchronize()

    once()
    return min(_timed(once) for _ in range(REPEATS))


def _timed(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started

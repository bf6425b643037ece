"""Section `train` of the configuration: QLoRA."""

from typing import Annotated, Literal

from pydantic import Field

from groundwork.config import (
    Count,
    NonNegative,
    PositiveFloat,
    PositiveInt,
    Ratio,
    schema,
)


@schema
class LoraSection:
    """The adapters."""

    rank: PositiveInt
    alpha: PositiveInt
    """Scale of the update is alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1, strict=False)]
    target_modules: Annotated[list[str], Field(min_length=1)]
    """Last parts of the names of the linear layers that get an adapter."""
    bias: Literal["none", "all", "lora_only"]
    plus_ratio: Annotated[float, Field(ge=1, strict=False)]
    """Learning rate of the B matrices over that of the A matrices (LoRA+, arXiv:2402.12354);
    1: the same."""
    rslora: bool
    """The scale is alpha / sqrt(rank) instead, which high ranks need (arXiv:2312.03732)."""
    dora: bool
    """Length and direction of the weights are trained apart (DoRA, arXiv:2402.09353)."""


@schema
class PreferenceSection:
    """Preference tuning after the training, see `preferences` and `dpo`."""

    enabled: bool
    beta: PositiveFloat
    """How dearly the model pays for leaving the trained one (KL), beta of DPO."""
    learning_rate: PositiveFloat
    max_steps: PositiveInt
    sft_weight: NonNegative
    """Weight of the chosen answer's own loss beside DPO's; 0 leaves it out."""


@schema
class TrainConfig:
    """Optimisation, prompts and checkpoints."""

    lora: LoraSection
    learning_rate: PositiveFloat
    scheduler: Literal["linear", "cosine", "constant_with_warmup"]
    warmup_steps: Count
    """0 leaves the warm-up to `warmup_ratio`."""
    warmup_ratio: Ratio
    batch_size: PositiveInt
    """Pairs in one forward pass."""
    gradient_accumulation: PositiveInt
    """Forward passes in one optimizer step, of all processes together."""
    processes: PositiveInt
    """Processes of this machine that share the forward passes of a step, each with a copy of the
    model: on its own GPU, or with its own `threads`. Another number gives other bytes."""
    sharded: bool
    """Whether each process holds a share of the base model's layers instead of all (FSDP): for
    models that do not fit on one GPU. It takes longer and changes no result."""
    epochs: PositiveFloat
    max_steps: PositiveInt | None
    """At most this many optimizer steps; null leaves it to `epochs`."""
    max_grad_norm: NonNegative
    """Gradients are clipped to this norm; 0 does not clip."""
    optimizer: Literal["adamw", "paged_adamw_8bit"]
    """Without a GPU the 8-bit form is not paged, and a line says so."""
    gradient_checkpointing: bool
    """Compute activations twice to hold fewer of them."""
    packing: bool
    """Several pairs in one sequence of up to `model.max_length` tokens instead of padding."""
    weight_decay: NonNegative
    passages: PositiveInt
    """Passages in a prompt: the evidence and the most similar others of the same split."""
    refusals: Ratio
    """Share of the answerable pairs that are also shown without their evidence, to be refused."""
    eval_pairs: Count
    """Validation pairs whose loss is watched; 0 watches none."""
    logging_steps: PositiveInt
    save_steps: PositiveInt
    """Steps between checkpoints, a multiple of `logging_steps`: a resumed run then logs alike."""
    eval_steps: PositiveInt
    patience: Count
    """Looks at the validation pairs, every `eval_steps`, without a lower loss after which training
    stops and the best look's weights are kept; 0 trains to the end and keeps the last."""
    threads: PositiveInt
    """Processor threads: another number rounds differently, and so gives other bytes."""
    max_reject_ratio: Ratio
    preference: PreferenceSection
    seed: Count

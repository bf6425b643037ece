"""Section `adapt` of the configuration."""

from typing import Annotated, Literal, Protocol

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
class AdapterSection:
    """The LoRA matrices; plain LoRA without biases, because that is what can be merged."""

    rank: PositiveInt
    alpha: PositiveInt
    """Scale of the update is alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1, strict=False)]
    target_modules: Annotated[list[str], Field(min_length=1)]
    """Last parts of the names of the encoder's linear layers that get an adapter."""


class Tunable(Protocol):
    """What a section says of the encoder in training, `adapt` and `classify` alike."""

    @property
    def lora(self) -> AdapterSection:
        """The matrices."""

    @property
    def max_tokens(self) -> int:
        """Longer texts are cut."""

    @property
    def precision(self) -> str:
        """`bf16` or `fp32`."""

    @property
    def patience(self) -> int:
        """Looks without improvement after which the training stops."""

    @property
    def batch_size(self) -> int:
        """Texts or pairs in one optimizer step."""

    @property
    def learning_rate(self) -> float:
        """At the end of the warm-up; it then falls to 0 in a straight line."""

    @property
    def weight_decay(self) -> float:
        """Of AdamW."""

    @property
    def max_grad_norm(self) -> float:
        """Gradients are clipped to this norm; 0 does not clip."""

    @property
    def logging_steps(self) -> int:
        """Steps between rows of the history."""

    @property
    def eval_steps(self) -> int:
        """Steps between looks."""

    @property
    def save_steps(self) -> int:
        """Steps between checkpoints."""

    @property
    def seed(self) -> int:
        """Of every generator."""


@schema
class AdaptConfig:
    """Contrastive training of the encoder that searches passages, and when it serves."""

    enabled: bool
    """False: nothing is trained and the encoder searches as it is."""
    min_pairs: PositiveInt
    """With fewer training pairs nothing is trained and the base encoder serves."""
    min_validation: PositiveInt
    """With fewer validation pairs nothing is trained: their interval would decide nothing."""
    lora: AdapterSection
    learning_rate: PositiveFloat
    """Of AdamW at the end of the warm-up; it then falls to 0 in a straight line."""
    warmup_ratio: Ratio
    """Share of the steps that warm up."""
    weight_decay: NonNegative
    max_grad_norm: NonNegative
    """Gradients are clipped to this norm; 0 does not clip."""
    scale: PositiveFloat
    """Cosines are multiplied by this before the softmax: the inverse of its temperature."""
    batch_size: Annotated[int, Field(ge=2)]
    """Pairs in one step; the others' passages are each question's negatives."""
    epochs: PositiveFloat
    max_steps: PositiveInt | None
    """At most this many optimizer steps; null leaves it to `epochs`."""
    max_tokens: Annotated[int, Field(ge=8, le=256)]
    """Longer passages are cut in training; what serves reads 256."""
    hard_negatives: Count
    """Passages a question that are like its own and do not answer it; 0: only in-batch ones."""
    negative_ceiling: Ratio
    """A passage nearer to the question than this share of its own passage's cosine is no
    negative: too likely it answers too."""
    precision: Literal["bf16", "fp32"]
    """Arithmetic of the training; without bfloat16 instructions fp32 is used and a line says so."""
    logging_steps: PositiveInt
    eval_steps: PositiveInt
    """Steps between looks at the validation pairs; the best look's weights are kept."""
    save_steps: PositiveInt
    """Steps between checkpoints, a multiple of `logging_steps` and `eval_steps`: a resumed run
    then logs alike."""
    patience: PositiveInt
    """Looks without improvement after which the training stops."""
    eval_passages: PositiveInt
    """Passages that a look searches: those of the validation pairs and, up to this many, others."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    """Accepted probability, one-sided, of serving an adapter that is no better."""
    resamples: PositiveInt
    """Bootstrap resamples of the validation pairs."""
    threads: PositiveInt
    """Processor threads: another number rounds differently, and so gives other bytes."""
    seed: Count

"""Section `classify` of the configuration."""

from typing import Annotated, Literal

from pydantic import Field

from groundwork.adapt import AdapterSection
from groundwork.config import Count, NonNegative, PositiveFloat, PositiveInt, Ratio, schema


@schema
class ClassifyConfig:
    """Training of the encoder with a head of some prototypes a category, and its calibration."""

    enabled: bool
    """False: nothing is trained, and an answer's category is that of its first citation."""
    min_texts: PositiveInt
    """With fewer texts to learn from nothing is trained, as if `enabled` were false."""
    min_held_out: PositiveInt
    """With fewer texts to calibrate on nothing is trained: confidence would mean nothing."""
    min_examples: Annotated[int, Field(ge=2)]
    """A label with fewer examples is left out, and counted."""
    held_out: Annotated[float, Field(gt=0, lt=1)]
    """Share of labelled utterances that training never sees: they stop it and calibrate it."""
    passages: bool
    """Whether passages are learned, too, for categories that have no examples but generated
    questions: their category is that of their page."""
    max_judged: Count
    """The head judges the passages of a corpus of at most this many, each on its own; beyond, the
    category of its page says what a passage is about."""
    lora: AdapterSection
    learning_rate: PositiveFloat
    """Of AdamW at the end of the warm-up; it then falls to 0 in a straight line."""
    warmup_ratio: Ratio
    """Share of the steps that warm up."""
    weight_decay: NonNegative
    max_grad_norm: NonNegative
    """Gradients are clipped to this norm; 0 does not clip."""
    prototypes: PositiveInt
    """Of each label: what it covers need not lie in one place."""
    scale: PositiveFloat
    """Cosines with the prototypes are multiplied by this before the softmax."""
    label_smoothing: Ratio
    """Share of the target that is spread over all labels."""
    token_dropout: Ratio
    """Probability that a word piece is hidden in a step."""
    averaging: Annotated[float, Field(ge=0, lt=1)]
    """Decay of the running mean of the weights, which is what serves; 0 takes the last ones."""
    batch_size: Annotated[int, Field(ge=2)]
    epochs: PositiveFloat
    max_steps: PositiveInt | None
    """At most this many optimizer steps; null leaves it to `epochs`."""
    max_tokens: Annotated[int, Field(ge=8, le=256)]
    """Longer texts are cut in training; what serves reads 256."""
    precision: Literal["bf16", "fp32"]
    """Arithmetic of the training; without bfloat16 instructions fp32 is used and a line says so."""
    logging_steps: PositiveInt
    eval_steps: PositiveInt
    """Steps between looks at the texts held out; the best look's weights are kept."""
    save_steps: PositiveInt
    """Steps between checkpoints, a multiple of `logging_steps` and `eval_steps`."""
    patience: PositiveInt
    """Looks without improvement after which the training stops."""
    max_wrong_out: Ratio
    """Share of the texts held out that may be taken for out of scope; sets the threshold."""
    threads: PositiveInt
    """Processor threads: another number rounds differently, and so gives other bytes."""
    seed: Count

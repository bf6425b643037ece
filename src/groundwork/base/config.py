"""Section `base` of the configuration: the embedded base model. Hub models read none of it."""

from typing import Annotated

from pydantic import Field

from groundwork.config import Count, PositiveFloat, PositiveInt, Ratio, schema


@schema
class BaseConfig:
    """Size and recipe of the embedded base model."""

    vocabulary: Annotated[int, Field(ge=300, le=65536)]
    """Tokens of the byte-level BPE, special tokens and the 256 bytes included."""
    head_size: Annotated[int, Field(ge=16, multiple_of=2)]
    """Size of an attention head; the model has four heads, so it is four times as wide."""
    layers: Annotated[int, Field(ge=2)]
    feed_forward: PositiveInt
    """Inner size of the gated feed-forward blocks."""
    positions: PositiveInt
    """Longest sequence in tokens that the model is made for; at least `model.max_length`."""
    steps: PositiveInt
    """Optimizer steps of the pretraining: a fixed number, never a time limit."""
    batch_size: PositiveInt
    """Sequences in a step."""
    sequence_tokens: Annotated[int, Field(ge=32)]
    """Length of a pretraining sequence."""
    learning_rate: PositiveFloat
    """Peak of the schedule: linear warm-up over 5 % of the steps, then linear to zero."""
    text_share: Ratio
    """Share of the sequences that are plain text of the documents."""
    copy_share: Ratio
    """Share that repeats random tokens; the rest looks up a sentence by a few of its words."""
    threads: PositiveInt
    """Processor threads: another number rounds differently, and so gives other bytes."""
    seed: Count

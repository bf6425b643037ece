"""Section `sweep` of the configuration: which trainings are tried, and how they are compared."""

from typing import Annotated

from pydantic import Field

from groundwork.config import Count, PositiveFloat, PositiveInt, schema

Value = bool | int | float | str | None
Key = Annotated[str, Field(pattern=r"^train\.[a-z0-9_]+(\.[a-z0-9_]+)*$")]
"""Dotted key of section `train`: what comes before it is the same for all."""


@schema
class Fixed:
    """A value that every training but the base has."""

    key: Key
    value: Value


@schema
class Choice:
    """Values to choose from."""

    key: Key
    values: Annotated[list[Value], Field(min_length=1)]


@schema
class Range:
    """Numbers to draw from, both ends included."""

    key: Key
    low: PositiveFloat
    high: PositiveFloat
    log: bool
    """Whether to draw evenly from the logarithm."""


@schema
class SweepConfig:
    """Trainings that differ in a few values of section `train`."""

    eval_pairs: PositiveInt
    """`train.eval_pairs` of all, the base included; at most as many as the split has."""
    fixed: list[Fixed]
    choices: list[Choice]
    """`groundwork sweep queue` tries every combination."""
    ranges: list[Range]
    """For `groundwork sweep run` alone; goes before a choice of the same key."""
    startup_trials: Count
    """Trainings that end before any is stopped."""
    warmup_steps: Count
    """Steps before which no training is stopped."""
    heartbeat_s: PositiveInt
    """Seconds between signs of life; a worker that gave none four times is dead."""
    retries: Count
    """How often the training of a dead worker is begun again."""
    confidence: Annotated[float, Field(gt=0, lt=1, strict=False)]
    """Of the intervals of `groundwork sweep best`, all of them together."""
    resamples: PositiveInt
    seed: Count

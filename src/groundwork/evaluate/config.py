"""Section `evaluate` of the configuration."""

from typing import Annotated

from pydantic import Field

from groundwork.config import Count, PositiveInt, Ratio, schema


@schema
class EvaluateConfig:
    """Which questions are asked, and how answers are measured."""

    max_generated: Count
    """Generated pairs of test, and of validation to calibrate on, at most; golden questions are
    never left out."""
    recall_at: Annotated[list[PositiveInt], Field(min_length=1)]
    """Depths k of recall@k, ascending; nDCG uses the last one."""
    grounded_coverage: Ratio
    """Share of a sentence's words and numbers that its quote must hold to ground it."""
    context_similarity: Ratio
    """Least likeness of a quote to its best place in a passage for the passage to hold it."""
    calibration_bins: PositiveInt
    """Equally wide bins of confidence for the expected calibration error."""
    resamples: PositiveInt
    """Bootstrap resamples per group; 2000 steadies the interval's ends to about 0.005."""
    confidence: Annotated[float, Field(gt=0, lt=1)]
    """Coverage of the intervals, two-sided."""
    seed: Count

"""Section `promote` of the configuration."""

from typing import Annotated

from pydantic import Field

from groundwork.config import Count, NonNegative, PositiveInt, Ratio, Text, schema


@schema
class GuardsConfig:
    """How far each figure may fall behind the champion's without stopping a promotion."""

    grounded: Ratio
    """Fall of the mean groundedness."""
    refusal_accuracy: Ratio
    """Fall of the share of questions that are rightly answered or rightly refused."""
    category_score: Ratio
    """Fall of the mean primary score within any one category."""
    category_questions: PositiveInt
    """Categories with fewer questions are not guarded: one answer would decide."""
    retriever: Ratio
    """Fall of the search's nDCG@10 with the adapted encoder behind that with the base encoder."""
    latency_ratio: Annotated[float, Field(ge=1, strict=False)]
    """The p95 latency may be at most this many times the champion's."""
    latency_floor_ms: NonNegative
    """A p95 latency up to this passes whatever the champion's is."""


@schema
class PromoteConfig:
    """The gate."""

    primary: Text
    """Per-question score that decides: a key of `Row.scores`."""
    min_effect: NonNegative
    """The improvement's lower confidence bound must exceed this."""
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    """Accepted probability of promoting a candidate that is no better, one-sided; it is shared
    equally among the candidates."""
    resamples: PositiveInt
    """Bootstrap resamples and random sign flips."""
    seed: Count
    guards: GuardsConfig

"""Section `answer` of the configuration: what happens at question time."""

from typing import Annotated, Literal

from pydantic import Field

from groundwork.config import Count, NonNegative, PositiveFloat, PositiveInt, Ratio, schema


@schema
class RetrievalConfig:
    """How passages are found."""

    top_k: PositiveInt
    """Passages that an answerer sees."""
    candidates: PositiveInt
    """Passages that each of the dense and the lexical search puts forward."""
    dense_weight: NonNegative
    """Weight of the cosine between question and passage."""
    sentence_weight: NonNegative
    """Weight of the best cosine between question and a sentence of the passage."""
    token_weight: NonNegative
    """Weight of the mean, over the question's words, of the best cosine with a word there."""
    lexical_weight: NonNegative
    """Weight of BM25 divided by the question's best BM25."""
    returned: Literal["passage", "parent"]
    """Whether an answerer sees the passages found, or each with all of its parent section."""


@schema
class ExtractiveConfig:
    """How sentences are picked."""

    max_sentences: PositiveInt
    """Sentences of an answer, unless a list is asked for."""
    max_list_items: PositiveInt
    """Items of a list when a list or steps are asked for."""
    list_ratio: Ratio
    """A list is given when its best item has this share of the best sentence's probability."""
    keep_ratio: Ratio
    """A further sentence needs this share of the best sentence's probability."""


@schema
class GenerativeConfig:
    """How a language model is asked."""

    decoding: Literal["free", "verbatim"]
    """`verbatim` lets it say whole lines of its passages alone, and refuse."""
    max_new_tokens: PositiveInt
    batch_size: PositiveInt
    """Questions in one forward pass during evaluation."""


@schema
class EndpointConfig:
    """An OpenAI-compatible server; used when `base_url` is set."""

    base_url: str | None
    """For instance http://127.0.0.1:8000/v1; null leaves this answerer out."""
    model: str
    api_key_env: str
    """Name of the environment variable that holds the key; an empty string sends none."""
    timeout_s: PositiveFloat
    retries: Count


@schema
class CalibrationConfig:
    """When to refuse."""

    max_wrong_refusals: Ratio
    """Share of answerable questions that may be refused on the data that set the threshold."""
    max_model_questions: PositiveInt
    """Questions that a language model is calibrated on; other answerers use all of them."""
    folds: Annotated[int, Field(ge=2)]
    """Cross-validation folds behind the refusal threshold; at least 2."""
    seed: Count


@schema
class AnswerConfig:
    """Retrieval, answerers and refusal."""

    answerers: list[Literal["extractive", "base", "tuned", "endpoint"]]
    """Which ones `evaluate` runs; the gate chooses among the candidates."""
    retrieval: RetrievalConfig
    extractive: ExtractiveConfig
    generative: GenerativeConfig
    endpoint: EndpointConfig
    calibration: CalibrationConfig

"""Section `qa` of the configuration."""

from typing import Annotated, Literal

from pydantic import Field

from groundwork.config import Count, NonNegative, PositiveFloat, PositiveInt, Ratio, Text, schema


@schema
class RulesConfig:
    """How many questions the rules ask of what."""

    per_sentence: PositiveInt
    """Most questions asked of one sentence, besides yes or no."""
    verdicts: Count
    """Most questions asked of one sentence that its answer opens with yes or no."""
    paraphrases: bool
    """Ask once more in other words: most of those are near duplicates, see docs/decisions.md."""
    per_row: PositiveInt
    """Most questions asked of one table row."""
    min_sentence_words: PositiveInt
    """Shorter sentences are not asked about."""
    max_sentence_words: PositiveInt
    per_hundred_words: PositiveFloat
    """Most questions of a document for each hundred of its words; its kinds take turns."""


@schema
class TeacherConfig:
    """A language model behind an OpenAI-compatible endpoint."""

    base_url: Annotated[str, Field(pattern=r"^https?://.+")]
    """Address up to and including `/v1`."""
    model: Text
    api_key_env: str | None
    """Environment variable that holds the key; null for a server that asks for none."""
    timeout_s: PositiveFloat
    """For one answer."""
    retries: Count
    """Attempts after the first, for timeouts, lost connections, 429 and 5xx."""
    backoff_s: NonNegative
    """Pause before the first retry; it doubles with each, up to a minute."""
    temperature: NonNegative
    max_tokens: PositiveInt
    """Of one answer."""
    pairs_per_passage: PositiveInt
    """How many pairs the teacher is asked for, in each style."""
    styles: Annotated[list[Literal["plain", "user", "reasoning"]], Field(min_length=1)]
    """Each passage is asked about once in each: as a textbook would, as a hurried user would in
    words of their own, by questions that need two facts of the passage."""
    prompt_price: NonNegative
    """Of a million tokens that are sent, in any currency; 0 for a server of one's own."""
    completion_price: NonNegative
    """Of a million tokens that come back."""
    concurrency: PositiveInt
    """Requests under way at a time."""
    json_mode: bool
    """Ask for `response_format: json_object`; servers that know no such field want false."""


@schema
class ValidateConfig:
    """What a pair must pass."""

    top_k: PositiveInt
    """The question must retrieve its passage among so many."""
    min_question_words: PositiveInt
    max_question_words: PositiveInt
    min_answer_words: PositiveInt
    max_answer_words: PositiveInt
    min_support: Ratio
    """Share of the answer's words that its passage (with title and headings) must hold."""
    duplicate_cosine: Ratio
    """Questions nearer than this with the same evidence or numbers are one question."""
    cross_split_cosine: Ratio
    """A question nearer than this to one of another split is taken out of the larger split."""
    golden_cosine: Ratio
    """A question nearer than this to one of the golden set is rejected."""
    golden_overlap: Ratio
    """So is one that shares this part of its words (Jaccard) with one of the golden set."""


@schema
class SplitConfig:
    """Shares of documents; they add up to 1."""

    train: Ratio
    validation: Ratio
    test: Ratio

    def __post_init__(self) -> None:
        """Raises: `ValueError` when the shares do not add up."""
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"expected shares that add up to 1, not {total:g}")


@schema
class QaConfig:
    """How pairs are made, checked and split."""

    generator: Literal["rules", "teacher"]
    seed: Count
    """Of the split and of the choice of unanswerable questions."""
    unanswerable_ratio: Ratio
    """Unanswerable questions added to the training pairs, as a share of their number."""
    max_reject_ratio: Ratio
    """The stage fails when more of the generated pairs are rejected."""
    rules: RulesConfig
    teacher: TeacherConfig | None
    """Null unless `generator` is `teacher`."""
    validate: ValidateConfig
    split: SplitConfig

    def __post_init__(self) -> None:
        """Raises: `ValueError` when the teacher's settings are missing."""
        if self.generator == "teacher" and self.teacher is None:
            raise ValueError(
                "generator is teacher, so settings of teacher are expected: qa=teacher"
            )

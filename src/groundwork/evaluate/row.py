"""One question answered by one answerer, with everything that its scores are computed from."""

import re
from dataclasses import dataclass

from groundwork.errors import InputError
from groundwork.records import Evidence

GOLDEN = "golden"
GENERATED = "generated"
MARK = re.compile(r"\s*\[\d+\]")
"""A citation mark in an answer: `[1]`."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of `rows.jsonl`; `artifacts.from_mapping(Row, line)` reads it back.

    Raises: `InputError` when parallel fields differ in length.
    """

    question_id: str
    dataset: str
    """`golden` or `generated`."""
    split: str
    answerer: str
    question: str
    category: str
    kind: str
    answerable: bool
    reference: str
    """Reference answer; empty when `answerable` is false."""
    facts: tuple[tuple[str, ...], ...]
    """As in `records.Question`; empty for generated pairs."""
    evidence: tuple[Evidence, ...]
    """As in `records.Question`: the pages and quotes that a right answer rests on."""
    answer: str
    """As the user sees it; may hold citation marks such as `[1]`."""
    refused: bool
    confidence: float
    """Probability that the answer is right or, when refused, that refusing is."""
    sentences: tuple[str, ...]
    """Sentences of the answer as drafted; empty when refused."""
    quotes: tuple[str, ...]
    """For each sentence the quote behind it, verbatim; empty when it has none."""
    cited_urls: tuple[str, ...]
    """Pages that the answer cites, in the order of their marks."""
    retrieved_ids: tuple[str, ...]
    """Passages that the answerer was given, best first, (K)."""
    retrieved_urls: tuple[str, ...]
    retrieved_texts: tuple[str, ...]
    latency_ms: float
    """From question to answer, retrieval included."""
    scores: dict[str, float | None]
    """Filled in by `score_rows`; null where a score does not apply."""

    def __post_init__(self) -> None:
        if len(self.sentences) != len(self.quotes):
            raise InputError(
                f"{self.name}: {len(self.sentences)} sentences but {len(self.quotes)} quotes; "
                "expected one quote (or an empty string) for each sentence"
            )
        found = (len(self.retrieved_ids), len(self.retrieved_urls), len(self.retrieved_texts))
        if len(set(found)) > 1:
            raise InputError(
                f"{self.name}: {found} retrieved ids, urls and texts; expected equal numbers"
            )

    @property
    def name(self) -> str:
        """What error messages call the row."""
        return f"{self.answerer}/{self.dataset}/{self.question_id}"

    @property
    def plain_answer(self) -> str:
        """The answer without citation marks."""
        return MARK.sub("", self.answer)

    @property
    def pages(self) -> tuple[str, ...]:
        """URLs that the question needs, without repetition."""
        return tuple(dict.fromkeys(item.url for item in self.evidence))

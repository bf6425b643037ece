"""What crosses the boundary of a function or a stage: frozen dataclasses, nothing else.

Array names carry the shape suffixes below, in the order of the axes:
`_B` batch, `_T` tokens, `_N` passages of the index, `_S` sentences of the index,
`_Q` questions, `_K` retrieved passages, `_F` features, `_D` embedding dimensions.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Page:
    """A fetched page, its body as it came."""

    url: str
    """Public URL after redirects."""
    content_type: str
    """Media type without parameters, lower case, e.g. `text/html`."""
    charset: str
    """Charset that the HTTP header named, or an empty string."""
    body: bytes
    sha256: str
    """Of `body`, hexadecimal."""
    source: str
    """Name of the domain's source that led here."""
    licence: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that a stage did not take, and why."""

    key: str
    """What was rejected: a URL, a document id, a question id."""
    reason: str
    """A value of the stage's `StrEnum` of reasons."""
    detail: str
    """One line for a person: what was found and what was expected."""


@dataclass(frozen=True, slots=True)
class Document:
    """The main content of a page as Markdown."""

    document_id: str
    """First 16 hexadecimal digits of sha256(url)."""
    url: str
    title: str
    text: str
    """Markdown; offsets of chunks refer to this string."""
    language: str
    """ISO 639-1, lower case."""
    date: str
    """ISO 8601 date, or an empty string when the page names none."""
    author: str
    category: str
    category_confidence: float
    """Between 0 and 1."""
    media: str
    """`html`, `pdf`, `markdown`, `asciidoc`, `text`, `docx` or `record`."""
    licence: str
    source: str
    page_sha256: str
    """Of the page's body: the link back to `pages.parquet`."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: a span of a document."""

    passage_id: str
    """First 16 hexadecimal digits of sha256(document_id, start, text)."""
    document_id: str
    url: str
    title: str
    heading: str
    """Headings above the passage joined by ` > `, without the title; may be empty."""
    text: str
    """`document.text[start:end]`, exactly."""
    start: int
    end: int
    tokens: int
    """Length in tokens of the embedding model."""
    category: str
    licence: str
    parent_id: str = ""
    """What passages of one parent section have in common; empty in releases older than parents,
    which is why these three have defaults."""
    parent_start: int = 0
    """The parent is `document.text[parent_start:parent_end]`, which holds the passage."""
    parent_end: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where an answer stands."""

    passage_id: str
    quote: str
    """Verbatim in the passage, or for golden questions in the page's text."""
    url: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its reference: a generated pair or a line of a golden set."""

    question_id: str
    question: str
    answer: str
    """Reference answer; empty when `answerable` is false."""
    answerable: bool
    category: str
    kind: str
    """fact, number, definition, procedure, comparison, cause, yes_no, list, multi, unanswerable."""
    evidence: tuple[Evidence, ...]
    facts: tuple[tuple[str, ...], ...]
    """Strings that a right answer must contain, each with its alternatives; golden sets only."""
    document_id: str
    """Document that a generated pair came from; empty for golden questions."""
    split: str
    """train, validation, test (generated pairs); dev, test (golden set)."""
    origin: str
    """rules, teacher or golden."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A passage found for a question."""

    chunk: Chunk
    score: float
    """Fused score, higher is better; comparable within one question only."""
    dense: float
    """Cosine similarity to the question."""
    lexical: float
    """BM25 score."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that supports part of an answer; `n` is its number in the answer, from 1."""

    n: int
    url: str
    title: str
    heading: str
    quote: str
    passage_id: str
    document_id: str
    licence: str
    fetched_at: str
    """ISO 8601, or an empty string when the fetch log does not know the page."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answerer says to a question."""

    text: str
    refused: bool
    confidence: float
    """Calibrated probability that the answer is right (or, when refused, that refusing is)."""
    category: str
    citations: tuple[Citation, ...]
    category_confidence: float | None = None
    """Calibrated probability of the category; None where no classifier gave it."""


class Split(StrEnum):
    """Halves and thirds that questions belong to."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    DEV = "dev"

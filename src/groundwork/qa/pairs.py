"""What the rules hand on: a question with its answer and the words that it rests on."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of generated questions, as `records.Question.kind` names them."""

    FACT = "fact"
    NUMBER = "number"
    DEFINITION = "definition"
    PROCEDURE = "procedure"
    COMPARISON = "comparison"
    CAUSE = "cause"
    YES_NO = "yes_no"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and its answer, before validation."""

    question: str
    answer: str
    kind: Kind
    quote: str
    """Verbatim in the passage."""

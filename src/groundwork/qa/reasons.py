"""Why a pair is not taken."""

from enum import StrEnum


class Reason(StrEnum):
    """Reasons in `rejects.jsonl`."""

    QUESTION_LENGTH = "question_length"
    ANSWER_LENGTH = "answer_length"
    QUOTE = "quote"
    """The evidence is not verbatim in the passage."""
    UNSUPPORTED = "unsupported"
    """The answer says what its passage does not."""
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    ROUND_TRIP = "round_trip"
    """The question does not retrieve its passage."""
    GOLDEN = "golden"
    """Too near to a question of the golden set."""
    CROSS_SPLIT = "cross_split"
    """Too near to a question of another split."""
    BROKEN_JSON = "broken_json"
    """The teacher's answer is not the JSON that was asked for."""
    REFUSED = "refused"
    """The teacher declined."""
    TRUNCATED = "truncated"
    """The teacher's answer ended at `max_tokens`."""

"""Follow-ups: "And in winter?" means little by itself, so it is searched with the question before.

A question follows up when it has very few words or begins as follow-ups do. It is then searched
as "<last full question of the session> <follow-up>". Nothing else of a session is remembered.
"""

import re

OPENINGS = re.compile(r"\s*(and|but|or|also|what about|how about)\b", re.IGNORECASE)
WORD = re.compile(r"\w+")


def is_follow_up(question: str, *, max_words: int) -> bool:
    """Whether `question` leans on the one before it."""
    return len(WORD.findall(question)) <= max_words or OPENINGS.match(question) is not None


def searched_question(question: str, previous: str, *, max_words: int) -> str:
    """The words to search for; `previous` is empty at the start of a session."""
    if previous and is_follow_up(question, max_words=max_words):
        return f"{previous} {question}"
    return question

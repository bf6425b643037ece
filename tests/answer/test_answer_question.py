"""What a question asks for: several things, a list, or one thing."""

import pytest

from groundwork.answer.question import parts, wants_list


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "How much is a cargo bike per day? When does the shop open on Sunday?",
            ["How much is a cargo bike per day", "When does the shop open on Sunday"],
        ),
        (
            "What does a tandem cost per day, and how long does the battery charge?",
            ["What does a tandem cost per day", "how long does the battery charge"],
        ),
        (
            "Where is the nearest city shop and from which station do buses run?",
            ["Where is the nearest city shop", "from which station do buses run"],
        ),
        (
            "Must I pay a deposit on Monday; may dogs ride a cargo bike?",
            ["Must I pay a deposit on Monday", "may dogs ride a cargo bike"],
        ),
    ],
)
def test_question_is_cut_where_another_begins(question: str, expected: list[str]) -> None:
    """At a question mark, a semicolon, or "and" before a question word or preposition."""
    assert parts(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "How much is a cargo bike per day?",
        "How much are a helmet and a lock per day?",
        "Is a 7.4 kW charger enough for one night?",
        "What does it cost? Thanks!",
        "What is a deposit and why?",
        "I hire a tandem on Monday. Who pays the late return fee?",
        "How far does the battery last on flat ground and in winter at minus ten degrees?",
        "",
    ],
)
def test_one_question_has_no_parts(question: str) -> None:
    """Neither "and" between nouns, nor a rest of two words of meaning, nor a part that asks nothing
    makes a second one."""
    assert parts(question) == []


@pytest.mark.parametrize(
    "question",
    [
        "What steps do I follow to return a bicycle?",
        "Give me a checklist for winter",
        "What are the tools I need?",
        "Which tools are needed?",
        "What should I bring?",
        "How do I return a bicycle?",
        "Where can we park?",
        "What safety checks come first?",
    ],
)
def test_lists_and_steps_are_asked_for(question: str) -> None:
    """Plural and procedural questions."""
    assert wants_list(question)


@pytest.mark.parametrize(
    "question",
    ["How much is a tandem?", "When does the shop open?", "Why does the range fall in winter?"],
)
def test_single_facts_are_no_lists(question: str) -> None:
    """A number, a time, a cause."""
    assert not wants_list(question)

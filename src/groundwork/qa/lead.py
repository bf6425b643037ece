"""What a page is about, put before a question that does not say so itself.

In: titles of pages. Out: "About idle fees and waiting your turn: must a driver …?" or "When the
connector is stuck, …?". A sentence that is plain on its page may be asked of a dozen things
elsewhere: most of what readers found unsound in generated questions lacked its context.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from groundwork.qa.clause import tidy
from groundwork.qa.headings import OCCASION, bare_heading
from groundwork.qa.lexicon import BE, MODALS, words
from groundwork.qa.specific import named
from groundwork.qa.words import soften
from groundwork.records import Question

ENOUGH = 0.6
"""Share of the topic's words with which a question tells itself what it is about."""
MAX_WORDS = 10
_COLLECTION = re.compile(
    r"(?:home|news|index)\b(?:.{0,20}$)"
    r"|.*\b(?:glossary|letters|checklist|workbook|faq|worked examples)\b",
    re.IGNORECASE,
)
"""Titles of pages that hold a bit of everything."""
_LATER = re.compile(r",? (?:explained|step by step|in detail|at a glance)$", re.IGNORECASE)
_ASKING = re.compile(r"\b(?:how|why|what|when|where|which|who|whether|that) ", re.IGNORECASE)
_OPENERS = BE | MODALS | words("do does did has have how why what when where which who")
_FINITE = re.compile(rf"\b(?:{'|'.join(sorted(BE | MODALS))})\b", re.IGNORECASE)
_LEAD = re.compile(r"About [^:?]{3,120}: ")


def lead_of(title: str, *, heading: str = "", seen: str) -> str:
    """The words to put before a question, with their mark; empty when the title names no topic.

    `heading`: of the section, where it is to be named, too: "About X (how long a swap takes):".
    """
    parts = [part.strip(" .!–—-") for part in re.split(r"(?<=\?)\s|:", title)]
    said = [part for part in parts if part and not part.endswith("?")]
    section = _short(bare_heading(heading), seen)
    if not said or _COLLECTION.match(said[0]):
        return f"About {section}:" if section else ""
    text = _short(_LATER.sub("", said[0]), seen)
    if not text:
        return ""
    within = f" ({section})" if section and section != text else ""
    return f"When {text}{within}," if _is_sentence(text) else f"About {text}{within}:"


def _short(text: str, seen: str) -> str:
    """As it stands inside a sentence; empty when it is long, asks or names nothing."""
    fits = len(text.split()) <= MAX_WORDS and not text.endswith("?") and named(text)
    return soften(text, seen) if fits else ""


def _is_sentence(text: str) -> bool:
    finite = _FINITE.search(text)
    return finite is not None and not _ASKING.search(text[: finite.start()])


def names_section(question: str, *, title: str, heading: str) -> bool:
    """Whether a question, or its page's title, names most of what its section is about."""
    wanted = named(bare_heading(heading)) - named(title)
    return len(named(question) & wanted) >= ENOUGH * len(wanted)


def without_lead(question: str) -> str:
    """What is asked, without "About …:"."""
    return _LEAD.sub("", question)


def as_people_ask(questions: Sequence[Question]) -> list[Question]:
    """The same without their leads: for those who learn from them what people ask."""
    return [replace(found, question=without_lead(found.question)) for found in questions]


def with_lead(question: str, lead: str) -> str:
    """The question, told what it is about where it does not name most of that itself."""
    wanted = named(lead.removeprefix("About ").removeprefix("When "))
    told = len(named(question) & wanted) >= ENOUGH * len(wanted)
    if not lead or told or (lead.startswith("When ") and OCCASION.match(question)):
        return question
    first, _, rest = question.partition(" ")
    begins = first.lower() if first.lower() in _OPENERS else soften(question, "").split()[0]
    return tidy(f"{lead} {begins} {rest}")

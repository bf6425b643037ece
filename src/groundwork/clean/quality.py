"""Is a document worth keeping? Named rules, each with the number that decided."""

import re

from groundwork.clean.config import QualityConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.reasons import Reason

_WORD = re.compile(r"[^\W_]+")
_CODE = re.compile(r"^\s*```.*?(?:^\s*```$|\Z)", re.M | re.S)
_NOT_FOUND = re.compile(
    r"(?:error\s*)?404\b.*|.*\b(?:page|seite|site|página|pagina)\b.{0,20}\bnot? (?:be )?found.*"
    r"|not found|.*\bseite\b.{0,20}\bnicht gefunden.*|.*\bpage (?:introuvable|non trouvée).*"
    r"|.*\bpágina no encontrada.*|.*\bpagina niet gevonden.*",
    re.I,
)


def find_fault(
    extraction: Extraction, *, language: str, languages: list[str], config: QualityConfig
) -> tuple[Reason, str] | None:
    """The first rule that the document breaks with its particulars, or None.

    `languages` are those to keep; an empty list keeps all.
    """
    text = extraction.text
    words = len(_WORD.findall(text))
    if not extraction.title:
        return Reason.NO_TITLE, "neither heading nor title nor metadata name one"
    if words < config.soft_404_words and _NOT_FOUND.fullmatch(extraction.title.strip()):
        return Reason.SOFT_404, f"its title is {extraction.title!r} and it has {words} words"
    if extraction.link_share > config.max_link_share:
        return Reason.LINK_LIST, _share(
            "text in links", extraction.link_share, "at most", config.max_link_share
        )
    if words < config.min_words:
        return Reason.TOO_SHORT, f"{words} words; expected at least {config.min_words}"
    if len(text) > config.max_chars:
        return Reason.TOO_LONG, f"{len(text)} characters; expected at most {config.max_chars}"
    letters = _letter_share(text)
    if letters < config.min_letter_share:
        return Reason.FEW_LETTERS, _share("letters", letters, "at least", config.min_letter_share)
    repeated = _repeated_share(text)
    if repeated > config.max_repeated_share:
        return Reason.REPEATED_LINES, _share(
            "text in repeated lines", repeated, "at most", config.max_repeated_share
        )
    if languages and language not in languages:
        return Reason.WRONG_LANGUAGE, f"{language}; expected {' or '.join(languages)}"
    return None


def _share(what: str, value: float, bound: str, limit: float) -> str:
    return f"share of {what} is {value:.2f}; expected {bound} {limit}"


def _letter_share(text: str) -> float:
    """Letters among the signs of prose; code and the lines of tables do not count."""
    prose = re.sub(r"[|\s-]", "", _CODE.sub("", text))
    return sum(map(str.isalpha, prose)) / len(prose) if prose else 1.0


def _repeated_share(text: str) -> float:
    """Characters of lines of prose that stood before, of all characters of the text."""
    seen: set[str] = set()
    repeated = 0
    for line in (line.strip() for line in _CODE.sub("", text).split("\n")):
        if line in seen:
            repeated += len(line)
        elif not line.startswith(("|", "#")):
            seen.add(line)
    return repeated / len(text) if text else 0.0

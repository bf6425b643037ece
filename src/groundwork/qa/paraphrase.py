"""The same question in other words, so that it does not repeat the passage's.

In: a question that a rule made. Out: the question with another frame and with words of the same
meaning. Where too little can be said in other words there is none.
"""

import re

from groundwork.qa.lexicon import SYNONYMS

MIN_CHANGES = 2
"""Content words that must differ; a frame of its own counts as one."""
_FRAMES = (
    (r"Why should you not (?P<a>.+)", "What is the reason not to {a}"),
    (r"Why should you (?P<a>.+)", "What is the reason to {a}"),
    (r"Why (?P<a>(?:do|does|did|is|are|was|were|can|could|must|should|will|would|has|have) .+)",
     "For what reason {a}"),
    (r"Should you (?P<a>.+)", "Is it advisable to {a}"),
    (r"How do you (?P<a>.+)", "What is the way to {a}"),
    (r"What should you do (?P<a>(?:if|when|before|after|once|where) .+)", "How should one act {a}"),
    (r"What happens (?P<a>(?:if|when|once) .+)", "What follows {a}"),
    (r"What is the difference between (?P<a>.+) and (?P<b>.+)", "How do {a} and {b} differ"),
    (r"How do (?P<a>.+) and (?P<b>.+) differ in (?P<c>.+)",
     "What is the difference in {c} between {a} and {b}"),
    (r"Which has the higher (?P<a>.+), (?P<b>.+) or (?P<c>.+)", "Is the {a} higher for {b} or for {c}"),
    (r"How many kilowatt-hours (?P<a>(?:does|do|did|can|is|are|would|must) .+)", "How much energy {a}"),
    (r"How much power (?P<a>(?:does|do|did|can|is|are|would|must) .+)", "How many kilowatts {a}"),
    (r"How many amps (?P<a>.+)", "What current {a}"),
    (r"How long (?P<a>(?:does|do|did|can|will) .+ take.*)", "How much time {a}"),
    (r"What percentage (?P<a>.+)", "How many per cent {a}"),
    (r"What does (?P<a>[\w-]+(?: [\w-]+){0,3}) mean", "How is {a} to be understood"),
    (r"What does (?P<a>.+) stand for", "What is {a} short for"),
    (r"Who (?P<a>(?:must|has to|can|may|should|will) .+)", "Which people or companies {a}"),
    (r"Which (?P<a>[a-z ]+) has (?:an?) (?P<b>[a-z ]+) of (?P<c>.+)", "For which {a} is the {b} {c}"),
)  # fmt: skip


def paraphrase(question: str) -> str:
    """The question in other words; empty when too few of them can be exchanged."""
    text = question.rstrip("?")
    framed = _reframed(text)
    words, exchanged = _exchanged(framed or text)
    if exchanged + bool(framed) < MIN_CHANGES:
        return ""
    return f"{words[0].upper()}{words[1:]}?"


def _reframed(text: str) -> str:
    for pattern, frame in _FRAMES:
        match = re.fullmatch(pattern, text)
        if match is not None:
            return frame.format(**match.groupdict())
    return ""


def _exchanged(text: str) -> tuple[str, int]:
    """The text with every word that has a synonym exchanged, and how many were."""
    count = 0

    def other(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return SYNONYMS[match.group()].replace("-", " ")

    names = "|".join(re.escape(word) for word in sorted(SYNONYMS, key=len, reverse=True))
    changed = re.sub(rf"(?<![\w-])(?:{names})(?![\w-])", other, text)
    return changed, count

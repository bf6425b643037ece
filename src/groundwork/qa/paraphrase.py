"""The same question in other words: an augmentation, off unless `qa.rules.paraphrases` asks for it.

In: a question that a rule made. Out: the question with another frame and with words of the same
meaning. Where too little can be said in other words there is none.
"""

import re

from groundwork.qa.lexicon import SYNONYMS

MIN_CHANGES = 2
"""Words that must differ; a frame of its own counts as one."""
_ASKED = r"(?:does|do|did|can|is|are|would|must|could|should|was|were|will|has|have) .+"
_FRAMES = (
    (r"Why should you not (?P<a>.+)", "What is the reason not to {a}"),
    (r"Why should you (?P<a>.+)", "What is the reason to {a}"),
    (rf"Why (?P<a>{_ASKED})", "For what reason {a}"),
    (r"Should you (?P<a>.+)", "Is it advisable to {a}"),
    (r"How do you (?P<a>.+)", "What is the way to {a}"),
    (r"What should you do (?P<a>(?:if|when|before|after) .+)", "How should one act {a}"),
    (r"What happens (?P<a>(?:if|when|once) .+)", "What follows {a}"),
    (r"What is the difference between (?P<a>.+) and (?P<b>.+)", "How do {a} and {b} differ"),
    (r"How do (?P<a>.+) and (?P<b>.+) differ in (?P<c>.+)", "In {c}, what sets {a} and {b} apart"),
    (r"Which has the higher (?P<a>.+), (?P<b>.+) or (?P<c>.+)", "Is the {a} higher for {b} or {c}"),
    (rf"How many kilowatt-hours (?P<a>{_ASKED})", "How much energy {a}"),
    (rf"How much power (?P<a>{_ASKED})", "How many kilowatts {a}"),
    (r"How many amps (?P<a>.+)", "What current {a}"),
    (r"What percentage (?P<a>.+)", "How many per cent {a}"),
    (r"What does (?P<a>.+) stand for", "What is {a} short for"),
    (r"Which (?P<a>[a-z ]+) has an? (?P<b>[a-z ]+) of (?P<c>.+)", "For which {a} is the {b} {c}"),
)


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
    names = "|".join(re.escape(word) for word in sorted(SYNONYMS, key=len, reverse=True))
    return re.subn(
        rf"(?<![\w-])(?:{names})(?![\w-])(?! park)",
        lambda match: SYNONYMS[match.group()].replace("-", " "),
        text,
    )

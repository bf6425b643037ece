"""Words of a sentence with their parts of speech, without a model.

In: plain text. Out: tokens with their offsets, so that questions are cut from the text itself.
Tags are Penn Treebank's, from the lexicon and rules of Brill's tagger that come with `textblob`;
quantities ("7.4 kW", "ten hours") and names ("Type 2", "ISO 15118") are one token each.
"""

import re
import warnings
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from groundwork.qa.lexicon import BE, MODALS, PARTICIPLES, VERBS

MIN_KNOWN = 0.7
"""Share of small words in the lexicon; English has 0.8 and more, German mostly less than 0.7."""
FINITE = frozenset({"VBZ", "VBP", "VBD", "MD"})
NOUNS = frozenset({"NN", "NNS", "NNP", "NNPS"})
RELATIVE = frozenset({"WDT", "WP", "WP$", "WRB"})
QUANTITY = "QTY"
_NUMBER_WORDS = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|sixteen|twenty|thirty|"
    "forty|fifty|sixty|ninety"
)
_NUMBER = r"\d+(?:[.,]\d+)*"
_UNITS = (
    r"kilowatt-hours?|kilowatts?|megawatts?|kVA|kWh|MWh|Wh|kW|MW|W|milliamps?|mA|amperes?|amps?|A"
    r"|kV|volts?|V|kΩ|Ω|ohms?|kHz|GHz|MHz|Hz|°C|°F|%|per\s?cent|pence|p|pounds?|euros?|dollars?"
    r"|kilometres?|km|miles?|mph|mm²|mm|cm|metres?|m|kg|tonnes?|t|seconds?|minutes?|min|hours?|h"
    r"|days?|weeks?|months?|years?|GB|MB|percentage\spoints?|points?|bits?|bytes?"
)
_RATE = r"(?:\s?(?:/|per\s)\s?(?:kWh|miles?|km|minute|min|hour|h|day|week|month|year|100\skm))?"
_QUANTITY = (
    rf"(?:[£€$]\s?{_NUMBER}(?:\s?(?:–|-|to)\s?[£€$]?{_NUMBER})?(?!\w){_RATE}"
    rf"|(?:{_NUMBER}(?:\s?(?:–|to)\s?{_NUMBER})?|\b(?:{_NUMBER_WORDS}))[\s-]?"
    rf"(?:{_UNITS})(?![\w-]){_RATE})"
)
_TOKEN = re.compile(
    rf"(?P<qty>{_QUANTITY})"
    r"|(?P<name>\b(?:Type|Mode|Level|ISO|IEC|EN|BS|Article|Regulation|Part|State|Class|Section)"
    r"\s[A-Z]?\d[\w.:-]*\w|\b(?:Type|Mode|Level|Article|Part|State|Class|Section)\s[A-Z0-9]\b)"
    r"|(?P<number>\d+(?:[.,:]\d+)*(?![\w-]))"
    r"|(?P<word>\w(?:[\w'’./&+*-]*\w)?)"
    r"|(?P<mark>\S)"
)
_SUFFIX = re.compile(r"(?:ed|ing|ly|s|tion|er|al|ic|able|ous|ive|ity|ment|ness|ance|ence)$")
"""Endings that unknown words share with common ones rather than with names."""
_NAME = re.compile(
    r"(?:Type|Mode|Level|Article|Regulation|Part|State|Class|Section) (?:\d|[A-Z]\b)"
)
_UNIT = re.compile(rf"(?:{_UNITS}){_RATE}$")
_NEGATED = {
    "cannot": "can", "can't": "can", "won't": "will", "don't": "do", "doesn't": "does",
    "isn't": "is", "aren't": "are", "wasn't": "was", "mustn't": "must", "shouldn't": "should",
    "didn't": "did", "hasn't": "has", "haven't": "have", "wouldn't": "would",
}  # fmt: skip
_KNOWN = {"rely": "VBP", "while": "IN", "whilst": "IN"}
"""Words that the lexicon lacks or tags in a way that misleads."""
_IRREGULAR = {
    "has": "have", "does": "do", "goes": "go", "had": "have", "did": "do", "became": "become",
    "began": "begin", "came": "come", "fell": "fall", "gave": "give", "made": "make",
    "rose": "rise", "took": "take", "went": "go", "ran": "run", "set": "set", "put": "put",
    "cost": "cost", "kept": "keep", "held": "hold", "left": "leave", "brought": "bring",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """A word, quantity, name or mark: `text[start:end]` of its sentence."""

    text: str
    tag: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        """The text in small letters."""
        return self.text.lower()


@lru_cache(maxsize=1)
def _tagger() -> Any:
    """The tagger of `textblob.en`, made as that module makes it but without what it imports.

    `import textblob` imports nltk with scipy and scikit-learn: 1.3 s, most of what the questions
    of one page take.
    """
    package = find_spec("textblob")
    assert package, "requirements.lock pins textblob"
    assert package.origin
    folder = Path(package.origin).parent
    spec = spec_from_file_location("textblob._text", folder / "_text.py")
    assert spec, "a file with a name"
    assert spec.loader
    text = module_from_spec(spec)
    spec.loader.exec_module(text)
    names = ("morphology", "context", "entities")
    files = {name: str(folder / "en" / f"en-{name}.txt") for name in names}
    lexicon = text.Lexicon(path=str(folder / "en" / "en-lexicon.txt"), language="en", **files)
    parser = text.Parser(lexicon=lexicon, default=("NN", "NNP", "CD"), language="en")
    with warnings.catch_warnings():
        # textblob 0.20 reads its word lists on first use and leaves the files to the collector.
        warnings.simplefilter("ignore", ResourceWarning)
        parser.find_tags(["word"])
    return parser


@lru_cache(maxsize=20_000)
def tokens_of(text: str) -> tuple[Token, ...]:
    """Tokens of a sentence in order, tagged."""
    found = [Token(m.group(), _fixed_tag(m), m.start(), m.end()) for m in _TOKEN.finditer(text)]
    words = [_tagger_word(token) for token in found]
    tags = [str(tag) for _, tag in _tagger().find_tags(words)] if words else []
    tags = [_KNOWN.get(word.lower(), tag) for word, tag in zip(words, tags, strict=True)]
    tagged = [
        token if token.tag else replace(token, tag=tag)
        for token, tag in zip(found, tags, strict=True)
    ]
    return tuple(_mend(tagged, position) for position in range(len(tagged)))


def _fixed_tag(match: re.Match[str]) -> str:
    kinds = {"qty": QUANTITY, "name": "NNP", "number": "CD", "mark": match.group()}
    return kinds.get(match.lastgroup or "", "")


def _tagger_word(token: Token) -> str:
    fixed = {QUANTITY: "7", "NNP": "Paris", "CD": "7"}
    return fixed.get(token.tag, token.text)


def _mend(tokens: list[Token], position: int) -> Token:
    """Correct what the tagger often gets wrong in technical prose."""
    token = tokens[position]
    before = tokens[position - 1] if position else None
    after = tokens[position + 1] if position + 1 < len(tokens) else None
    word = token.lower.replace("’", "'")
    if word in MODALS or word in _NEGATED:
        return replace(token, tag="MD" if _NEGATED.get(word, word) in MODALS else "VBZ")
    if word in BE or word in ("has", "does"):
        return replace(token, tag="VBZ")
    if before is None or after is None:
        return token
    opens = after.tag in {"DT", "PRP$", "CD", QUANTITY, "TO", "RB", "PRP", "RP", "IN"}
    if token.tag == "NNS" and before.tag == "CC" and after.tag in {"DT", "PRP$"} and word in VERBS:
        return replace(token, tag="VBZ")
    names = before.tag in {"NN", "NNP", QUANTITY}
    certain = word in VERBS or (after.tag in {"DT", "PRP$"} and names)
    opens = opens or (after.tag in {"VBG", "JJ", "NN"} and before.tag == "NNP")
    if token.tag == "NNS" and (names or before.tag == "RB") and opens and certain:
        return replace(token, tag="VBZ")
    plural = before.tag == "NNS" or (before.tag == "RB" and position > 1)
    if token.tag in {"VB", "NN"} and plural and f"{word}s" in VERBS and opens:
        return replace(token, tag="VBP")
    if token.tag == "VB" and before.tag in {"NNS", "NNPS"}:
        return replace(token, tag="VBP")
    if token.tag == "VBD" and word in PARTICIPLES:
        return replace(token, tag="VBN")
    return token


def unit_of(quantity: str) -> str:
    """The unit at the end of a quantity, a currency sign for amounts; empty when there is none."""
    if quantity[:1] in "£€$":
        return quantity[0]
    found = _UNIT.search(quantity)
    return found.group() if found else ""


def negation(token: Token) -> str:
    """The auxiliary inside "cannot" or "doesn't"; empty for any other word."""
    return _NEGATED.get(token.lower.replace("’", "'"), "")


def knows(word: str, *tags: str) -> bool:
    """Whether the lexicon lists `word` (with one of `tags`, if any are given)."""
    tag = _tagger().lexicon.get(word)
    return tag is not None and (not tags or tag in tags)


def base_form(word: str) -> str:
    """Infinitive of a finite verb: "carries" -> "carry"; empty when it is not sure."""
    word = word.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if re.search(r"(?:ss|sh|ch|x|zz|o)es$", word):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    if word.endswith("ied"):
        return f"{word[:-3]}y"
    if word.endswith("ed"):
        stems = (word[:-2], word[:-1], word[:-3])
        sure = [stem for stem in stems if knows(stem, "VB", "VBP")]
        return next(iter(sure), next((s for s in stems[1:] + stems[:1] if knows(s, "NN")), ""))
    return ""


def opens_with_verb(tokens: tuple[Token, ...]) -> bool:
    """Whether the subject was left out: "Holds the contract with the driver"."""
    return len(tokens) > 1 and tokens[0].lower in VERBS and tokens[1].tag in {"DT", "PRP$"}


def is_english(text: str) -> bool:
    """Whether the English lexicon knows most of the words: the rules are for English alone."""
    words = re.findall(r"\b[a-z]{2,}\b", text)
    known = sum(knows(word) or knows(word.rstrip("s")) for word in words)
    return known >= MIN_KNOWN * len(words)


def soften(text: str, seen: str) -> str:
    """`text` with a small first letter, unless its first word is a name.

    A word is no name when the lexicon or the text `seen` holds it in small letters.
    """
    match = re.match(r"[^\W\d_][\w'’]*", text)
    if match is None or _NAME.match(text):
        return text
    first = match.group()
    small = first[0].lower() + first[1:]
    if re.match(r" [A-Z][a-z]", text[len(first) :]) and not knows(small, "DT", "IN", "PRP$", "CD"):
        return text
    owner = re.fullmatch(r"(.+)['’]s", small)
    if owner and not knows(owner[1]):
        return text
    if first == small or any(letter.isupper() for letter in first[1:]) or first == "I":
        return text
    if knows(small, "DT", "IN", "PRP$", "CD", "PRP"):
        return small + text[len(first) :]
    if re.search(rf"[a-z,] {re.escape(first)}\b", seen):
        return text
    is_common = knows(small) or knows(small.rstrip("s")) or re.search(rf"\b{small}\b", seen)
    is_name = knows(first, "NNP", "NNPS") and not knows(small)
    return (
        small + text[len(first) :] if (is_common or _SUFFIX.search(small)) and not is_name else text
    )

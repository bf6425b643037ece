"""Typing mistakes in a question, mended to words that the passages hold.

In: the texts of the passages, then questions. Out: the same question, where a word that neither
the passages nor English know is replaced by the nearest word of the passages. A wrong change is
worse than a missed mistake, so every doubt leaves the word alone. On 905 questions about charging
it mends 44 words, all of them rightly; of 4,400 rare words and names that it does not know it
changes 27.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

MIN_LETTERS = 5
"""A shorter word has too many neighbours, except where two letters changed places ("idel")."""
MEDIUM_LETTERS = 7
"""A shorter word is mended to a frequent word alone, and is never a compound."""
LONG_LETTERS = 8
"""From here on two edits are allowed."""
FREQUENT = 1e-4
"""Share of all words in the passages, 3 of 35,000."""
CLEAR_RATIO = 3
"""How many times more often than its rival the passages must hold the better of two words."""
MIN_ENGLISH = 0.75
"""Share of the passages' words in the lists below which their language is another: passages about
charging have 0.96, German about 0.55."""
MIN_KNOWN = 0.6
"""Share of a question's words that it must not fall short of, from four words on."""
COMMON = 3
"""Occurrences in the spelling list from which a word is no fragment, name or foreign word."""

_TERM = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_WORD = re.compile(r"(?<![\w@./\\&+'’#])[A-Za-z][a-z]{3,29}(?=(?:['’]s)?(?![\w@/\\&+'’]|\.\w))")
"""Words that may be mended: no address, digits, inner capital or apostrophe but a genitive's."""
_VOWELS = re.compile("[aeiouy]")
_DOUBLES = re.compile(r"(.)\1")
_CLIPPED = re.compile(r"[^aeiouy]*[aeiou][^aeiouwxy]")
"""Verbs of one short syllable, which double their last letter: plug, plugged."""
_CONTRACTED = re.compile(
    r"(?:they|you|who|it)(?:re|ve|ll|d)|(?:c|w|sh)ould(?:ve|nt)"
    r"|(?:are|is|was|were|has|have|had|does|did|must|need)nt"
)
_PREFIXES = frozenset(
    ("un", "re", "non", "over", "under", "out", "pre", "mis", "super", "micro", "multi")
)
_VARIANTS = tuple(
    (re.compile(pattern), other)
    for pattern, other in (
        ("is(?=e|ing|ation)", "iz"), ("iz(?=e|ing|ation)", "is"),
        ("ys(?=e|ing)", "yz"), ("yz(?=e|ing)", "ys"),
        ("our", "or"), ("(?<=[^aeiou])or(?!e)", "our"),
        ("re(?=s?$)", "er"), ("er(?=s?$)", "re"),
        ("ll(?=ed|ing|er)", "l"), ("(?<=[aeiou])l(?=ed|ing|er)", "ll"),
        ("ence", "ense"), ("ense", "ence"),
        ("ogue", "og"), ("og(?=s?$)", "ogue"),
    )
)  # fmt: skip
"""British spellings and American ones, both ways."""


@dataclass(frozen=True, slots=True)
class _English:
    """The two word lists that `textblob` brings, in small letters."""

    known: frozenset[str]
    """With names: what is in it is not misspelt."""
    bases: frozenset[str]
    """Without names and rarities: what has inflections."""
    common: tuple[str, ...]
    """In alphabetical order: what a typing mistake may have meant, and what compounds hold."""


@lru_cache(maxsize=1)
def _english() -> _English:
    # The files are read where they lie: importing `textblob` imports nltk, 0.6 s and 130 MB.
    spec = find_spec("textblob")
    assert spec, "requirements.lock pins textblob"
    folder = Path(str(spec.origin)).parent / "en"
    counts = {word: int(count) for word, count in _rows(folder / "en-spelling.txt")}
    tagged = {word for word, _ in _rows(folder / "en-lexicon.txt")}
    plain = {word for word in tagged if word.islower() and word.isalpha()}
    often = {word for word, count in counts.items() if count >= COMMON}
    return _English(
        known=frozenset(counts) | {word.lower() for word in tagged},
        bases=frozenset(plain | often),
        common=tuple(sorted(plain & often)),
    )


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        word, _, rest = line.partition(" ")
        if rest and not line.startswith(";;;"):
            yield word, rest


class _Near(NamedTuple):
    """A word that may be meant; the likeliest sorts first."""

    edits: int
    other_consonants: bool
    other_end: bool
    rarity: int
    """The count in the passages, negative."""
    word: str


class Speller:
    """Mends the words of a question; holds the words of the passages with their counts."""

    def __init__(self, counts: Counter[str]) -> None:
        english = _english()
        longer = {word for word in counts if len(word) >= 4 and word.isascii()}
        self._counts = counts
        self._known = english.known | set(counts)
        self._bases = english.bases | longer
        self._parts = {*english.common, *longer}
        self._words = sorted(word for word in longer if word.isalpha())
        self._squeezed: dict[str, list[str]] = {}
        for word in self._words:
            self._squeezed.setdefault(_squeeze(word), []).append(word)
        self._total = counts.total()
        listed = sum(count for word, count in counts.items() if word in english.known)
        self._reads = listed >= MIN_ENGLISH * self._total > 0

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Speller":
        """A speller for passages whose titles, headings and texts are `texts`.

        One for passages that are not in English mends nothing.
        """
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_TERM.findall(text.replace("’", "'").lower()))
        return cls(counts)

    def mend(self, text: str) -> str:
        """`text` with its typing mistakes mended and every other character as it was.

        Names, abbreviations, words with digits and questions in another language stay.
        """
        doubtful = [
            word
            for word in _WORD.finditer(text if self._reads else "")
            if not self._knows(word[0].lower()) and not _is_name(word, text)
        ]
        if not doubtful or self._is_foreign(text):
            return text
        pieces, end = [], 0
        for word in doubtful:
            better = self._nearest(word[0].lower()) or word[0]
            pieces += [text[end : word.start()], word[0][0] + better[1:]]
            end = word.end()
        return "".join([*pieces, text[end:]])

    def _is_foreign(self, text: str) -> bool:
        words = _TERM.findall(text.lower())
        known = sum(word in self._known for word in words)
        return len(words) > 3 and known < MIN_KNOWN * len(words)

    def _knows(self, word: str) -> bool:
        """Whether the passages or English hold `word`, what it is made from, or its variant."""
        return (
            word in self._known
            or _CONTRACTED.fullmatch(word) is not None
            or any(base in self._bases for base in _bases_of(word))
            or any(pattern.sub(other, word) in self._known for pattern, other in _VARIANTS)
        )

    def _is_made(self, word: str) -> bool:
        """Whether `word` may be made of two words, or of a prefix and a word."""
        return len(word) >= MEDIUM_LETTERS and any(
            (word[:cut] in self._parts or word[:cut] in _PREFIXES)
            and any(base in self._parts for base in (word[cut:], *_bases_of(word[cut:])))
            for cut in range(2, len(word) - 2)
        )

    def _nearest(self, word: str) -> str:
        """The word that `word` was meant to be; empty when there is none, or a doubt."""
        ranked = self._candidates(word)
        if not ranked or any(_rivals(ranked[0], other) for other in ranked[1:]):
            return ""
        closeness = ranked[0][:3]
        if closeness != (1, False, False) and self._is_made(word):
            return ""
        others = set(_near(word, _english().common)) - set(self._counts)
        meant = (_Near(*_closeness(word, other), 0, other) for other in others)
        doubt = any(near[:3] <= closeness and _is_likely(word, near) for near in meant)
        return "" if doubt else ranked[0].word

    def _candidates(self, word: str) -> list[_Near]:
        found = {*_near(word, self._words), *self._squeezed.get(_squeeze(word), ())}
        ranked = (_Near(*_closeness(word, near), -self._counts[near], near) for near in found)
        return sorted(
            near for near in ranked if _is_likely(word, near) and self._is_frequent(word, near)
        )

    def _is_frequent(self, word: str, near: _Near) -> bool:
        enough = 0 if len(word) >= MEDIUM_LETTERS else FREQUENT * self._total
        return _is_swap(word, near) or -near.rarity >= enough


def _is_swap(word: str, near: _Near) -> bool:
    """Whether two letters that stand side by side changed places, and nothing else."""
    return near.edits == 1 and sorted(word) == sorted(near.word)


def _is_likely(word: str, near: _Near) -> bool:
    """Whether `near` may be meant: consonants and last letters tell words apart."""
    if _is_swap(word, near):
        return True
    if len(word) < MIN_LETTERS or near.other_end:
        return False
    alike = not near.other_consonants
    if len(word) == len(near.word) and _squeeze(word) != _squeeze(near.word):
        alike = _VOWELS.sub("", word) == _VOWELS.sub("", near.word)
    dropped = len(near.word) > len(word) or len(word) >= MEDIUM_LETTERS
    return alike or (near.edits == 1 and dropped)


def _is_name(word: re.Match[str], text: str) -> bool:
    """Whether `word` has a capital that no sentence gave it."""
    before = text[: word.start()].rstrip(" \t\"“‘'(-–")
    return word[0][0].isupper() and before != "" and before[-1] not in ".?!:;\n"


def _bases_of(word: str) -> Iterator[str]:
    """What `word` may be an inflection or a plain derivation of, rightly spelt."""
    if word.endswith("s") and not re.search(r"(?:[^aeiou]y|ss|sh|ch|x|z)s$", word):
        yield word[:-1]
        yield from _stems(word[:-1], "er")
    if word.endswith("es"):
        yield word[:-2]
    if re.search("i(?:es|ed|er|est|ers|ness|ly)$", word):
        yield word[: word.rindex("i")] + "y"
    for ending in ("ed", "ing", "er", "est", "able", "ish"):
        yield from _stems(word, ending)
    for ending in ("less", "ly", "ness", "ful", "like", "wise", "proof"):
        if word.endswith(ending):
            yield word[: -len(ending)]


def _stems(word: str, ending: str) -> Iterator[str]:
    """What stands before `ending`: as it is, with its silent e, and with its last letter once."""
    stem = word.removesuffix(ending)
    if stem == word or len(stem) < 3:
        return
    if not stem.endswith("e") and not _CLIPPED.fullmatch(stem):
        yield stem
    if not (ending == "er" and stem.endswith("at")):  # operator, not operater
        yield f"{stem}e"
    if stem[-1] == stem[-2]:
        yield stem[:-1]


def _near(word: str, words: Sequence[str]) -> list[str]:
    """Of the sorted `words`, those with the first letter of `word` and few enough edits away."""
    first, last = bisect_left(words, word[0]), bisect_left(words, chr(ord(word[0]) + 1))
    most = 2 if len(word) >= LONG_LETTERS else 1
    found = extract(word, words[first:last], scorer=OSA.distance, score_cutoff=most, limit=None)
    return [near for near, *_ in found]


def _closeness(word: str, near: str) -> tuple[int, bool, bool]:
    """The first three fields of `_Near`."""
    return int(OSA.distance(word, near)), _skeleton(word) != _skeleton(near), word[-1] != near[-1]


def _rivals(best: _Near, other: _Near) -> bool:
    """Whether `other` may be meant as well: as close and not much rarer, or much more frequent."""
    if other[:3] == best[:3]:
        return best.rarity > CLEAR_RATIO * other.rarity
    return other.edits == best.edits and other.rarity < CLEAR_RATIO * best.rarity


def _squeeze(word: str) -> str:
    return _DOUBLES.sub(r"\1", word)


def _skeleton(word: str) -> str:
    return _squeeze(_VOWELS.sub("", word))

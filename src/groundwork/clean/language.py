"""Languages of a document and of its single blocks, without any network.

In: an extraction. Out: the language of the page, which alone decides whether it is kept, and the
blocks that are written in another one. Both are remembered between runs.
"""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from groundwork.artifacts import code_version, sha256_bytes
from groundwork.clean.config import ForeignConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.repeated import is_prose, split_blocks, without_blocks
from groundwork.store import cached

SAMPLE_CHARS = 4000
"""Longer prose is read in as many parts of this length as `MAX_SAMPLES`, spread over it."""
MAX_SAMPLES = 8
SHORT_CHARS = 200
"""Below this a declared language is believed: the detector errs on a few words (3 of 19 titles)."""
MIN_WORDS = 8
"""Blocks with fewer are not looked at: names and commands are of no language."""
HERE = Path(__file__).parent
_WORD = re.compile(r"[^\W\d_]{2,}")
_NO_PROSE = re.compile(r"^```.*?^```|`[^`\n]*`|\[[A-Z]+\]|https?://\S+|[|#>*-]", re.M | re.S)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A block of prose in another language than its page."""

    text: str
    language: str
    """ISO 639-1."""
    probability: float
    words: int


@dataclass(frozen=True, slots=True)
class Languages:
    """Of a page and of those of its blocks that differ from it."""

    page: str
    """ISO 639-1."""
    foreign: tuple[Foreign, ...]


def read_languages(extraction: Extraction) -> Languages:
    """The language of a page and the blocks in others, now or from an earlier run."""
    told = [extraction.title, extraction.text, extraction.declared_language, _recipe()]
    key = sha256_bytes(json.dumps(told).encode())
    row = cached("language", key, lambda: asdict(_read(extraction)))
    return Languages(row["page"], tuple(Foreign(**block) for block in row["foreign"]))


@cache
def _recipe() -> str:
    code = code_version(HERE / "language.py", HERE / "repeated.py")
    return f"{code} {version('py3langid')}"


def _read(extraction: Extraction) -> Languages:
    page = detect_language(extraction)
    blocks = dict.fromkeys(filter(is_prose, split_blocks(extraction.text)))
    found = [_judge(block) for block in blocks]
    return Languages(page, tuple(item for item in found if item.language not in ("", page)))


def _judge(block: str) -> Foreign:
    """Language of a block; empty when it has too few words."""
    prose = _NO_PROSE.sub(" ", block)
    words = len(_WORD.findall(prose))
    if words < MIN_WORDS:
        return Foreign(block, "", 0.0, words)
    language, probability = _identifier().classify(prose)
    return Foreign(block, str(language), round(float(probability), 6), words)


def leave_out_foreign(
    extraction: Extraction, found: Languages, *, wanted: Sequence[str], config: ForeignConfig
) -> tuple[Extraction, list[Foreign]]:
    """The page without its blocks in languages that are not `wanted`, and those blocks.

    With nothing `wanted`, or `min_words` 0, the page stays whole.
    """
    if not wanted or not config.min_words:
        return extraction, []
    gone = [
        block
        for block in found.foreign
        if block.language not in wanted
        and block.words >= config.min_words
        and block.probability >= config.min_probability
    ]
    if not gone:
        return extraction, []
    text = without_blocks(extraction.text, {block.text for block in gone})
    return replace(extraction, text=text), gone


def detect_language(extraction: Extraction) -> str:
    """ISO 639-1 code of most of the prose of a document; code and addresses do not count."""
    prose = _NO_PROSE.sub(" ", extraction.text)
    if len(prose.strip()) < SHORT_CHARS and len(extraction.declared_language) == 2:
        return extraction.declared_language
    samples = [prose[start : start + SAMPLE_CHARS] for start in _starts(len(prose))]
    samples[0] = f"{extraction.title}\n{samples[0]}"
    votes = Counter(str(_identifier().classify(sample)[0]) for sample in samples)
    return votes.most_common(1)[0][0]  # of equals the one that comes first


def _starts(length: int) -> list[int]:
    count = min(max(length // SAMPLE_CHARS, 1), MAX_SAMPLES)
    step = (length - SAMPLE_CHARS) // (count - 1) if count > 1 else 0
    return [number * step for number in range(count)]

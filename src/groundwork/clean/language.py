"""Language of a document, without any network."""

import re
from collections import Counter
from functools import cache
from typing import Any

from groundwork.clean.extraction import Extraction

SAMPLE_CHARS = 4000
"""Longer prose is read in as many parts of this length as `MAX_SAMPLES`, spread over it."""
MAX_SAMPLES = 8
SHORT_CHARS = 200
"""Below this a declared language is believed: the detector errs on a few words (3 of 19 titles)."""
_NO_PROSE = re.compile(r"^```.*?^```|`[^`\n]*`|\[[A-Z]+\]|https?://\S+|[|#>*-]", re.M | re.S)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


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

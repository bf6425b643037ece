"""Language of a document, without any network."""

import re
from functools import cache
from typing import Any

from groundwork.clean.extraction import Extraction

SAMPLE_CHARS = 4000
SHORT_CHARS = 200
"""Below this a declared language is believed: the detector errs on a few words (3 of 19 titles)."""
_NO_PROSE = re.compile(r"^```.*?^```|`[^`\n]*`|\[[A-Z]+\]|https?://\S+|[|#>*-]", re.M | re.S)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def detect_language(extraction: Extraction) -> str:
    """ISO 639-1 code of the prose of a document; code and addresses do not count."""
    prose = _NO_PROSE.sub(" ", extraction.text)[:SAMPLE_CHARS]
    if len(prose.strip()) < SHORT_CHARS and len(extraction.declared_language) == 2:
        return extraction.declared_language
    language, _ = _identifier().classify(f"{extraction.title}\n{prose}")
    return str(language)

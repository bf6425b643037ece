"""The tagger of `textblob`, made without its package: the same tags, none of its imports."""

import subprocess
import sys
import warnings

from groundwork.qa.words import _tagger

TEXT = (
    "The operator quickly replaces 40 contactors in Garfordale before London's new meters arrive ; "
    "Whose relay sticks unreliably , drivers charging overnight have been told"
)


def test_tags_are_those_of_the_package() -> None:
    """Known words, names, numbers and words known by their ending alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # as in `words`
        from textblob.en import lexicon, parser

        expected = [tuple(pair) for pair in parser.find_tags(TEXT.split())]
    assert [tuple(pair) for pair in _tagger().find_tags(TEXT.split())] == expected
    assert {tag for _, tag in expected} >= {"CD", "DT", "NNP", "RB", "VBN", "VBZ"}
    assert dict(_tagger().lexicon) == dict(lexicon)


def test_nltk_is_not_imported() -> None:
    """It takes longer than the questions of a page."""
    code = "from groundwork.qa.words import tokens_of; import sys; tokens_of('Cars charge.')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print({{'nltk', 'textblob'}} & set(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"

"""A linear model over words and pairs of words, beside the head.

In: texts with their labels. Out: a score of each label, and one line a term in `words.jsonl`. It
knows names that the encoder never learned (a standard, a grant, a network), and errs elsewhere.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from groundwork.artifacts import read_jsonl, write_jsonl
from groundwork.classify.head import AGAIN
from groundwork.errors import ArtifactError

WORDS = "words.jsonl"
MIN_TEXTS = 2
"""A term of fewer texts is left out: three quarters of the terms, hardly any likelihood."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Words:
    """Weights of terms for each of `labels` labels; without terms every score is 0."""

    rows: Mapping[str, tuple[float, np.ndarray]]
    """Of each term its inverse document frequency and its weights (C,)."""
    labels: int

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        """Scores (B, C): distances from the labels' hyperplanes."""
        return np.array([self._score(text) for text in texts]).reshape(-1, self.labels)

    def _score(self, text: str) -> np.ndarray:
        found = Counter(term for term in terms(text) if term in self.rows)
        score_C, squares = np.zeros(self.labels), 0.0
        for term, count in found.items():
            idf, weights_C = self.rows[term]
            value = (1 + np.log(count)) * idf
            score_C += value * weights_C
            squares += value**2
        return score_C / np.sqrt(squares) if squares else score_C


def terms(text: str) -> list[str]:
    """Words in lower case, and pairs of neighbours."""
    words = _WORD.findall(text.lower())
    return [*words, *map(" ".join, pairwise(words))]


def fit_words(
    texts: Sequence[str], labels: Sequence[str], names: Sequence[str], *, seed: int
) -> Words:
    """A linear support vector machine for each label of `names`, over TF-IDF."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    counts = Counter(term for text in texts for term in set(terms(text)))
    known = sorted(term for term, count in counts.items() if count >= MIN_TEXTS)
    if not known:
        return Words({}, len(names))
    vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True, vocabulary=known)
    rows_BF = vectorizer.fit_transform(texts)
    numbers_B = [names.index(label) for label in labels]
    model = LinearSVC(fit_intercept=False, random_state=seed).fit(rows_BF, numbers_B)
    weights_FC = model.coef_.T.round(4)
    if len(names) == 2:  # one hyperplane for both
        weights_FC = np.hstack([-weights_FC, weights_FC])
    rows = zip(known, vectorizer.idf_.round(4).tolist(), weights_FC, strict=True)
    return Words({term: (idf, weights_C) for term, idf, weights_C in rows}, len(names))


def save_words(folder: Path, words: Words) -> None:
    """Write one line a term."""
    write_jsonl(
        folder / WORDS,
        [
            {"term": term, "idf": idf, "weights": weights_C.tolist()}
            for term, (idf, weights_C) in words.rows.items()
        ],
    )


def read_words(folder: Path, *, labels: int) -> Words:
    """The inverse of `save_words`; without terms where the file is missing: releases up to 0.1.

    Raises: `ArtifactError` when it is damaged or has another number of labels.
    """
    path = folder / WORDS
    lines = read_jsonl(path) if path.exists() else []
    try:
        rows = {
            line["term"]: (float(line["idf"]), np.array(line["weights"], dtype=float))
            for line in lines
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path}: damaged ({error}); {AGAIN}") from error
    for term, (_, weights_C) in rows.items():
        if weights_C.shape != (labels,):
            raise ArtifactError(
                f"{path}: {len(weights_C)} weights of {term!r}, expected {labels}; {AGAIN}"
            )
    return Words(rows, labels)

"""BM25 over stemmed English words, and the words themselves for other lexical features.

In: texts. Out: term lists, inverse document frequencies, a `bm25s` index saved without pickle.
"""

import logging
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from groundwork.errors import ArtifactError, InputError

if TYPE_CHECKING:
    import bm25s

_WORD = re.compile(r"[a-z0-9]+(?:[.,][0-9]+)*")
_STOPWORDS = """
a about above after again all also am an and any are as at be been before being but by can could
did do does doing done down during each else few for from further get gets getting give had has
have having he her here hers him his how i if in into is it its itself just ll me mine more most
my myself no nor not now of off on once one only or other our ours out over own please re same
she should so some such t than that the their theirs them then there these they this those
through to too under until up us use used using ve very want was we were what when where which
while who whom whose why will with would you your yours
"""
STOPWORDS = frozenset(_STOPWORDS.split())


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


def terms(text: str) -> list[str]:
    """Stemmed words of `text` without stop words, in order, numbers with decimals kept whole."""
    return list(_terms(text))


@lru_cache(maxsize=8192)
def _terms(text: str) -> tuple[str, ...]:
    """Remembered: each question is held against the same sentences."""
    return tuple(term for _, _, term in term_spans(text))


def term_spans(text: str) -> list[tuple[int, int, str]]:
    """The terms of `text` with the words that they come from: `text[start:end]`."""
    words = _WORD.finditer(text.lower().replace("\u2011", "-"))
    return [(*word.span(), _stem(word[0])) for word in words if word[0] not in STOPWORDS]


class Lexicon:
    """BM25 scores of passages for a question, and the weight of each term."""

    def __init__(self, model: "bm25s.BM25", *, size: int) -> None:
        self._model = model
        self.size = size
        self._postings = np.diff(model.scores["indptr"]) if size else np.zeros(0)

    @classmethod
    def build(cls, texts: Sequence[str], *, k1: float, b: float) -> "Lexicon":
        """Index `texts`; their positions are the ids that `scores` uses.

        Raises: `InputError` when no text holds a word.
        """
        import bm25s

        logging.getLogger("bm25s").setLevel(logging.WARNING)  # its import sets DEBUG
        model = bm25s.BM25(k1=k1, b=b)
        vocabulary: dict[str, int] = {}
        ids = []
        for text in texts:
            ids.append([vocabulary.setdefault(term, len(vocabulary)) for term in terms(text)])
        if not vocabulary:
            raise InputError(
                f"{len(texts)} passages hold no word in Latin letters; expected English text"
            )
        model.index((ids, vocabulary), show_progress=False)
        return cls(model, size=len(texts))

    @classmethod
    def load(cls, folder: Path, *, size: int) -> "Lexicon":
        """Read an index that `save` wrote for `size` passages."""
        import bm25s

        try:
            return cls(bm25s.BM25.load(str(folder), load_vocab=True, allow_pickle=False), size=size)
        except (OSError, ValueError, KeyError) as error:
            raise ArtifactError(
                f"{folder}: damaged BM25 index ({error}); "
                "run `dvc repro --force --single-item index`"
            ) from error

    def save(self, folder: Path) -> None:
        """Write arrays and vocabulary as .npy and JSON."""
        self._model.save(str(folder), allow_pickle=False, show_progress=False)

    def scores(self, question: str) -> np.ndarray:
        """BM25 of every passage -> float32 (N,); zeros when no word of the question is known."""
        known = [t for t in terms(question) if t in self._model.vocab_dict]
        if not known:
            return np.zeros(self.size, dtype=np.float32)
        return np.asarray(self._model.get_scores(known), dtype=np.float32)

    def knows(self, term: str) -> bool:
        """Whether any passage holds the stemmed `term`."""
        return term in self._model.vocab_dict

    def idf(self, term: str) -> float:
        """ln((N + 1) / (passages that hold the term + 0.5)); an unknown term has the most."""
        index = self._model.vocab_dict.get(term)
        count = 0 if index is None else int(self._postings[index])
        return float(np.log((self.size + 1) / (count + 0.5)))

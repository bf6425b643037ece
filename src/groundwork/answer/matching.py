"""Late interaction: how well each word of a question is met by a word of a sentence.

In: a question's tokens and those of the index's sentences. Out: similarities of the sentences
(ColBERT's MaxSim, Khattab and Zaharia 2020, arXiv:2004.12832, over the bundled encoder as it is).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from groundwork.index import TOKEN_SCALE, Index, Lexicon, term_spans

MIN_MATCH = 10
"""Letters from which a sentence inside a longer quote counts as evidence."""
BEST_TOKENS = 5
"""Tokens of a sentence that the reverse similarity is the mean of."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question as the encoder sees it."""

    vector_D: np.ndarray
    """Unit vector of the whole."""
    tokens_TP: np.ndarray
    """Unit vectors of the tokens that carry meaning."""
    weights_T: np.ndarray
    """Of those tokens: the rarity of their word, shared by its pieces; sums to 1."""


def make_query(
    text: str,
    vector_D: np.ndarray,
    tokens_TP: np.ndarray,
    *,
    spans: Sequence[tuple[int, int]],
    lexicon: Lexicon,
) -> Query:
    """Weigh the tokens of `text` by their words; without a word that counts, all weigh the same."""
    weights_T = np.zeros(len(spans))
    for start, end, term in term_spans(text):
        pieces = [i for i, (a, b) in enumerate(spans) if start <= a and b <= end]
        if pieces:
            weights_T[pieces] = lexicon.idf(term) / len(pieces)
    if not weights_T.any():
        weights_T[:] = 1.0
    kept = np.flatnonzero(weights_T)
    total = weights_T.sum() or 1.0
    return Query(vector_D, tokens_TP[kept], weights_T[kept] / total)


def squash(text: str) -> str:
    """Letters and digits alone, lower case: how a quote and its sentence are compared."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def is_evidence(sentence: str, quotes: Sequence[str]) -> bool:
    """Whether a sentence is one of `quotes` (squashed) or, if not short, part of or around one."""
    text = squash(sentence)
    if text in quotes:
        return True
    return len(text) >= MIN_MATCH and any(text in quote or quote in text for quote in quotes)


def token_match(query: Query, sentences: Sequence[int], index: Index) -> np.ndarray:
    """Similarity of the question to each sentence, and of the sentence to the question -> (S, 2).

    The first is the weighted mean, over the question's tokens, of the best cosine with a token of
    the sentence; the second the mean of the `BEST_TOKENS` best cosines of the sentence's tokens.
    A sentence without tokens gets zeros, as do all for a question without: one of characters that
    are not shown, say.
    """
    result_S2 = np.zeros((len(sentences), 2))
    for row, sentence in enumerate(sentences):
        first, last = index.first_token_S[sentence : sentence + 2]
        if first == last or not len(query.tokens_TP):
            continue
        cos_TT = _cosines(query, index, first, last)
        result_S2[row, 0] = query.weights_T @ cos_TT.max(axis=1)
        result_S2[row, 1] = np.sort(cos_TT.max(axis=0))[-BEST_TOKENS:].mean()
    return result_S2


def best_cosines(query: Query, passages: Sequence[int], index: Index) -> np.ndarray:
    """Best cosine of each of the question's tokens in each passage -> (K, T); 0 without tokens."""
    result_KT = np.zeros((len(passages), len(query.tokens_TP)))
    for row, passage in enumerate(passages):
        start, end = index.first_sentence_N[passage : passage + 2]
        first, last = index.first_token_S[start], index.first_token_S[end]
        if first < last:
            result_KT[row] = _cosines(query, index, first, last).max(axis=1)
    return result_KT


def _cosines(query: Query, index: Index, first: int, last: int) -> np.ndarray:
    tokens_MP = index.tokens_MP[first:last].astype(np.float32)
    return np.asarray(query.tokens_TP @ tokens_MP.T / TOKEN_SCALE)

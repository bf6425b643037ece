"""The extractive answerer: picks and orders the sentences that answer, word for word.

In: a question and its passages. Out: a `Draft` whose sentences stand in the passages.
"""

from collections.abc import Sequence

import numpy as np

from groundwork.answer.config import ExtractiveConfig
from groundwork.answer.draft import Draft, Support
from groundwork.answer.features import (
    FEATURES,
    Candidate,
    candidates,
    in_list,
    overlap,
    sentence_features,
)
from groundwork.answer.linear import Logistic
from groundwork.answer.question import parts, wants_list
from groundwork.answer.readable import readable
from groundwork.answer.retrieval import Retrieval
from groundwork.index import terms
from groundwork.records import Retrieved

SIGNALS = ("top_logit", "second_logit", "top_cosine", "answer_overlap", "entropy")
MIN_WORDS = 4
"""Words without a full stop below which prose is a label: the name of a tab, say."""
SAME = 0.8
"""Share of common words from which two sentences count as the same."""


class Extractive:
    """Chooses sentences by a logistic model over `FEATURES`."""

    name = "extractive"

    def __init__(self, retrieval: Retrieval, config: ExtractiveConfig, ranker: Logistic) -> None:
        self._retrieval = retrieval
        self._config = config
        self._ranker = ranker

    def draft(self, question: str, retrieved: Sequence[Retrieved]) -> Draft:
        """Up to `max_sentences` sentences; a list, where one is asked for, counts as one.

        A question that asks several things first gets the best sentence for each.
        """
        found = candidates(self._retrieval, retrieved)
        if not found:
            return Draft(supports=(), refused=True, signals=dict.fromkeys(SIGNALS, 0.0))
        features_SF = sentence_features(question, found, retrieved, self._retrieval)
        probability_S = self._ranker.probability(features_SF, FEATURES)
        chosen = self._choose(question, found, probability_S, retrieved)
        return Draft(
            supports=tuple(self._support(candidate) for candidate in chosen),
            refused=False,
            signals=self._signals(question, chosen, probability_S, features_SF),
        )

    def _choose(
        self,
        question: str,
        found: Sequence[Candidate],
        probability_S: np.ndarray,
        retrieved: Sequence[Retrieved],
    ) -> list[Candidate]:
        asked = parts(question)
        limit = self._config.max_sentences
        if not asked and wants_list(question) and (items := self._list(found, probability_S)):
            beside = self._best(found, probability_S, taken=items, limit=limit - 1)
            return in_reading_order([*items, *beside])
        chosen: list[Candidate] = []
        for part in asked[:limit]:
            features_SF = sentence_features(part, found, retrieved, self._retrieval)
            part_S = self._ranker.probability(features_SF, FEATURES)
            chosen += self._best(found, part_S, taken=chosen, limit=1)
        chosen += self._best(found, probability_S, taken=chosen, limit=limit - len(chosen))
        return in_reading_order(chosen)

    def _list(self, found: Sequence[Candidate], probability_S: np.ndarray) -> list[Candidate]:
        """The list that holds the best item, if that item comes close to the best sentence."""
        listed_S = np.array([in_list(candidate) for candidate in found])
        if not listed_S.any():
            return []
        item = int(np.argmax(np.where(listed_S, probability_S, -1.0)))
        if probability_S[item] < self._config.list_ratio * probability_S.max():
            return []
        around = list_around(found[item], found)
        size = self._config.max_list_items
        first = max(0, min(around.index(found[item]) - size + 1, len(around) - size))
        return around[first : first + size]

    def _best(
        self,
        found: Sequence[Candidate],
        probability_S: np.ndarray,
        *,
        taken: Sequence[Candidate],
        limit: int,
    ) -> list[Candidate]:
        floor = self._config.keep_ratio * float(probability_S.max())
        picks: list[Candidate] = []
        for position in np.argsort(-probability_S, kind="stable"):
            if len(picks) >= limit or probability_S[position] < floor:
                break
            candidate = found[position]
            if says_little(candidate):
                continue
            if not any(repeats(candidate, other) for other in (*taken, *picks)):
                picks.append(candidate)
        return picks

    def _signals(
        self,
        question: str,
        chosen: Sequence[Candidate],
        probability_S: np.ndarray,
        features_SF: np.ndarray,
    ) -> dict[str, float]:
        logit_S = np.sort(_logit(probability_S))[::-1]
        words = set(terms(" ".join(candidate.text for candidate in chosen)))
        return {
            "top_logit": float(logit_S[0]),
            "second_logit": float(logit_S[min(1, len(logit_S) - 1)]),
            "top_cosine": float(features_SF[:, 0].max()),
            "entropy": _entropy(logit_S),
            "answer_overlap": overlap(set(terms(question)), words, self._retrieval.index),
        }

    def _support(self, candidate: Candidate) -> Support:
        chunk = self._retrieval.index.chunks[candidate.passage]
        return Support(
            text=readable(chunk.text, start=candidate.start, end=candidate.end),
            passage_id=chunk.passage_id,
            quote=candidate.text,
        )


def _logit(probability_S: np.ndarray) -> np.ndarray:
    clipped_S = np.clip(probability_S, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(clipped_S / (1 - clipped_S)))


def _entropy(logit_S: np.ndarray) -> float:
    """Of the sentences' shares, in nats: how undecided the ranker is."""
    share_S = np.exp(logit_S - logit_S.max())
    share_S /= share_S.sum()
    return float(-(share_S * np.log(share_S + 1e-12)).sum())


def list_around(best: Candidate, found: Sequence[Candidate]) -> list[Candidate]:
    """The list or table that `best` belongs to or introduces, with its introduction.

    `best` alone when its list goes on in another passage.
    """
    same = [c for c in found if c.passage == best.passage]
    first = last = same.index(best)
    last += best.block == "prose"
    block = same[last].block if last < len(same) else "prose"
    if block == "prose":
        return [best]
    while last < len(same) and same[last].block == block:
        last += 1
    if best.block == "prose":
        return same[first:last]
    while first > 0 and same[first - 1].block == block:
        first -= 1
    introduced = first > 0 and same[first - 1].text.rstrip().endswith(":")
    return same[first - 1 if introduced else first : last]


def says_little(candidate: Candidate) -> bool:
    """Whether prose answers nothing by itself: it introduces a list, asks, or is a mere label."""
    text = candidate.text.rstrip()
    label = len(text.split()) < MIN_WORDS and not text.endswith((".", "!"))
    return candidate.block == "prose" and (label or text.endswith((":", "?")))


def repeats(one: Candidate, other: Candidate) -> bool:
    """Whether two sentences say the same: nearly the same words, as overlapping passages do."""
    a, b = set(terms(one.text)), set(terms(other.text))
    return bool(a and b) and len(a & b) >= SAME * min(len(a), len(b))


def in_reading_order(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Passages by their best sentence, sentences of a passage as they stand in it."""
    rank: dict[int, int] = {}
    for candidate in chosen:
        rank.setdefault(candidate.passage, len(rank))
    return sorted(chosen, key=lambda c: (rank[c.passage], c.start))

"""Learns, from questions whose evidence is known, which sentences to pick.

In: questions with evidence (labelled ones, validation pairs, the golden set's `dev` half). Out: the
ranker, stored in `calibration.json`. Nothing of a test split comes here.
"""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from groundwork.answer.features import FEATURES, candidates, sentence_features
from groundwork.answer.linear import Logistic, fit_listwise
from groundwork.answer.matching import is_evidence, squash
from groundwork.answer.retrieval import Retrieval
from groundwork.records import Question, Retrieved, Split

RANKER_PENALTY = 1e-3
"""L2 penalty of the sentence ranker; 3e-4, 1e-3 and 1e-2 are within .007 of each other in fact
coverage (cross-validation by page on the golden `dev` half)."""
GENERATED_WEIGHT = 0.2
"""Weight of a generated pair in the ranker beside a person's question: it repeats the page."""
GOLDEN_WEIGHT = 5.0
"""A question of a golden set's `dev` half counts as much as this many generated ones: it is what
users ask. Labelled questions count as one: with five, they drown `dev` (AUC .86 against .87)."""


def weight_of(question: Question) -> float:
    """How much a question counts."""
    return GOLDEN_WEIGHT if question.split == Split.DEV else 1.0


def fit_ranker(questions: Sequence[Question], retrieval: Retrieval) -> Logistic:
    """Learn which sentences are evidence, from answerable questions with their quotes."""
    lists, weights = [], []
    retrieval.remember([retrieval.mend(question.question) for question in questions])
    for question in tqdm(questions, desc="learn to rank", unit="question"):
        quotes = [squash(evidence.quote) for evidence in question.evidence]
        text = retrieval.mend(question.question)
        retrieved = retrieval.retrieve(text)
        found = candidates(retrieval, retrieved)
        if not quotes or not found:
            continue
        hits_S = np.array([is_evidence(c.text, quotes) for c in found])
        if hits_S.any():
            features_SF = sentence_features(text, found, retrieved, retrieval)
            lists.append((features_SF, hits_S))
            weights.append(1.0 if question.origin == "golden" else GENERATED_WEIGHT)
    if not lists:
        return Logistic(dict.fromkeys(FEATURES, 0.0) | {"cos_sentence": 6.0, "overlap": 4.0}, -4.0)
    return fit_listwise(lists, FEATURES, weights_Q=np.array(weights), penalty=RANKER_PENALTY)


def without_evidence(question: Question, retrieval: Retrieval) -> list[Retrieved]:
    """Passages for a question whose own documents are left out: a near miss, not an answer."""
    urls = {evidence.url for evidence in question.evidence}
    documents = sorted({c.document_id for c in retrieval.index.chunks if c.url in urls})
    return retrieval.retrieve(retrieval.mend(question.question), without=documents)

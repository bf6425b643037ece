"""Numbers that tell whether the passages hold the answer at all.

In: a question, its passages, a draft. Out: named signals, the same names for every question.
"""

import re
from collections.abc import Sequence

import numpy as np

from groundwork.answer.draft import Draft
from groundwork.answer.features import overlap
from groundwork.answer.retrieval import Retrieval
from groundwork.index import passage_text, terms
from groundwork.records import Retrieved

RETRIEVAL_SIGNALS = (
    "best_dense",
    "mean_dense",
    "best_sentence",
    "lexical_share",
    "overlap_first",
    "overlap_all",
    "missing_weight",
    "unknown_share",
    "missing_names",
    "log_terms",
)

_NAME = re.compile(r"(?<=[a-z,;)] )(?:[A-Z][\w-]*\d*|[A-Z]{2,}\w*)")


def retrieval_signals(
    question: str, retrieved: Sequence[Retrieved], retrieval: Retrieval
) -> dict[str, float]:
    """`RETRIEVAL_SIGNALS` of a question; zeros when nothing was retrieved."""
    if not retrieved:
        return dict.fromkeys(RETRIEVAL_SIGNALS, 0.0)
    index = retrieval.index
    asked = set(terms(question))
    weight = {term: index.lexicon.idf(term) for term in asked}
    total = sum(weight.values()) or 1.0
    texts = [passage_text(item.chunk) for item in retrieved]
    held = set(terms(" ".join(texts)))
    rarest = np.log(2 * (index.lexicon.size + 1))
    names = {name.lower() for name in _NAME.findall(question)}
    everything = " ".join(texts).lower()
    return {
        "best_dense": max(item.dense for item in retrieved),
        "mean_dense": float(np.mean([item.dense for item in retrieved])),
        "best_sentence": retrieval.best_sentence(question, retrieved),
        "lexical_share": max(item.lexical for item in retrieved) / total,
        "overlap_first": overlap(asked, set(terms(texts[0])), index),
        "overlap_all": overlap(asked, held, index),
        "missing_weight": max((weight[t] for t in asked - held), default=0.0) / rarest,
        "unknown_share": sum(w for t, w in weight.items() if not index.lexicon.knows(t)) / total,
        "missing_names": float(sum(name not in everything for name in names)),
        "log_terms": float(np.log1p(len(asked))),
    }


def all_signals(
    question: str, retrieved: Sequence[Retrieved], retrieval: Retrieval, draft: Draft
) -> dict[str, float]:
    """Signals of the retrieval and of the draft together."""
    return {**retrieval_signals(question, retrieved, retrieval), **draft.signals}

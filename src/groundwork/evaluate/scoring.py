"""Gives every row its scores.

`score` is the primary one, defined for every question: 1 when an unanswerable question is
refused, else 0; for an answerable one fact coverage where facts are known, else token F1, and 0
when it is refused.

A refusal says nothing, so an answerable question that is refused scores 0 in every comparison
with the reference. Scores that do not apply are None: comparisons for unanswerable questions,
groundedness of refusals, retrieval for questions without evidence, coverage without facts.
"""

from collections.abc import Sequence
from dataclasses import replace

from groundwork.evaluate.bertscore import bert_scores
from groundwork.evaluate.config import EvaluateConfig
from groundwork.evaluate.facts import fact_coverage
from groundwork.evaluate.grounding import groundedness
from groundwork.evaluate.overlap import bleu, exact_match, rouge, token_f1
from groundwork.evaluate.ragas_scores import context_scores, semantic_similarities
from groundwork.evaluate.ranking import ndcg_at, recall_at, reciprocal_rank
from groundwork.evaluate.row import Row
from groundwork.index import Encoder

Scores = dict[str, float | None]
Contexts = tuple[tuple[str, ...], tuple[str, ...]]
WORDING = (
    "exact_match",
    "token_f1",
    "rouge_1",
    "rouge_2",
    "rouge_l",
    "bleu",
    "bertscore",
    "semantic_similarity",
)


def score_rows(rows: Sequence[Row], encoder: Encoder, *, config: EvaluateConfig) -> list[Row]:
    """Return the rows in their order with `scores` filled in, the same keys in each.

    `encoder` embeds answers and references, each distinct text once. A score that a library
    could not compute stays NaN here, for `summarise` and the gate to refuse by name.
    """
    pairs = list(dict.fromkeys((r.plain_answer, r.reference) for r in rows if _is_compared(r)))
    meaning = dict(
        zip(
            pairs,
            zip(bert_scores(pairs), semantic_similarities(pairs, encoder), strict=True),
            strict=True,
        )
    )
    cases = list(dict.fromkeys(_contexts(row) for row in rows if row.evidence))
    contexts = dict(
        zip(cases, context_scores(cases, threshold=config.context_similarity), strict=True)
    )
    return [replace(row, scores=_rounded(_scores(row, meaning, contexts, config))) for row in rows]


def _scores(
    row: Row,
    meaning: dict[tuple[str, str], tuple[float, float]],
    contexts: dict[Contexts, tuple[float, float]],
    config: EvaluateConfig,
) -> Scores:
    wording = _wording(row, meaning)
    covered = _coverage(row)
    judged = covered if covered is not None else wording["token_f1"]
    return {
        "score": judged if row.answerable else float(row.refused),
        "refusal_accuracy": float(row.refused != row.answerable),
        "fact_coverage": covered,
        **wording,
        "grounded": _grounded(row, config.grounded_coverage),
        "cited_page": _cited_page(row),
        **_retrieval(row, config.recall_at),
        **dict(
            zip(
                ("context_precision", "context_recall"),
                contexts[_contexts(row)] if row.evidence else (None, None),
                strict=True,
            )
        ),
    }


def _is_compared(row: Row) -> bool:
    return row.answerable and not row.refused


def _contexts(row: Row) -> Contexts:
    return tuple(item.quote for item in row.evidence), row.retrieved_texts


def _wording(row: Row, meaning: dict[tuple[str, str], tuple[float, float]]) -> Scores:
    if not _is_compared(row):
        return dict.fromkeys(WORDING, 0.0 if row.answerable else None)
    answer, reference = row.plain_answer, row.reference
    bertscore, similarity = meaning[answer, reference]
    return {
        "exact_match": exact_match(answer, reference),
        "token_f1": token_f1(answer, reference),
        **rouge(answer, reference),
        "bleu": bleu(answer, reference),
        "bertscore": bertscore,
        "semantic_similarity": similarity,
    }


def _coverage(row: Row) -> float | None:
    if not row.answerable or not row.facts:
        return None
    return 0.0 if row.refused else fact_coverage(row.answer, row.facts)


def _grounded(row: Row, coverage: float) -> float | None:
    if row.refused:
        return None
    return groundedness(row.sentences, row.quotes, row.retrieved_texts, coverage=coverage)


def _cited_page(row: Row) -> float | None:
    """Whether an answer cites a page that the question needs."""
    if not _is_compared(row) or not row.pages:
        return None
    return float(bool(set(row.pages) & set(row.cited_urls)))


def _retrieval(row: Row, depths: Sequence[int]) -> Scores:
    names = [*(f"recall_at_{k}" for k in depths), "mrr", f"ndcg_at_{depths[-1]}"]
    if not row.pages:
        return dict.fromkeys(names)
    urls = row.retrieved_urls
    values = [recall_at(k, urls, row.pages) for k in depths]
    values += [reciprocal_rank(urls, row.pages), ndcg_at(depths[-1], urls, row.pages)]
    return dict(zip(names, values, strict=True))


def _rounded(scores: Scores) -> Scores:
    """Six decimals: what a file is read for, and blind to the last bits of a processor."""
    return {name: None if value is None else round(value, 6) for name, value in scores.items()}

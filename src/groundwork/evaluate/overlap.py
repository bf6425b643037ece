"""Scores that compare the wording of an answer with that of its reference; all in [0, 1]."""

import re
import string
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = str.maketrans("", "", string.punctuation)


def squad_words(text: str) -> list[str]:
    """SQuAD's normal form (Rajpurkar 2016): lower case, no ASCII punctuation, no articles."""
    return ARTICLES.sub(" ", text.lower().translate(PUNCTUATION)).split()


def exact_match(answer: str, reference: str) -> float:
    """1.0 when both texts have the same SQuAD words in the same order."""
    return float(squad_words(answer) == squad_words(reference))


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over SQuAD words; two empty texts agree."""
    found, wanted = squad_words(answer), squad_words(reference)
    if not found or not wanted:
        return float(found == wanted)
    shared = (Counter(found) & Counter(wanted)).total()
    return 2 * shared / (len(found) + len(wanted))


@lru_cache(maxsize=1)
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)


def rouge(answer: str, reference: str) -> dict[str, float]:
    """F-measures `rouge_1`, `rouge_2` and `rouge_l`, with Porter stemming, by rouge-score."""
    found = _rouge().score(reference, answer)
    return {f"rouge_{name[5:].lower()}": float(score.fmeasure) for name, score in found.items()}


@lru_cache(maxsize=2)
def _bleu(effective_order: bool) -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(effective_order=effective_order)


def bleu(answer: str, reference: str) -> float:
    """Sentence BLEU by sacrebleu; n-grams longer than the answer are left out."""
    return float(_bleu(True).sentence_score(answer, [reference]).score / 100)


def corpus_bleu(answers: Sequence[str], references: Sequence[str]) -> float:
    """Corpus BLEU by sacrebleu: n-gram counts are summed before precision is taken."""
    return float(_bleu(False).corpus_score(list(answers), [list(references)]).score / 100)

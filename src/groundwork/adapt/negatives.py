"""Hard negatives: passages that are like a question's own and do not answer it.

In: questions with their passages, vectors of the base encoder. Out: numbers of passages. Three
guards keep passages that answer after all out (Xiong et al. 2020, arXiv:2007.00808, find that
unguarded mining brings many): not of the same section, not nearer than a share of the positive's
cosine, and not holding the answer.
"""

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from groundwork.adapt.relevance import squashed
from groundwork.index import Lexicon, passage_text
from groundwork.records import Chunk, Question

DEPTH = 30
"""Passages that are looked at for each question, by cosine and by BM25 each."""
BM25 = {"k1": 1.5, "b": 0.75}


def mine_negatives(
    questions: Sequence[Question],
    positives: Sequence[int],
    *,
    chunks: Sequence[Chunk],
    questions_QD: np.ndarray,
    vectors_ND: np.ndarray,
    count: int,
    ceiling: float,
) -> list[list[int]]:
    """At most `count` negatives for each question, the most alike first."""
    if not count:
        return [[] for _ in questions]
    lexicon = Lexicon.build([passage_text(chunk) for chunk in chunks], **BM25)
    texts = [squashed(chunk.text) for chunk in chunks]
    found = []
    for row, question in enumerate(tqdm(questions, desc="mine negatives", unit="question")):
        cosine_N = vectors_ND @ questions_QD[row]
        lexical_N = lexicon.scores(question.question)
        score_N = cosine_N + lexical_N / max(float(lexical_N.max()), 1e-9)
        near = np.argsort(-cosine_N, kind="stable")[:DEPTH].tolist()
        near += np.argsort(-lexical_N, kind="stable")[:DEPTH].tolist()
        said = [squashed(question.answer), *(squashed(e.quote) for e in question.evidence)]
        own = chunks[positives[row]]
        fit = [
            number
            for number in sorted(set(near), key=lambda n: (-score_N[n], n))
            if not _same_section(chunks[number], own)
            and cosine_N[number] <= ceiling * cosine_N[positives[row]]
            and not any(text and text in texts[number] for text in said)
        ]
        found.append(fit[:count])
    return found


def _same_section(one: Chunk, other: Chunk) -> bool:
    return (one.document_id, one.heading) == (other.document_id, other.heading)

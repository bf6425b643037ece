"""What a small language model is shown of the passages: the sentences nearest to the question.

In: a question as the encoder sees it, passages of the index. Out: a few lines of each, best first,
so that a short context holds what many passages say. Training and answering share it.
"""

from collections.abc import Collection, Sequence

import numpy as np

from groundwork.answer.matching import Query, token_match
from groundwork.answer.prompt import Shown
from groundwork.index import Index


def extracts(
    query: Query,
    passages: Sequence[int],
    index: Index,
    *,
    limit: int,
    keep: Collection[int] = (),
) -> list[Shown]:
    """The `limit` best sentences of `passages` (numbers in the index), grouped by passage.

    Passages come by their best sentence, sentences by their rank; each text once. The sentences
    numbered in `keep` are always among them. A sentence's rank is its cosine to the question plus
    that of its words.
    """
    spans = [index.first_sentence_N[number : number + 2] for number in passages]
    sentences = [s for first, last in spans for s in range(first, last)]
    if not sentences:
        return []
    score_S = index.sentence_vectors_SD[sentences] @ query.vector_D
    score_S = score_S + token_match(query, sentences, index)[:, 0]
    ranked = [sentences[i] for i in np.argsort(-score_S, kind="stable")]
    lines: dict[int, str] = {}
    for wanted in ([s for s in ranked if s in keep], ranked):
        for sentence in wanted:
            text = _text(sentence, index)
            if len(lines) < max(limit, len(keep)) and text not in lines.values():
                lines[sentence] = text
    blocks: dict[int, list[str]] = {}
    for sentence in sorted(lines, key=ranked.index):
        blocks.setdefault(index.sentences[sentence].passage, []).append(lines[sentence])
    return [Shown(index.chunks[number], tuple(block)) for number, block in blocks.items()]


def _text(sentence: int, index: Index) -> str:
    span = index.sentences[sentence]
    return " ".join(index.chunks[span.passage].text[span.start : span.end].split())

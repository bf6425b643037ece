"""How well retrieval found the pages that a question needs.

Ranks are those of passages; a page counts where its first passage stands.
"""

import math
from collections.abc import Sequence


def recall_at(k: int, urls: Sequence[str], needed: Sequence[str]) -> float:
    """Share of the `needed` pages among the pages of the first `k` passages."""
    return len(set(needed) & set(urls[:k])) / len(set(needed))


def reciprocal_rank(urls: Sequence[str], needed: Sequence[str]) -> float:
    """1 / rank of the first passage of a needed page; 0 when there is none."""
    return next((1 / rank for rank, url in enumerate(urls, start=1) if url in needed), 0.0)


def ndcg_at(k: int, urls: Sequence[str], needed: Sequence[str]) -> float:
    """Normalised discounted cumulative gain with gain 1 for each needed page, once."""
    ranks = {url: rank for rank, url in reversed(list(enumerate(urls[:k], start=1)))}
    gain = sum(1 / math.log2(ranks[url] + 1) for url in set(needed) if url in ranks)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(set(needed))) + 1))
    return gain / ideal

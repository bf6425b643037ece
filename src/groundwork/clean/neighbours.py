"""Texts that share much of their wording: every such pair, found without comparing all.

In: texts as lists of words. Out: for one text those of the texts added before that are similar,
with the overlap counted exactly. Similarity is containment, the common shingles over those of the
shorter text: an edition that has grown still holds its predecessor, while their Jaccard index falls
with the difference in length.

Candidates come from prefix filtering (Chaudhuri et al. 2006, Bayardo et al. 2007): a text that has
a share of its shingles in another has some of its rarest there, whichever other text it is. MinHash
loses pairs; this loses none up to `MAX_HOLDERS`. Memory is some 50 bytes a word.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

MAX_HOLDERS = 256
"""Texts that one shingle can propose. What more texts hold is a template, and proposes the first of
them: the work stays linear in the number of texts, whatever they have in common."""
SPARE_SHARE = 0.05
"""Shingles looked up beyond the least that must be, of the text's: as many more have to be found,
so that a chance hit makes no candidate."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: an odd multiplier that spreads word hashes (Knuth, vol. 3, 6.4)."""


@dataclass(frozen=True, slots=True)
class Similar:
    """The texts that are similar to one, in order of number."""

    numbers: np.ndarray
    similarities: np.ndarray
    """Common shingles over those of the shorter of the two."""
    covered: np.ndarray
    """Common shingles over those of the text that was looked at."""


class Neighbours:
    """An index of texts by their shingles; texts are added one by one."""

    def __init__(self, shingles: list[np.ndarray], *, min_similarity: float) -> None:
        """`shingles` are those of all texts that will be added or looked at, by number.

        The list is emptied: it is as large as all that is kept of it.
        """
        self._min_similarity = min_similarity
        self._sizes, shared, holders = _shared_shingles(shingles)
        self._shared = shared
        needed = np.maximum(np.ceil(min_similarity * self._sizes - 1e-9).astype(np.int64), 1)
        self._least_hits = np.minimum(1 + (SPARE_SHARE * self._sizes).astype(np.int64), needed)
        self._prefixes = [
            _rarest(own, holders, len(own) - int(common) + int(hits))
            for own, common, hits in zip(shared, needed, self._least_hits, strict=True)
        ]
        self._by_any = _Postings(holders)
        self._by_prefix = _Postings(_counts(self._prefixes, len(holders)))
        self._marks = np.zeros(len(holders), dtype=bool)

    @classmethod
    def of_texts(
        cls, texts: Iterable[Sequence[str]], *, shingle_words: int, min_similarity: float
    ) -> "Neighbours":
        """The index of texts given as lists of words."""
        shingler = Shingler(shingle_words)
        return cls([shingler.cut(words) for words in texts], min_similarity=min_similarity)

    def add(self, number: int) -> None:
        """Let text `number` be found from now on."""
        self._by_any.add(number, self._shared[number])
        self._by_prefix.add(number, self._prefixes[number])

    def find(self, number: int) -> Similar:
        """Of the texts that were added those similar to text `number`."""
        own = self._shared[number]
        longer, hits = self._by_any.count(self._prefixes[number])
        longer = longer[hits >= self._least_hits[number]]
        shorter, hits = self._by_prefix.count(own)
        shorter = shorter[hits >= self._least_hits[shorter]]
        candidates = np.union1d(longer, shorter)
        common = self._overlaps(own, candidates)
        size = max(int(self._sizes[number]), 1)
        similarities = common / np.minimum(self._sizes[candidates], size)
        near = similarities >= self._min_similarity
        return Similar(candidates[near], similarities[near], common[near] / size)

    def _overlaps(self, own: np.ndarray, candidates: np.ndarray) -> np.ndarray:
        """Shingles in common with each candidate."""
        rows = [self._shared[other] for other in candidates]
        ends = np.cumsum([0, *(len(row) for row in rows)])
        self._marks[own] = True
        hits = np.cumsum(np.concatenate([[False], *(self._marks[row] for row in rows)]))
        self._marks[own] = False
        return np.diff(hits[ends])


class _Postings:
    """Shingle to the numbers of the texts that hold it, in the order in which they were added."""

    def __init__(self, holders: np.ndarray) -> None:
        """`holders` says of each shingle how many texts will come at most."""
        room = np.minimum(holders, MAX_HOLDERS)
        self._ends = np.cumsum(room)
        self._starts = self._ends - room
        self._filled = self._starts.copy()
        self._numbers = np.zeros(int(room.sum()), dtype=np.int32)

    def add(self, number: int, shingles: np.ndarray) -> None:
        free = shingles[self._filled[shingles] < self._ends[shingles]]
        self._numbers[self._filled[free]] = number
        self._filled[free] += 1

    def count(self, shingles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the texts that hold any of `shingles`, and how many each."""
        starts = self._starts[shingles]
        lengths = self._filled[shingles] - starts
        total = int(lengths.sum())
        if not total:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
        offsets = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        return np.unique(self._numbers[offsets + np.arange(total)], return_counts=True)


def _shared_shingles(
    shingles: list[np.ndarray],
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """Number of shingles by text; by text those that others hold, renumbered; texts by shingle."""
    sizes = np.array([len(own) for own in shingles], dtype=np.int64)
    every = np.concatenate(shingles) if shingles else np.zeros(0, dtype=np.uint64)
    shingles.clear()
    order = np.argsort(every, kind="stable")
    first = np.ones(len(every), dtype=bool)
    first[1:] = every[order[1:]] != every[order[:-1]]
    holders = np.diff(np.append(np.flatnonzero(first), len(every)))
    kept = holders > 1
    renumbered = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    numbers = np.empty(len(every), dtype=np.int32)
    numbers[order] = renumbered[np.cumsum(first) - 1]
    rows = np.split(numbers, np.cumsum(sizes)[:-1]) if len(sizes) else []
    return sizes, [row[row >= 0] for row in rows], holders[kept]


class Shingler:
    """Cuts texts into shingles; words are hashed once."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._hashes: dict[str, int] = {}

    def cut(self, words: Sequence[str]) -> np.ndarray:
        """Sorted distinct 64-bit hashes of every `length` words in a row; of all when fewer."""
        if not words:
            return np.zeros(0, dtype=np.uint64)
        for word in set(words).difference(self._hashes):
            digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
            self._hashes[word] = int.from_bytes(digest, "little")
        hashes = np.array([self._hashes[word] for word in words], dtype=np.uint64)
        width = min(self._length, len(words))
        mixed = np.zeros(len(words) - width + 1, dtype=np.uint64)
        for offset in range(width):
            mixed = mixed * _MIX + hashes[offset : offset + len(mixed)]
            mixed ^= mixed >> np.uint64(29)
        return np.unique(mixed)


def _rarest(own: np.ndarray, holders: np.ndarray, number: int) -> np.ndarray:
    return own[np.lexsort((own, holders[own]))[: max(number, 0)]]


def _counts(rows: Sequence[np.ndarray], size: int) -> np.ndarray:
    every = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int32)
    return np.bincount(every, minlength=size)

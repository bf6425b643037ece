"""Pages that say the same: the better one is kept, the others name it.

In: texts with their addresses. Out: which of them repeat which. Two texts are near-duplicates when
they share enough of the shorter one's wording (see `neighbours`); one is left out when most of its
own wording stands in a page that is kept, so that a page that has grown is not given up for what it
was.
"""

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np

from groundwork.clean.config import DuplicatesConfig
from groundwork.clean.neighbours import Neighbours, Shingler

_WORD = re.compile(r"[^\W_]+")
LENGTH_STEP = 1.25
"""Texts whose lengths differ by less count as equally long when one of them is chosen."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text that may repeat another."""

    url: str
    canonical: str
    """As the page writes it; relative, or empty."""
    headed: bool
    """Whether it has a heading of its own; pages that list others have not."""
    text: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """`url` resembles `other`."""

    url: str
    other: str
    """The kept page that holds most of `url`."""
    similarity: float
    """Common shingles over those of the shorter text; 1 for equal words."""
    exact: bool
    left_out: bool
    """False when too much of `url` stands nowhere else."""


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is kept of a text that may repeat another."""

    url: str
    canonical: str
    headed: bool
    words: int
    digest: bytes
    """Of its words."""


def find_duplicates(candidates: Iterable[Candidate], config: DuplicatesConfig) -> list[Duplicate]:
    """Pages that resemble one that is kept, by address; texts are looked at one by one.

    Pages are looked at by preference: one that another page names as canonical, then one that names
    itself, then one that names no other; of these one with a heading of its own, then the longer
    text, then the shorter address.
    """
    order, near = _look_at(candidates, config)
    kept_by_words: dict[bytes, int] = {}
    found = []
    for number, item in enumerate(order):
        if item.digest in kept_by_words:
            other = order[kept_by_words[item.digest]].url
            found.append(Duplicate(item.url, other, 1.0, exact=True, left_out=True))
            continue
        left_out = False
        if (similar := near.find(number)).numbers.size:
            best = int(np.argmax(similar.covered))
            left_out = bool(similar.covered[best] >= config.min_covered)
            other, similarity = order[similar.numbers[best]].url, float(similar.similarities[best])
            found.append(Duplicate(item.url, other, similarity, exact=False, left_out=left_out))
        if not left_out:
            kept_by_words[item.digest] = number
            near.add(number)
    return sorted(found, key=lambda item: item.url)


def _look_at(
    candidates: Iterable[Candidate], config: DuplicatesConfig
) -> tuple[list[_Looked], Neighbours]:
    """Candidates by preference, and the index of their texts in that order."""
    shingler = Shingler(config.shingle_words)
    seen: list[_Looked] = []
    shingles: dict[str, np.ndarray] = {}
    for item in candidates:
        words = _WORD.findall(item.text.casefold())
        digest = hashlib.sha256(" ".join(words).encode()).digest()
        seen.append(_Looked(item.url, item.canonical, item.headed, len(words), digest))
        shingles[item.url] = shingler.cut(words)
    order = _by_preference(seen)
    rows = [shingles.pop(item.url) for item in order]
    return order, Neighbours(rows, min_similarity=config.min_similarity)


def list_clusters(duplicates: Sequence[Duplicate]) -> list[dict[str, Any]]:
    """Pages that belong together as plain JSON, sorted; the first of a cluster resembles no other.

    Each page joins the one it resembles most, so that no page ties two clusters together.
    """
    by_url = {item.url: item for item in duplicates}
    members: dict[str, list[Duplicate]] = defaultdict(list)
    for item in duplicates:
        first = item.other
        while first in by_url:
            first = by_url[first].other
        members[first].append(item)
    return [
        {
            "canonical": first,
            "pages": [
                {
                    "url": item.url,
                    "resembles": item.other,
                    "similarity": round(item.similarity, 4),
                    "left_out": item.left_out,
                }
                for item in sorted(members[first], key=lambda item: item.url)
            ],
        }
        for first in sorted(members)
    ]


def _by_preference(candidates: Sequence[_Looked]) -> list[_Looked]:
    targets = {item.url: _canonical_url(item) for item in candidates}
    named = {target for url, target in targets.items() if target not in ("", _same_page(url))}

    def rank(item: _Looked) -> tuple[int, bool, int, int, str]:
        page, target = _same_page(item.url), targets[item.url]
        claim = 0 if page in named else 1 if target else 2
        if target and target != page:
            claim = 3
        length = int(math.log(item.words + 1, LENGTH_STEP))
        return claim, not item.headed, -length, len(item.url), item.url

    return sorted(candidates, key=rank)


def _canonical_url(item: _Looked) -> str:
    """Empty when the page names none, or none that is an address."""
    try:
        return _same_page(urljoin(item.url, item.canonical)) if item.canonical else ""
    except ValueError:
        return ""


def _same_page(url: str) -> str:
    """An address without what does not make another page."""
    parts = urlsplit(url)
    path = parts.path.removesuffix("index.html").rstrip("/") or "/"
    return f"{parts.scheme.lower()}://{parts.netloc.lower()}{path}?{parts.query}"

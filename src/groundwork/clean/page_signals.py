"""What a page as a whole says about its kind: structured data, address, shape of its text.

In: the tree, the address and the segments of a page. Out: numbers by name.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from groundwork.clean.segment_words import (
    DATE,
    NAMES,
    PRICE,
    TAGS,
    address_signs,
    phrase_counts,
)
from groundwork.clean.segments import Box, Segment

Tree = Any  # lxml ships no types
SHORT_WORDS = 12
PROSE_WORDS = 20
"""A segment of this many words with few links is prose."""
_TYPE = re.compile(r'"@type"\s*:\s*\[?\s*"([A-Za-z]+)"')
_SCHEMAS = {
    "article": ("Article", "BlogPosting"),
    "product": ("Product",),
    "list": ("ItemList", "CollectionPage", "OfferCatalog", "SearchResults"),
    "faq": ("FAQ", "Question"),
    "forum": ("DiscussionForum", "QAPage", "Comment"),
    "organisation": ("Organization", "LocalBusiness", "Service"),
    "breadcrumb": ("Breadcrumb",),
    "software": ("SoftwareApplication", "TechArticle", "APIReference"),
}
_GENERATORS = {
    "forum": ("discourse", "vbulletin", "phpbb", "xenforo", "nodebb", "flarum"),
    "docs": ("docusaurus", "sphinx", "mkdocs", "vitepress", "hugo", "jekyll", "gitbook"),
    "blog": ("wordpress",),
}
_SHARES = ("post", "comment", "product", "card", "review", "filter", "faq", "content")


def page_signals(
    tree: Tree,
    url: str,
    boxes: Sequence[Box],
    segments: Sequence[Segment],
) -> dict[str, float]:
    """Signals of a page that has at least one segment."""
    head = _declared(tree)
    address = {f"url_{name}": value for name, value in address_signs(url).items()}
    return head | address | _shape(boxes) | _text(segments)


def _declared(tree: Tree) -> dict[str, float]:
    types: set[str] = {str(kind).rsplit("/", 1)[-1] for kind in tree.xpath("//@itemtype")}
    for script in tree.iter("script"):
        if script.get("type") == "application/ld+json":
            types.update(_TYPE.findall(script.text or ""))
    og_type = "".join(tree.xpath("//meta[@property='og:type']/@content")[:1]).lower()
    generator = "".join(tree.xpath("//meta[@name='generator']/@content")[:1]).lower()
    signs = {
        f"schema_{name}": float(any(word in kind for kind in types for word in words))
        for name, words in _SCHEMAS.items()
    }
    signs |= {f"og_{name}": float(name in og_type) for name in ("article", "product", "website")}
    return signs | {
        f"made_by_{name}": float(any(word in generator for word in words))
        for name, words in _GENERATORS.items()
    }


def _shape(boxes: Sequence[Box]) -> dict[str, float]:
    tags = [box.element.tag for box in boxes]
    return {
        "code_boxes": _log(tags.count("pre")),
        "articles": _log(tags.count("article")),
        "h1": float(min(tags.count("h1"), 10)),
        "h2_h3": _log(tags.count("h2") + tags.count("h3")),
        "forms": _log(tags.count("form")),
    }


def _text(segments: Sequence[Segment]) -> dict[str, float]:
    words = np.array([len(segment.words) for segment in segments], dtype=float)
    links = np.array([segment.link_share for segment in segments])
    total = max(words.sum(), 1.0)
    prose = float(words[(words >= PROSE_WORDS) & (links < 0.3)].sum())
    short = [segment.text for segment in segments if len(segment.words) < SHORT_WORDS]
    paragraphs = np.array([segment.box.element.tag == "p" for segment in segments])
    signals = {
        "words": _log(total),
        "segments": _log(len(segments)),
        "link_share": float((words * links).sum()) / total,
        "paragraph_share": float(words[paragraphs].sum()) / total,
        "prose_share": prose / total,
        "prose_words": _log(prose),
        "prices": _log(sum(PRICE.search(segment.text) is not None for segment in segments)),
        "dates": _log(sum(DATE.search(text) is not None for text in short)),
    }
    signals |= {f"phrase_{name}": _log(count) for name, count in phrase_counts(short).items()}
    tags = np.array([segment.box.tags for segment in segments])
    for name in ("main", "article", "nav", "header", "footer", "aside"):
        signals[f"in_{name}"] = float((words * (tags >> TAGS[name] & 1)).sum()) / total
    names = np.array([segment.box.names for segment in segments])
    places = list(NAMES)
    for name in _SHARES:
        inside = names >> places.index(name) & 1
        signals[f"named_{name}"] = float((words * inside).sum()) / total
    return signals


def _log(count: float) -> float:
    return math.log1p(count)

"""Words that tell content from furniture: in names of classes, in short texts, in addresses.

In: strings of a page. Out: small numbers for the features of segments and pages.
"""

import re
from functools import lru_cache

NAMES = {
    "nav": r"nav|menu|breadcrumb|\btoc\b|table-of-contents|sitemap|\btabs?\b|drawer",
    "foot": r"foot|bottom|copyright|legal|colophon",
    "side": r"side|aside|widget|rail|secondary",
    "comment": r"comment|reply|replies|discuss|disqus",
    "post": r"post|message|thread|topic|answer|question|cooked|bbp",
    "related": r"relat|recommend|similar|also|more-from|read-next|upsell|cross-?sell|suggest"
    r"|popular|trending|latest|recent",
    "news": r"newsletter|subscri|signup|sign-up|optin|mailing|cta|call-to-action",
    "modal": r"modal|popup|pop-up|overlay|dialog|lightbox|tooltip|toast|dropdown|flyout|mega",
    "product": r"product|price|cart|buy|shop|sku|variant|pdp|offer|purchase",
    "card": r"card|item|tile|grid|list|result|row|collection|gallery|carousel|slider|swiper",
    "content": r"content|article|entry|body|\bmain\b|text|story|prose|markdown|rich|wysiwyg|rte"
    r"|description|detail",
    "head": r"header|masthead|topbar|top-bar|hero|head\b|logo|brand",
    "meta": r"author|byline|meta|date|time|tag|categor|avatar|user|profile|crumb",
    "review": r"review|rating|star|testimonial|feedback",
    "filter": r"filter|facet|sort|refine|pagination|pager|toolbar|tools|action|control|button|btn",
    "hide": r"hidden|sr-only|visually|screen-reader|offscreen|collapse|d-none|hide",
    "faq": r"faq|accordion|question|spec|feature|benefit|pricing|service|about",
}
"""Of class, id, `itemprop` and test attributes, by what they usually mark."""
TAGS = {
    name: place
    for place, name in enumerate(
        (
            *("nav", "header", "footer", "aside", "form", "main", "article", "section", "table"),
            *("ul", "ol", "figure", "dialog", "button", "noscript", "details", "dl", "pre"),
            *("blockquote", "label"),
        )
    )
}
"""Elements, and roles that stand for them, whose mark every segment inside carries."""
ROLES = {
    "navigation": "nav",
    "banner": "header",
    "contentinfo": "footer",
    "complementary": "aside",
    "search": "form",
    "main": "main",
    "dialog": "dialog",
    "button": "button",
}
PHRASES = {
    "cart": r"\b(add to (cart|bag|basket|wishlist)|buy now|checkout|cart|wishlist|in stock"
    r"|out of stock|quantity|compare)\b",
    "forum": r"\b(reply|replies|quote|likes?|report|views|joined|posts|permalink|solved|upvote"
    r"|vote|answered|asked|member|edited)\b",
    "by": r"\b(by|posted|published|updated|written|min read|ago|author|last)\b",
    "rate": r"\b(reviews?|ratings?|stars?|out of 5|verified)\b",
}
"""Of short texts, each typical of one kind of page."""
ADDRESSES = {
    "forum": r"forum|thread|topic|/t/|question|discuss|community|viewtopic|answers|comments",
    "product": r"/products?/|/p/|/dp/|/item|/shop/.+/|/ip/|/pd/",
    "collection": r"/collections?/|/categor|/c/|/shop/?$|/b/|/browse|/all|/list|/store",
    "blog": r"/blog|/news|/\d{4}/\d\d|/articles?/|/post",
    "docs": r"docs?[./]|/api|reference|manual|guide|tutorial|/wiki|readthedocs|developer|learn",
}
PRICE = re.compile(r"[$€£¥₹]\s?\d|\d\s?(?:€|USD|EUR|GBP|kr)\b")
DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b"
    r"|\d+\s*(?:h|d|hours?|days?|months?|years?|minutes?|weeks?) ago",
    re.I,
)
_NAME_PATTERNS = [re.compile(pattern) for pattern in NAMES.values()]
_PHRASE_PATTERNS = {name: re.compile(pattern, re.I) for name, pattern in PHRASES.items()}
_ADDRESS_PATTERNS = {name: re.compile(pattern) for name, pattern in ADDRESSES.items()}


def name_bits(names: str) -> int:
    """One bit for each entry of `NAMES` that a class or id speaks of; `names` are set by blanks."""
    found = 0
    for name in names.split():
        found |= _bits_of(name.lower())
    return found


@lru_cache(maxsize=50_000)
def _bits_of(name: str) -> int:
    found = 0
    for place, pattern in enumerate(_NAME_PATTERNS):
        if pattern.search(name):
            found |= 1 << place
    return found


def phrase_counts(texts: list[str]) -> dict[str, int]:
    """How many of `texts` hold a phrase of each kind."""
    return {
        name: sum(pattern.search(text) is not None for text in texts)
        for name, pattern in _PHRASE_PATTERNS.items()
    }


def address_signs(url: str) -> dict[str, float]:
    """What the address of a page says about its kind: 1 or 0 by kind, and its shape."""
    path = url.lower().partition("://")[2].partition("/")[2]
    parts = [part for part in path.split("/") if part]
    signs = {
        name: float(pattern.search(url.lower()) is not None)
        for name, pattern in _ADDRESS_PATTERNS.items()
    }
    last = parts[-1] if parts else ""
    return signs | {
        "depth": float(len(parts)),
        "last": float(min(len(last), 100)),
        "dashes": float(min(last.count("-"), 20)),
    }

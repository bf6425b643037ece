"""What an HTML page says about itself: title, author, date, canonical address, language, robots.

In: the tree of a page. Out: strings, each empty when the page names none. Guesses from the running
text are not made: a wrong author or date is worse than none.
"""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from groundwork.clean.blocks import one_line

Tree = Any  # lxml ships no types
LATEST_DATE = "2099-12-31"
"""A clock here would make equal pages differ from day to day."""
_ISO_DATE = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_AUTHOR_NAMES = ("author", "article:author", "dc.creator", "dcterms.creator", "parsely-author")
_LOWER = "translate(@{0}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"


def find_title(tree: Tree) -> str:
    """Title of the structured data, of social cards, or of the window, without the site's name."""
    headlines = (item.get("headline") for item in json_ld(tree))
    titles = [_meta(tree, "property", "og:title"), *tree.xpath("//head/title/text()")]
    for title in [*(text for text in headlines if isinstance(text, str)), *titles]:
        words = re.split(r"\s[|·»]\s", one_line(str(title)))[0]
        if words:
            return words
    return ""


def find_author(tree: Tree) -> str:
    """Persons of the structured data, of meta tags, or of elements marked as author."""
    for item in json_ld(tree):
        authors = item.get("author") or []
        names = [_person(who) for who in (authors if isinstance(authors, list) else [authors])]
        if any(names):
            return ", ".join(name for name in names if name)
    metas = [_meta(tree, key, name) for name in _AUTHOR_NAMES for key in ("name", "property")]
    marked = tree.xpath("//a[@rel='author'] | //*[@itemprop='author']")
    texts = [*metas, *(element.text_content() for element in marked[:1])]
    names = [one_line(text) for text in texts if "://" not in text]
    return next((name for name in names if 0 < len(name) <= 80), "")


def _person(author: Any) -> str:
    """Name of a person; organisations publish, they do not write."""
    if isinstance(author, dict):
        author = "" if author.get("@type") == "Organization" else author.get("name")
    return one_line(author) if isinstance(author, str) and "://" not in author else ""


def find_date(tree: Tree, source: str) -> str:
    """ISO 8601 date of publication; what htmldate finds counts only if the page spells it out."""
    import htmldate

    for name in ("datePublished", "dateCreated"):
        for item in json_ld(tree):
            date = str(item.get(name) or "")[:10]
            if _ISO_DATE.fullmatch(date):
                return date
        marked = tree.xpath(
            "//*[@itemprop=$name]/@*[name()='datetime' or name()='content']", name=name
        )
        if marked and _ISO_DATE.fullmatch(str(marked[0])[:10]):
            return str(marked[0])[:10]
    if not _ISO_DATE.search(source):
        return ""
    found = htmldate.find_date(
        _without_code(tree), extensive_search=False, original_date=True, max_date=LATEST_DATE
    )
    return found if found and found in source else ""


def _without_code(tree: Tree) -> Tree:
    """A copy without examples of code: their dates are not the page's."""
    rest = deepcopy(tree)
    for element in rest.xpath("//pre | //code"):
        element.drop_tree()
    return rest


def find_canonical(tree: Tree) -> str:
    """Address that the page names as canonical, as written."""
    found = tree.xpath(f"//link[{_LOWER.format('rel')}='canonical']/@href")
    return str(found[0]).strip() if found else ""


def find_language(tree: Tree) -> str:
    """ISO 639-1 code that the page declares."""
    declared = str(tree.get("lang") or tree.get("xml:lang") or "")
    return declared.strip().lower().replace("_", "-").split("-")[0]


def is_noindex(tree: Tree) -> bool:
    """Whether the page asks search engines to leave it out."""
    contents = tree.xpath(f"//meta[{_LOWER.format('name')}='robots']/@content")
    words = {word.strip().lower() for text in contents for word in str(text).split(",")}
    return bool(words & {"noindex", "none"})


def json_ld(tree: Tree) -> Iterator[dict[str, Any]]:
    """Objects of the page's structured data; broken data is no data."""
    for script in tree.xpath("//script[@type='application/ld+json']"):
        try:
            data = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        items = data if isinstance(data, list) else [data]
        graphs = [item.get("@graph") for item in items if isinstance(item, dict)]
        nested = [item for graph in graphs if isinstance(graph, list) for item in graph]
        yield from (item for item in [*items, *nested] if isinstance(item, dict))


def _meta(tree: Tree, key: str, name: str) -> str:
    """Content of the first meta tag whose `key` is `name`, in whatever case."""
    for element in tree.iter("meta"):
        if (element.get(key) or "").lower() == name and element.get("content") is not None:
            return str(element.get("content"))
    return ""

"""What an HTML page says about itself: title, author, date, canonical address, language, robots.

In: the tree of a page. Out: strings, each empty when the page names none. Guesses from the running
text are not made: a wrong author or date is worse than none.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any

from groundwork.clean.blocks import one_line

Tree = Any  # lxml ships no types
LATEST_DATE = "2099-12-31"
"""A clock here would make equal pages differ from day to day."""
_WORD = re.compile(r"\w+")
_ISO_DATE = re.compile(r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?:{'|'.join(MONTHS)})[a-z]{{0,6}}\.?"
_DAY = r"[0-3]?\d(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
_YEARS = re.compile(rf"\b{_YEAR}\b")
_SPELLED_DATE = re.compile(rf"\b(?:{_MONTH} {_DAY},? {_YEAR}|{_DAY} {_MONTH},? {_YEAR})\Z", re.I)
SPELLED_CHARS = 24
"""At most so many stand before the year of a date that is spelled out."""
_NUMBER = re.compile(r"\d+")
_AUTHOR_NAMES = ("author", "article:author", "dc.creator", "dcterms.creator", "parsely-author")
_LOWER = "translate(@{0}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')"


def find_title(tree: Tree) -> str:
    """The heading that the window's title or a social card repeats, else structured data, social
    cards and the window's title themselves, without the site's name."""
    headlines = (item.get("headline") for item in json_ld(tree))
    titles = [_meta(tree, "property", "og:title"), *tree.xpath("//head/title/text()")]
    headings = [one_line(heading.text_content()) for heading in tree.iter("h1")]
    site = _meta(tree, "property", "og:site_name")
    if repeated := choose_heading(headings, [str(title) for title in titles]):
        return repeated
    for title in [*(text for text in headlines if isinstance(text, str)), *titles]:
        words = _without_site(one_line(str(title)), site)
        if words:
            return words
    return next(filter(None, headings), "")


def choose_heading(headings: Iterable[str], titles: Sequence[str]) -> str:
    """The longest heading that stands whole in one of `titles`; empty when none does.

    A short one may be the site's name, which titles repeat, too.
    """
    told = [f" {_plain(title)} " for title in titles]
    repeated = [h for h in headings if _plain(h) and any(f" {_plain(h)} " in t for t in told)]
    return max(repeated, key=len, default="")


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.lower()))


def _without_site(title: str, site: str) -> str:
    """A title up to a bar, and without the name of the site at its end."""
    words = re.split(r"\s[|·»]\s", title)[0]
    start, dash, end = words.rpartition(" - ")
    return start if dash and site and _plain(end) == _plain(site) else words


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

    items = list(json_ld(tree))
    for name in ("datePublished", "dateCreated"):
        for item in items:
            date = str(item.get(name) or "")[:10]
            if _ISO_DATE.fullmatch(date):
                return date
        marked = tree.xpath(
            "//*[@itemprop=$name]/@*[name()='datetime' or name()='content']", name=name
        )
        if marked and _ISO_DATE.fullmatch(str(marked[0])[:10]):
            return str(marked[0])[:10]
    if not _ISO_DATE.search(source) and next(_spelled_dates(source), None) is None:
        return ""
    found = htmldate.find_date(
        _without_code(tree), extensive_search=False, original_date=True, max_date=LATEST_DATE
    )
    return found if found and (found in source or _is_spelled(found, source)) else ""


def _is_spelled(date: str, source: str) -> bool:
    """Whether a page writes the date with the name of its month: 3 May 2024, or May 3rd, 2024."""
    year, month, day = (int(part) for part in date.split("-"))
    for spelled in _spelled_dates(source):
        words = spelled.lower()
        numbers = [int(number) for number in _NUMBER.findall(words)]
        if sorted(numbers) == sorted([day, year]) and MONTHS[month - 1] in words:
            return True
    return False


def _spelled_dates(source: str) -> Iterator[str]:
    """Dates with the name of a month, looked for from their years: those are fewer than words."""
    for year in _YEARS.finditer(source):
        start = max(0, year.start() - SPELLED_CHARS)
        if found := _SPELLED_DATE.search(source, start, year.end()):
            yield found[0]


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

"""An HTML tree made ready for the extractor, so that it loses no text of the article.

In: the tree of a page; it is changed. Out: the same tree with its main region alone, plain inline
text, and square tables. Each step mends one loss seen in the output of trafilatura 2.3.
"""

from dataclasses import dataclass
from typing import Any

from groundwork.clean.squares import square_table

Tree = Any  # lxml ships no types
PERMALINKS = {"", "#", "¶", "§", "🔗"}
INLINE = (
    "strong",
    "b",
    "em",
    "i",
    "u",
    "span",
    "small",
    "mark",
    "font",
    "abbr",
    "cite",
    "sub",
    "sup",
)
"""Dropped as tags, kept as text: the extractor loses the blank after some of them."""
KEPT = "kept"
"""What inline tags in code are called while the others are dropped."""
FURNITURE = {"script", "style", "noscript", "template", "nav", "footer", "aside", "form", "button"}
FURNITURE_ROLES = {
    "navigation",
    "banner",
    "contentinfo",
    "complementary",
    "search",
    "dialog",
    "alertdialog",
}
REGIONS = "//main | //*[@role='main'][not(self::main)]"
MIN_REGION_SHARE = 0.25
"""A main region with less of the page's text than this is not believed."""
MIN_PLAIN_BLOCKS = 3
"""Paragraphs, lists and tables directly in the body that make a plain page."""
PLAIN_BLOCKS = {"p", "h1", "h2", "h3", "ul", "ol", "dl", "table", "blockquote", "pre"}
RUNNING_TEXT = {"td", "th", "dd", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6"}
BLOCKS = {
    *("address", "article", "aside", "blockquote", "center", "details", "div", "dl", "fieldset"),
    *("figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "main"),
    *("nav", "ol", "p", "pre", "script", "section", "style", "svg", "table", "ul", "video"),
}
MENU_SHARE = 0.9
"""A list or paragraph with more of its characters in links is a menu."""


@dataclass(frozen=True, slots=True)
class Region:
    """What the main region of a page held before extraction."""

    text: str
    """Empty when the page marks no region."""
    link_share: float
    """Characters of the text that stand in links."""


def prepare_tree(tree: Tree) -> Region:
    """Change `tree` in place, ready for extraction; return what its main region holds."""
    from lxml import etree

    etree.strip_tags(tree, etree.Comment, etree.ProcessingInstruction)
    region, text = _isolate_region(tree)
    found = Region("", 0.0) if region is None else _measure(region, text)
    _mend_anchors_and_inline(tree)
    for block in list(tree.iter("pre")):
        _name_code(block)
    if region is not None:
        for box in list(region.iter("div", "section")):
            _name_paragraphs(box)
    for table in list(tree.iter("table")):
        square_table(table)
    menus: dict[Tree, bool] = {}
    for anchor in list(tree.iter("a")):
        if _is_prose(anchor, menus):
            anchor.drop_tag()
    return found


def _mend_anchors_and_inline(tree: Tree) -> None:
    for anchor in list(tree.iter("a")):
        if anchor.text_content().strip(" \t\n\u200b\u00a0") in PERMALINKS:
            anchor.drop_tree()
    _drop_inline(tree)


def _drop_inline(tree: Tree) -> None:
    """Drop inline tags but those in code, all at once: one by one they copy the text each time."""
    from lxml import etree

    in_code = [element for element in tree.iter(*INLINE) if _inside_code(element)]
    names = [element.tag for element in in_code]
    for element in in_code:
        element.tag = KEPT
    etree.strip_tags(tree, *INLINE)
    for element, name in zip(in_code, names, strict=True):
        element.tag = name


def _name_code(block: Tree) -> None:
    """Call preformatted text code: the extractor makes a quote of it else, without its lines."""
    if block.find(".//code") is None:
        code = block.makeelement("code")
        code.text, block.text = block.text, None
        code.extend(list(block))
        block.append(code)


def _name_paragraphs(box: Tree) -> None:
    """Make paragraphs of the text that stands in a box directly: the extractor skips it else."""
    if not _has_own_text(box) or _inside_code(box):
        return
    text, children = box.text, list(box)
    box.text = None
    for child in children:
        box.remove(child)
    paragraph = box.makeelement("p")
    paragraph.text = text
    for child in children:
        tail, child.tail = child.tail, None
        if child.tag not in BLOCKS:
            paragraph.append(child)
            child.tail = tail or (" " if child.tag == "a" else None)  # badges stand apart
            continue
        _append_filled(box, paragraph)
        box.append(child)
        paragraph = box.makeelement("p")
        paragraph.text = tail
    _append_filled(box, paragraph)


def _has_own_text(box: Tree) -> bool:
    inline = any(child.tag not in BLOCKS and child.text_content().strip() for child in box)
    return inline or bool((box.text or "").strip()) or any((c.tail or "").strip() for c in box)


def _append_filled(box: Tree, paragraph: Tree) -> None:
    if paragraph.text_content().strip():
        box.append(paragraph)


def _isolate_region(tree: Tree) -> tuple[Tree | None, str]:
    """Leave only the page's one main region in its body, so that no menu passes for content.

    A plain page, whose text stands in the body itself, becomes an article: the extractor looks for
    one, and takes paragraphs alone where there is none. With the region comes its visible text.
    """
    body = tree.find("body")
    if body is None:
        return None, ""
    regions = tree.xpath(REGIONS)
    if not regions and sum(child.tag in PLAIN_BLOCKS for child in body) >= MIN_PLAIN_BLOCKS:
        article = tree.makeelement("article")
        article.text, body.text = body.text, None
        article.extend(list(body))
        body.append(article)
        return article, _visible_text(article)
    if len(regions) != 1:
        return None, ""
    (region,) = regions
    text = _visible_text(region)
    if len(text) < MIN_REGION_SHARE * len(_visible_text(body)):
        return None, ""
    region.tail = None
    for child in list(body):
        body.remove(child)
    body.text = None
    body.append(region)
    return region, text


def _measure(region: Tree, text: str) -> Region:
    total = len("".join(text.split()))
    links = sum(
        len("".join(anchor.text_content().split()))
        for anchor in region.iter("a")
        if not any(_is_furniture(parent) for parent in anchor.iterancestors())
    )
    return Region(text, min(1.0, links / total) if total else 0.0)


def _is_furniture(element: Tree) -> bool:
    return element.tag in FURNITURE or element.get("role") in FURNITURE_ROLES


def _visible_text(element: Tree) -> str:
    """Text of an element without the menus, banners, forms and scripts inside it."""
    parts: list[str] = []
    stack = [element]
    while stack:
        current = stack.pop()
        if isinstance(current, str):
            parts.append(current)
        elif isinstance(current.tag, str) and not _is_furniture(current):
            parts.append(current.text or "")
            for child in reversed(current):
                stack.extend((child.tail or "", child))
    return " ".join(" ".join(parts).split())


def _inside_code(element: Tree) -> bool:
    return any(parent.tag in ("pre", "code") for parent in element.iterancestors())


def _is_prose(anchor: Tree, menus: dict[Tree, bool]) -> bool:
    """Whether a link stands in running text, a table, or a list of more than links."""
    for parent in anchor.iterancestors():
        if parent.tag in ("nav", "aside", "footer", "header", "form"):
            return False
        if parent.tag in RUNNING_TEXT:
            return True
        if parent.tag == "p" and (anchor.get("href") or "").startswith("#"):
            return True
        if parent.tag in ("p", "ul", "ol"):
            if parent not in menus:
                menus[parent] = _only_links(parent) and not _continues_item(parent)
            return not menus[parent]
    return False


def _continues_item(element: Tree) -> bool:
    """Whether a list stands in an item that has words of its own before it."""
    item = element.getparent()
    if item is None or item.tag != "li" or element.tag == "p":
        return False
    return bool((item.text or "").strip() or any((child.tail or "").strip() for child in item))


def _only_links(element: Tree) -> bool:
    linked = sum(len("".join(anchor.text_content().split())) for anchor in element.iter("a"))
    return linked >= MENU_SHARE * len("".join(element.text_content().split()))

"""An HTML tree under the extractor's names of elements, so that one reader serves both.

In: a tree of which unwanted text was emptied; it is changed. Out: the same tree in the manner of
TEI, for `tei.read_body`.
"""

from typing import Any

from groundwork.clean.segments import INLINE, SKIPPED
from groundwork.clean.squares import square_table

Tree = Any  # lxml ships no types
MAX_CELL_CHARS = 600
"""A table with a longer cell, or with a table inside, lays out a page; it holds no data."""
MAX_ITEM_CHARS = 600
"""A list with a longer item that holds paragraphs or headings lays out a page too."""
_NAMES = {"ul": "list", "ol": "list", "dl": "list", "li": "item", "dt": "item", "dd": "item"}
_NAMES |= {"blockquote": "quote", "pre": "code", "br": "lb", "tr": "row", "td": "cell"}
_NAMES |= {"th": "cell"} | {f"h{level}": "head" for level in range(1, 7)}
_RENDS = {"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dt", "dd"}
_LAYOUT = ("table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption")


def retag_tree(tree: Tree) -> Tree:
    """Rename the elements of `tree`; return it."""
    for element in list(tree.iter(*SKIPPED)):
        if element.getparent() is not None:
            element.drop_tree()
    for table in list(tree.iter("table")):
        _settle_table(table)
    for box in list(tree.iter("ul", "ol", "dl")):
        _settle_list(box)
    for element in list(tree.iter()):
        _rename(element)
    return tree


def _settle_table(table: Tree) -> None:
    cells = [*table.iter("td"), *table.iter("th")]
    nested = next(table.iterdescendants("table"), None) is not None
    if nested or any(len(cell.text_content()) > MAX_CELL_CHARS for cell in cells):
        for part in [table, *table.iterdescendants(*_LAYOUT)]:
            if next(part.iterancestors("table"), table) is table:
                part.tag = "div"
    else:
        square_table(table)


def _settle_list(box: Tree) -> None:
    """Make a plain box of a list that lays out a page or has text beside its items."""
    items = [item for item in box.iter("li", "dt", "dd") if _list_of(item) is box]
    beside = [box.text, *(child.tail for child in box)]
    if any(text and text.strip() for text in beside) or any(map(_is_layout, items)):
        for part in [box, *items]:
            part.tag = "div"
        return
    for child in box:
        if child.tag not in ("li", "dt", "dd") and not any(i in items for i in child.iter()):
            child.tag = "li"


def _list_of(item: Tree) -> Tree | None:
    return next(item.iterancestors("ul", "ol", "dl"), None)


def _is_layout(item: Tree) -> bool:
    blocks = next(item.iter("p", "h1", "h2", "h3", "h4", "h5", "h6", "article"), None)
    return blocks is not None and len(item.text_content()) > MAX_ITEM_CHARS


def _rename(element: Tree) -> None:
    tag = element.tag
    if tag in INLINE and tag != "code":
        element.drop_tag()
        return
    if tag in _RENDS:
        element.set("rend", tag)
    if tag == "th":
        element.set("role", "head")
    if tag in _NAMES:
        element.tag = _NAMES[tag]
    elif tag not in ("code", "table", "p", "div", "tbody", "thead", "tfoot"):
        element.tag = "div"

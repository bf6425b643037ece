"""HTML all of whose content counts, as other formats are turned into, becomes blocks.

In: HTML without menus or banners, from Markdown, DOCX or a record. Out: blocks. Nothing is judged
or left out but pictures and scripts; pages of the web go through `web`.
"""

import re
from typing import Any

from groundwork.clean.blocks import TextBlock
from groundwork.clean.config import ExtractConfig
from groundwork.clean.decode import check_markup
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.clean.squares import square_table
from groundwork.clean.tei import read_body

Tree = Any  # lxml ships no types
NAMES = {
    **{f"h{level}": ("head", f"h{level}") for level in range(1, 7)},
    "ul": ("list", "ul"),
    "menu": ("list", "ul"),
    "ol": ("list", "ol"),
    "dl": ("list", "dl"),
    "li": ("item", ""),
    "dt": ("item", "dt"),
    "dd": ("item", "dd"),
    "tr": ("row", ""),
    "td": ("cell", ""),
    "th": ("cell", ""),
    "table": ("table", ""),
    "blockquote": ("quote", ""),
    "p": ("p", ""),
    "br": ("lb", ""),
    "pre": ("code", ""),
    "code": ("code", ""),
}
"""HTML's names to those that `tei` reads, with the attribute `rend`."""
PLAIN = {"div", "section", "article", "main", "header", "footer", "details", "summary"}
PLAIN |= {"figure", "figcaption", "center", "address", "fieldset", "aside", "nav", "form"}
BLOCKS = PLAIN | (set(NAMES) - {"br", "code"})
SILENT = "script|style|template|noscript|img|svg|video|audio|iframe|object|input|button|hr|picture"
_BLANKS = re.compile(r"\s+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def read_flow(source: str, config: ExtractConfig) -> list[TextBlock]:
    """Blocks of `source`. Raises: `PageRefusedError` for markup too deep or too large to parse."""
    from lxml import etree, html

    check_markup(source, config)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    data = f"<html><body>{source}</body></html>".replace("\0", "").encode("utf-8", "replace")
    try:
        body = html.document_fromstring(data, parser=parser).find("body")
    except etree.ParserError as error:
        raise PageRefusedError(Reason.NO_CONTENT, f"nothing to parse ({error})") from error
    if body is None:
        raise PageRefusedError(Reason.NO_CONTENT, "nothing to parse")
    for element in body.iter():  # lxml reads control characters, but does not take them back
        element.text = _CONTROL.sub(" ", element.text or "")
        element.tail = _CONTROL.sub(" ", element.tail or "")
    for element in body.xpath(" | ".join(f".//{name}" for name in SILENT.split("|"))):
        element.drop_tree()
    for table in list(body.iter("table")):
        square_table(table)
    _name_blocks(body)
    return read_body(body)


def _name_blocks(body: Tree) -> None:
    """Rename every element, and make one blank of what an author wrapped."""
    with_blocks = {parent for e in body.iter(*BLOCKS) for parent in e.iterancestors()}
    for element in list(body.iter()):
        if not _in_code(element):
            element.text = _BLANKS.sub(" ", element.text or "")
        if element is not body and not _in_code(element.getparent()):
            element.tail = _BLANKS.sub(" ", element.tail or "")
    for element in list(body.iter()):
        name, rend = NAMES.get(element.tag, ("", ""))
        if element.tag == "pre":
            _wrap_code(element)
        if element.tag == "th":
            element.set("role", "head")
        if rend:
            element.set("rend", rend)
        if name:
            element.tag = name
        elif element is not body and (element.tag in PLAIN or element in with_blocks):
            element.tag = "div"


def _in_code(element: Tree) -> bool:
    here = element
    while here is not None:
        if here.tag == "pre":
            return True
        here = here.getparent()
    return False


def _wrap_code(element: Tree) -> None:
    """Mark preformatted text as a block, also when it is one line."""
    if element.find("code") is None:
        inner = element.makeelement("code")
        inner.text, element.text = element.text, None
        inner.extend(list(element))
        element.append(inner)

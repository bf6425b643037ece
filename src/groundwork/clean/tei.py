"""The extractor's tree (in the manner of TEI) as blocks.

In: trafilatura's body element. Out: blocks in reading order.
"""

import re
from collections.abc import Iterator
from typing import Any

from groundwork.clean.blocks import Kind, TextBlock, one_line

Element = Any  # lxml ships no types
_BLOCKS = {"head", "p", "list", "item", "table", "quote", "div", "body", "row", "cell", "ab"}
_LEVEL = re.compile(r"h([1-6])")
_PERMALINK = re.compile(r"[\s#¶§\u200b]+$")


def read_body(body: Element) -> list[TextBlock]:
    """Blocks of the extracted `body`."""
    return list(_read(body, Kind.PARAGRAPH, depth=0))


def _read(element: Element, kind: Kind, *, depth: int) -> Iterator[TextBlock]:
    """Blocks inside `element`; text between them becomes blocks of `kind`."""
    inline = [element.text or ""]
    for child in element:
        if _is_block(child):
            yield from _flush(inline, kind, depth)
            inline = []
            yield from _read_block(child, kind, depth)
        else:
            inline.append("\n" if child.tag == "lb" else _inline(child))
        inline.append(child.tail or "")
    yield from _flush(inline, kind, depth)


def _flush(inline: list[str], kind: Kind, depth: int) -> Iterator[TextBlock]:
    text = "".join(inline)
    if text.strip():
        yield TextBlock(kind, text=text, level=depth)


def _is_block(element: Element) -> bool:
    return element.tag in _BLOCKS or (element.tag == "code" and _is_code_block(element))


def _is_code_block(element: Element) -> bool:
    return "\n" in _code(element).strip() or element.find("code") is not None


def _read_block(element: Element, kind: Kind, depth: int) -> Iterator[TextBlock]:
    if element.tag == "head":
        level = _LEVEL.fullmatch(element.get("rend") or "")
        words = _PERMALINK.sub("", one_line(_inline(element)))
        yield TextBlock(Kind.HEADING, text=words, level=int(level[1]) if level else 3)
    elif element.tag == "list":
        yield from _read_list(element, depth)
    elif element.tag == "table":
        yield from _read_table(element)
    elif element.tag == "code":
        yield TextBlock(Kind.CODE, text=_code(element), level=depth)
    elif element.tag == "quote":
        yield from _read(element, Kind.QUOTE, depth=depth)
    else:
        yield from _read(element, kind, depth=depth)


def _read_list(element: Element, depth: int) -> Iterator[TextBlock]:
    ordered = element.get("rend") == "ol"
    number = 0
    term = ""
    for item in element.iter("item"):
        if next(item.iterancestors("list")) is not element:
            continue
        role = item.get("rend") or ""
        if role.startswith("dt"):
            term = one_line(_inline(item))
            continue
        number += 1
        yield from _read_item(item, depth=depth, number=number if ordered else 0, term=term)
        term = ""
    if term:
        yield TextBlock(Kind.ITEM, text=term, level=depth)


def _read_item(item: Element, *, depth: int, number: int, term: str) -> Iterator[TextBlock]:
    """One item: its own paragraphs on one line, then the lists and code inside it."""
    own: list[str] = [f"{term}:"] if term else []
    inner: list[TextBlock] = []
    for block in _read(item, Kind.PARAGRAPH, depth=depth + 1):
        if block.kind in (Kind.PARAGRAPH, Kind.QUOTE, Kind.HEADING) and not inner:
            own.append(one_line(block.text))
        else:
            inner.append(block)
    if own:
        yield TextBlock(Kind.ITEM, text=" ".join(own), level=depth, number=number)
    yield from inner


def _read_table(element: Element) -> Iterator[TextBlock]:
    rows = []
    heads = []
    for row in element.iter("row"):
        cells = [cell for cell in row if cell.tag == "cell"]
        rows.append(tuple(one_line(_inline(cell)) for cell in cells))
        heads.append(all(cell.get("role") == "head" or not _inline(cell).strip() for cell in cells))
    if not rows:
        return
    width = max(len(row) for row in rows)
    if width <= 1:
        yield from (TextBlock(Kind.PARAGRAPH, text=cell) for row in rows for cell in row)
        return
    if not heads[0]:
        rows.insert(0, ("",) * width)
    yield TextBlock(Kind.TABLE, rows=tuple(rows))


def _inline(element: Element) -> str:
    """Text of an element and all below it; code in backticks, line breaks kept."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == "lb":
            parts.append("\n")
        elif child.tag in _BLOCKS:
            parts.append(f" {_inline(child)} ")
        else:
            parts.append(_inline(child))
        parts.append(child.tail or "")
    text = "".join(parts)
    if element.tag == "code" and text.strip() and "`" not in text:
        return f"`{text.strip()}`"
    return text


def _code(element: Element) -> str:
    parts = [element.text or ""]
    for child in element:
        parts.append("\n" if child.tag == "lb" else _code(child))
        parts.append(child.tail or "")
    return "".join(parts)

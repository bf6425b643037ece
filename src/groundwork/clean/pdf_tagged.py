"""Tagged PDF pages: the structure tree says what is a heading, a list or a table.

In: a page and its letters. Out: blocks; none when the page has no structure tree.
(ISO 32000-1, 14.7 and 14.8)
"""

import ctypes
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from groundwork.clean.blocks import Kind, TextBlock, one_line
from groundwork.clean.pdf_letters import Letter, join_lines

MAX_DEPTH = 60
"""Deeper trees are cut: honest ones have about ten levels."""
_HEADING = re.compile(r"H([1-6])?|Title")
_NUMBER = re.compile(r"(\d{1,3})[.)]\s*")
_BULLET = re.compile(r"[•◦▪‣·–●○■*-]\s*")


@dataclass(slots=True)
class _Node:
    type: str
    order: list["int | _Node"] = field(default_factory=list)
    """Ids of marked content and child nodes as they follow each other."""


@dataclass(frozen=True, slots=True)
class _Texts:
    by_mark: dict[int, str]
    words: frozenset[str]

    def raw(self, node: _Node) -> str:
        """Text of a node and all below it, lines as they are on the page."""
        return "".join(
            self.by_mark.get(part, "") if isinstance(part, int) else self.raw(part)
            for part in node.order
        )

    def running(self, node: _Node) -> str:
        """The same on one line."""
        return one_line(join_lines(self.raw(node).split("\n"), self.words))


def read_tagged(page: Any, letters: Sequence[Letter], words: frozenset[str]) -> list[TextBlock]:
    """Blocks of a page as its tags tell them; `words` are those of the document."""
    import pypdfium2.raw as raw

    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return []
    try:
        count = raw.FPDF_StructTree_CountChildren(tree)
        roots = [raw.FPDF_StructTree_GetChildAtIndex(tree, at) for at in range(max(0, count))]
        nodes = [_read_node(raw, root, 0) for root in roots if root]
    finally:
        raw.FPDF_StructTree_Close(tree)
    texts = _Texts(_texts_by_mark(letters), words)
    return [block for node in nodes for block in _read(node, texts, depth=0)]


def _read_node(raw: Any, element: Any, depth: int) -> _Node:
    node = _Node(_type(raw, element))
    for at in range(max(0, raw.FPDF_StructElement_CountChildren(element))):
        child = raw.FPDF_StructElement_GetChildAtIndex(element, at)
        mark = raw.FPDF_StructElement_GetChildMarkedContentID(element, at)
        if child and depth < MAX_DEPTH:
            node.order.append(_read_node(raw, child, depth + 1))
        elif mark >= 0:
            node.order.append(mark)
    return node


def _type(raw: Any, element: Any) -> str:
    size = raw.FPDF_StructElement_GetType(element, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 2))
    raw.FPDF_StructElement_GetType(element, buffer, size)
    return buffer.raw[: max(size - 2, 0)].decode("utf-16-le", "replace")


def _texts_by_mark(letters: Sequence[Letter]) -> dict[int, str]:
    """Text of each marked content; inferred blanks and line ends belong to the one before."""
    parts: dict[int, list[str]] = defaultdict(list)
    current = -1
    for letter in letters:
        if letter.mark >= 0:
            current = letter.mark
        if current >= 0 and (letter.mark >= 0 or letter.text.isspace() or not letter.right):
            parts[current].append(letter.text)
    return {mark: "".join(found) for mark, found in parts.items()}


def _read(node: _Node, texts: _Texts, *, depth: int) -> Iterator[TextBlock]:
    heading = _HEADING.fullmatch(node.type)
    if heading:
        yield TextBlock(Kind.HEADING, text=texts.running(node), level=int(heading[1] or 1))
    elif node.type == "Table":
        yield from _read_table(node, texts)
    elif node.type == "L":
        yield from _read_list(node, texts, depth=depth)
    elif node.type in ("P", "Caption", "BlockQuote", "Note", "LBody", "TOCI"):
        yield from _read_prose(node, texts, depth=depth)
    else:
        yield from _read_mixed(node, texts, depth=depth)


def _read_prose(node: _Node, texts: _Texts, *, depth: int) -> Iterator[TextBlock]:
    kind = Kind.QUOTE if node.type == "BlockQuote" else Kind.PARAGRAPH
    if any(child.type in ("L", "Table", "P") for child in _nodes(node)):
        yield from _read_mixed(node, texts, depth=depth)
    elif text := texts.running(node):
        yield TextBlock(kind, text=text)


def _read_mixed(node: _Node, texts: _Texts, *, depth: int) -> Iterator[TextBlock]:
    """Children as blocks; runs of text and of inline elements between them as paragraphs."""
    inline = _Node("P")
    for part in node.order:
        if isinstance(part, int) or part.type in ("Span", "Link", "Em", "Strong", "Code", "Quote"):
            inline.order.append(part)
            continue
        if text := texts.running(inline):
            yield TextBlock(Kind.PARAGRAPH, text=text)
        inline = _Node("P")
        yield from _read(part, texts, depth=depth)
    if text := texts.running(inline):
        yield TextBlock(Kind.PARAGRAPH, text=text)


def _nodes(node: _Node) -> list[_Node]:
    return [part for part in node.order if isinstance(part, _Node)]


def _read_list(node: _Node, texts: _Texts, *, depth: int) -> Iterator[TextBlock]:
    for item in _nodes(node):
        if item.type == "L":
            yield from _read_list(item, texts, depth=depth + 1)
            continue
        label = " ".join(texts.running(part) for part in _nodes(item) if part.type == "Lbl")
        rest = _Node("LBody", order=[p for p in item.order if not _is(p, "Lbl")])
        blocks = list(_read_mixed(rest, texts, depth=depth + 1))
        own = [b.text for b in blocks if b.kind is Kind.PARAGRAPH]
        text = " ".join(own)
        number = _NUMBER.match(label) or _NUMBER.match(text)
        text = _BULLET.sub("", text, count=1) if _BULLET.match(text) else text
        if not label and number:
            text = text[number.end() :]
        if text:
            yield TextBlock(
                Kind.ITEM, text=text, level=depth, number=int(number[1]) if number else 0
            )
        yield from (b for b in blocks if b.kind is not Kind.PARAGRAPH)


def _is(part: "int | _Node", kind: str) -> bool:
    return isinstance(part, _Node) and part.type == kind


def _read_table(node: _Node, texts: _Texts) -> Iterator[TextBlock]:
    cells = [[c for c in _nodes(row) if c.type in ("TH", "TD")] for row in _rows(node)]
    table = [tuple(texts.running(cell) for cell in row) for row in cells if row]
    for caption in _nodes(node):
        if caption.type == "Caption" and (text := texts.running(caption)):
            yield TextBlock(Kind.PARAGRAPH, text=text)
    if len(table) < 2:  # a frame around text, not data
        yield from (TextBlock(Kind.PARAGRAPH, text=text) for row in table for text in row if text)
        return
    if not all(cell.type == "TH" for cell in next(row for row in cells if row)):
        table.insert(0, ("",) * max(len(row) for row in table))
    yield TextBlock(Kind.TABLE, rows=tuple(table))


def _rows(node: _Node) -> Iterator[_Node]:
    for child in _nodes(node):
        if child.type == "TR":
            yield child
        elif child.type in ("THead", "TBody", "TFoot", "NonStruct", "Div"):
            yield from _rows(child)

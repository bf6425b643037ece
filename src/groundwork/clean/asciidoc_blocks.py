"""Blocks of AsciiDoc: headings, paragraphs, lists, tables, listings, and boxes around them.

In: lines without comments. Out: blocks in reading order.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from groundwork.clean.asciidoc_inline import plain_inline
from groundwork.clean.asciidoc_tables import read_table
from groundwork.clean.blocks import Kind, TextBlock, one_line

MAX_BOXES = 12
"""Boxes inside boxes; deeper ones are read as paragraphs."""
_HEADING = re.compile(r"(={1,6}|#{1,6})[ \t]+(\S.*)")
_UNDERLINE = {"=": 1, "-": 2, "~": 3, "^": 4, "+": 5}
_ATTRIBUTES = re.compile(r"\[(?!\[)([^\n]*)\][ \t]*")
_ANCHOR = re.compile(r"\[\[([^\],]+)(?:,[^\]]*)?\]\][ \t]*")
_TITLE = re.compile(r"\.(?![.\s])(\S.*)")
_ENTRY = re.compile(r":(!?)([\w-]+)(!?):(?:[ \t]+(.*))?")
_FENCE = re.compile(r"(-{4,}|\.{4,}|={4,}|\*{4,}|_{4,}|\+{4,}|--|`{3,})[\w-]*[ \t]*")
_TABLE = re.compile(r"([|,:!])={3,}[ \t]*")
_SILENT = re.compile(
    r"(?:image|video|audio|toc|include|unfloat|page-break)::?[^\[]*\[.*\][ \t]*|'{3,}|<{3,}"
    r"|(?:-{3}|\*{3}|- - -|\* \* \*)[ \t]*"
)
_ITEM = re.compile(r"[ \t]*(\*{1,6}|-|\.{1,6}|\d{1,3}\.|[a-zA-Z]\.|<(?:\d{1,2}|\.)>)[ \t]+(\S.*)")
_TERM = re.compile(r"[ \t]*(\S.*?)(:{2,4}|;;)(?:[ \t]+(.*))?")
_ADMONITION = re.compile(r"(NOTE|TIP|IMPORTANT|WARNING|CAUTION):[ \t]+(.*)", re.S)
_NAMED = re.compile(r"([\w-]+)=(?:\"([^\"]*)\"|'([^']*)'|([^,]*))")
BOXES = {"NOTE", "TIP", "IMPORTANT", "WARNING", "CAUTION"}
CODE = {"source", "listing", "literal"}


@dataclass(frozen=True, slots=True)
class _Style:
    """What stands above a block."""

    name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    title: str = ""
    anchor: str = ""


@dataclass(slots=True)
class BlockReader:
    """Reads lines into blocks; knows the document's attributes and the titles of its anchors."""

    attributes: dict[str, str]
    max_depth: int
    titles: dict[str, str] = field(default_factory=dict)
    markers: list[str] = field(default_factory=list)
    """Marks of the lists that are open, outermost first."""
    numbers: list[int] = field(default_factory=list)

    def plain(self, text: str) -> str:
        """`text` without inline marks."""
        return plain_inline(text, self.attributes, self.titles)

    def read(self, lines: Sequence[str]) -> Iterator[TextBlock]:
        """Blocks of a whole document."""
        self._learn_titles(lines)
        yield from self._read(lines, boxes=0)

    def _learn_titles(self, lines: Sequence[str]) -> None:
        """What `<<anchor>>` shows: the heading or caption that follows the anchor."""
        for here, following in pairwise(lines):
            anchor = _ANCHOR.fullmatch(here)
            heading = _HEADING.fullmatch(following) or _TITLE.fullmatch(following)
            if anchor and heading:
                self.titles[anchor[1]] = self.plain(heading[heading.lastindex or 1])

    def _read(self, lines: Sequence[str], *, boxes: int) -> Iterator[TextBlock]:
        at = 0
        style = _Style()
        self.markers, self.numbers, outer = [], [], (self.markers, self.numbers)
        while at < len(lines):
            line = lines[at]
            if changed := self._style(line, style):
                style, at = changed, at + 1
                continue
            found, at = self._next(lines, at, style, boxes)
            yield from found
            if line.strip():
                style = _Style()
        self.markers, self.numbers = outer

    def _style(self, line: str, style: _Style) -> _Style | None:
        """The style with what `line` adds to it; None when it is no line above a block."""
        if anchor := _ANCHOR.fullmatch(line):
            return replace(style, anchor=anchor[1])
        if found := _ATTRIBUTES.fullmatch(line):
            named = {
                m[1]: next(filter(None, m.groups()[1:]), "") for m in _NAMED.finditer(found[1])
            }
            first = re.split(r"[,%#.]", found[1])[0].strip()
            if "%header" in found[1]:
                named["options"] = "header," + named.get("options", "")
            name = style.name if "=" in first or not first else first
            return replace(style, name=name, attributes=style.attributes | named)
        if title := _TITLE.fullmatch(line):
            return replace(style, title=title[1])
        return None

    def _next(
        self, lines: Sequence[str], at: int, style: _Style, boxes: int
    ) -> tuple[list[TextBlock], int]:
        """The blocks that begin at line `at`, and the line after them."""
        line = lines[at]
        entry = _ENTRY.fullmatch(line)
        if not line.strip() or entry or _SILENT.fullmatch(line) or line.strip() == "+":
            if entry:
                self._set(entry)
            return self._caption(style) if _SILENT.fullmatch(line) else [], at + 1
        if heading := self._heading(lines, at):
            self._end_lists()
            return [heading[0]], heading[1]
        if table := _TABLE.fullmatch(line):
            return self._table(lines, at, table[1], style)
        fence = _FENCE.fullmatch(line)
        if fence and boxes < MAX_BOXES:
            return self._fenced(lines, at, fence[1], style, boxes)
        if item := self._item(lines, at):
            return [*self._caption(style), *item[0]], item[1]
        return self._paragraph(lines, at, style)

    def _set(self, entry: re.Match[str]) -> None:
        if entry[1] or entry[3]:
            self.attributes.pop(entry[2].lower(), None)
        else:
            self.attributes[entry[2].lower()] = entry[4] or ""

    def _caption(self, style: _Style) -> list[TextBlock]:
        return [TextBlock(Kind.PARAGRAPH, text=self.plain(style.title))] if style.title else []

    def _end_lists(self) -> None:
        self.markers, self.numbers = [], []

    def _heading(self, lines: Sequence[str], at: int) -> tuple[TextBlock, int] | None:
        if found := _HEADING.fullmatch(lines[at]):
            level = len(found[1])
            words = found[2].removesuffix(f" {found[1]}")
            return TextBlock(Kind.HEADING, text=self.plain(words), level=level), at + 1
        text = lines[at].rstrip()
        below = lines[at + 1].rstrip() if at + 1 < len(lines) else ""
        alone = at == 0 or not lines[at - 1].strip() or bool(_ANCHOR.fullmatch(lines[at - 1]))
        underlined = below[:1] in _UNDERLINE and below == below[:1] * len(below)
        if alone and underlined and text[:1].isalnum() and abs(len(text) - len(below)) <= 1:
            level = _UNDERLINE[below[0]]
            return TextBlock(Kind.HEADING, text=self.plain(text), level=level), at + 2
        return None

    def _table(
        self, lines: Sequence[str], at: int, separator: str, style: _Style
    ) -> tuple[list[TextBlock], int]:
        inner, after = _until(lines, at + 1, lines[at].strip())
        rows = read_table(inner, style.attributes, separator=separator, plain=self.plain)
        return [*self._caption(style), TextBlock(Kind.TABLE, rows=rows)], after

    def _fenced(
        self, lines: Sequence[str], at: int, fence: str, style: _Style, boxes: int
    ) -> tuple[list[TextBlock], int]:
        """A block between two fences: code as it is, all others by what stands in them."""
        inner, after = _until(lines, at + 1, fence)
        caption = self._caption(style)
        is_code = fence[0] in ".`" or (fence[0] == "-" and len(fence) > 2)
        if is_code and style.name not in ("quote", "verse", "example"):
            return [*caption, self._code(inner)], after
        if style.name in CODE:
            return [*caption, self._code(inner)], after
        if fence[0] == "+":
            return [], after
        found = list(self._read(inner, boxes=boxes + 1))
        if fence[0] == "_" or style.name in ("quote", "verse"):
            found = [replace(b, kind=Kind.QUOTE) if b.kind is Kind.PARAGRAPH else b for b in found]
        if style.name in BOXES and found:
            found[0] = replace(found[0], text=f"{style.name.capitalize()}: {found[0].text}")
        return [*caption, *found], after

    def _code(self, lines: Sequence[str]) -> TextBlock:
        shown = (line for line in lines if not line.startswith("include::"))  # none was found
        return TextBlock(Kind.CODE, text="\n".join(shown), level=len(self.markers))

    def _item(self, lines: Sequence[str], at: int) -> tuple[list[TextBlock], int] | None:
        item, term = _ITEM.fullmatch(lines[at]), _TERM.fullmatch(lines[at])
        if item and not (term and item[1].isalpha()):
            marker = "1." if item[1][0].isdigit() else item[1]
            words, number = [item[2]], self._enter(marker)
            ordered = marker[0] not in "*-"
        elif term and not term[1].startswith(("http", "`http")):
            words, number, ordered = [f"{term[1]}:", term[3] or ""], self._enter(term[2]), False
        else:
            return None
        level = len(self.markers) - 1
        more, after = self._continuation(lines, at + 1, skip_blank=bool(term and not term[3]))
        text = one_line(self.plain("\n".join([*words, *more])))
        return [TextBlock(Kind.ITEM, text=text, level=level, number=number * ordered)], after

    def _continuation(
        self, lines: Sequence[str], at: int, *, skip_blank: bool
    ) -> tuple[list[str], int]:
        """Lines that go on with an item: until a blank line or the beginning of another block."""
        while skip_blank and at < len(lines) and not lines[at].strip():
            at += 1
        more = []
        while at < len(lines) and lines[at].strip() and not self._begins_block(lines[at]):
            more.append(lines[at].strip())
            at += 1
        return more, at

    def _begins_block(self, line: str) -> bool:
        patterns = (_ITEM, _TERM, _FENCE, _TABLE, _ATTRIBUTES, _ANCHOR, _SILENT)
        return line.strip() == "+" or any(pattern.fullmatch(line) for pattern in patterns)

    def _enter(self, marker: str) -> int:
        """Open, go on with or return to the list of a mark; return the item's number."""
        if marker in self.markers:
            depth = self.markers.index(marker)
            del self.markers[depth + 1 :], self.numbers[depth + 1 :]
        elif len(self.markers) < 6:
            self.markers.append(marker)
            self.numbers.append(0)
        self.numbers[-1] += 1
        return self.numbers[-1]

    def _paragraph(
        self, lines: Sequence[str], at: int, style: _Style
    ) -> tuple[list[TextBlock], int]:
        end = at + 1
        attached = at > 0 and lines[at - 1].strip() == "+"
        ends = self._begins_block if attached else self._ends_paragraph
        while end < len(lines) and lines[end].strip() and not ends(lines[end]):
            end += 1
        if not attached:
            self._end_lists()
        text = lines[at:end]
        caption = self._caption(style)
        indented = text[0][:1] in " \t"
        if style.name in CODE or (indented and style.name != "normal"):
            return [*caption, self._code(text)], end
        words = self.plain("\n".join(line.strip() for line in text))
        box = _ADMONITION.fullmatch(words)
        if box or style.name in BOXES:
            name, words = (box[1], box[2]) if box else (style.name, words)
            words = f"{name.capitalize()}: {words}"
        kind = Kind.QUOTE if style.name in ("quote", "verse") else Kind.PARAGRAPH
        if attached and self.markers and kind is Kind.PARAGRAPH:
            level = min(len(self.markers), 6)
            return [*caption, TextBlock(Kind.ITEM, text=words, level=level)], end
        return [*caption, TextBlock(kind, text=_joined(words))], end

    def _ends_paragraph(self, line: str) -> bool:
        marks = (_FENCE, _TABLE, _ATTRIBUTES, _ANCHOR)
        return line.strip() == "+" or any(mark.fullmatch(line) for mark in marks)


def _joined(words: str) -> str:
    """One line but for breaks that the author asked for: those that `plain` leaves doubled."""
    return "\n".join(" ".join(part.split()) for part in words.split("\n\n") if part.strip())


def _until(lines: Sequence[str], at: int, fence: str) -> tuple[list[str], int]:
    """Lines up to the closing fence, and the line after it; to the end when it is missing."""
    end = at
    while end < len(lines) and lines[end].rstrip() != fence:
        end += 1
    return list(lines[at:end]), end + 1

"""An HTML tree cut into segments: runs of text between the edges of blocks.

In: the tree of a page; a blank is set between links that stand side by side. Out: boxes (block
elements, parents before children) and segments in reading order, each with the box that holds it.
What is kept of a page is decided segment by segment; a box knows which segments lie inside it.
"""

import re
from dataclasses import dataclass
from typing import Any

from groundwork.clean.segment_words import ROLES, TAGS, name_bits

Tree = Any  # lxml ships no types
SKIPPED = {
    *("script", "style", "template", "svg", "iframe", "head", "object", "canvas", "audio", "video"),
    *("select", "textarea", "math", "datalist", "link", "meta", "input", "img", "source"),
    "picture",
}
"""Never text of a page. `noscript` is not among them: some forums keep their posts there."""
INLINE = {
    *("a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em"),
    *("font", "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike"),
    *("strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "nobr", "bold"),
}
APART = {"a", "span", "label", "time", "button"}
"""Inline elements that a browser sets apart from the next one, with no blank between their tags."""
_CODE = 1 << TAGS["pre"]
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_WORD = re.compile(r"\w+")


@dataclass(slots=True, eq=False)
class Box:
    """A block element, or the root."""

    element: Tree
    parent: "Box | None"
    depth: int
    first: int
    """Number of the first segment inside."""
    last: int
    """One past the number of the last segment inside."""
    signature: tuple[str, str]
    """Tag and classes: siblings that share it are of one kind."""
    own_names: int
    """What its class, id and the like speak of, one bit for each of `NAMES`."""
    names: int
    """The same of the box and all boxes around it."""
    tags: int
    """Which of `TAGS` the box or a box around it is, one bit for each."""
    hidden: bool


@dataclass(slots=True, eq=False)
class Segment:
    """A run of text directly inside a box, inline elements included."""

    box: Box
    text: str
    """On one line."""
    words: list[str]
    """Lower case."""
    link_share: float
    """Characters that stand in links."""
    pieces: list[tuple[Tree, bool]]
    """Where the text stands: an element and whether it is its tail."""


class Cutter:
    """Walks a tree once."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.segments: list[Segment] = []
        self._run: list[tuple[Tree, bool, str, bool]] = []

    def cut(self, tree: Tree) -> tuple[list[Box], list[Segment]]:
        """Boxes and segments of `tree`."""
        root = self._open(tree, None)
        self._walk(tree, root, linked=False)
        self._close(root)
        return self.boxes, self.segments

    def _open(self, element: Tree, parent: Box | None) -> Box:
        found = element.attrib
        classes = found.get("class") or ""
        named = (classes, found.get("id"), found.get("data-testid"), found.get("itemprop"))
        own_names = name_bits(" ".join([name for name in named if name] + [element.tag]))
        start = len(self.segments)
        box = Box(
            element=element,
            parent=parent,
            depth=parent.depth + 1 if parent else 0,
            first=start,
            last=start,
            signature=(element.tag, classes),
            own_names=own_names,
            names=own_names | (parent.names if parent else 0),
            tags=_tag_bits(element) | (parent.tags if parent else 0),
            hidden=_is_hidden(found) or (parent is not None and parent.hidden),
        )
        self.boxes.append(box)
        return box

    def _close(self, box: Box) -> None:
        self._end_segment(box)
        box.last = len(self.segments)

    def _walk(self, element: Tree, box: Box, *, linked: bool) -> None:
        run = self._run
        if element.text:
            run.append((element, False, element.text, linked))
        for child in element:
            tag = child.tag
            if tag == "br":
                run.append((child, False, " ", False))
            elif tag in INLINE:
                self._walk(child, box, linked=linked or tag == "a")
            elif tag not in SKIPPED:
                self._end_segment(box)
                inner = self._open(child, box)
                self._walk(child, inner, linked=linked)
                self._close(inner)
            if tag in APART and not child.tail and not (box.tags & _CODE or element.tag == "code"):
                following = child.getnext()
                if following is not None and following.tag in APART:
                    child.tail = " "
            if child.tail:
                run.append((child, True, child.tail, linked))

    def _end_segment(self, box: Box) -> None:
        run = self._run
        text = " ".join("".join([piece[2] for piece in run]).split())
        if text:
            filled = [piece for piece in run if not piece[2].isspace()]
            chars = sum(len(piece[2]) for piece in filled)
            in_links = sum(len(piece[2]) for piece in filled if piece[3])
            pieces = [(piece[0], piece[1]) for piece in run]
            words = _WORD.findall(text.lower())
            self.segments.append(Segment(box, text, words, in_links / chars, pieces))
        run.clear()


def _tag_bits(element: Tree) -> int:
    bits = 1 << TAGS[element.tag] if element.tag in TAGS else 0
    role = element.get("role")
    return bits | (1 << TAGS[ROLES[role]] if role in ROLES else 0)


def _is_hidden(found: Any) -> bool:
    if "hidden" in found or found.get("aria-hidden") == "true":
        return True
    return "style" in found and _HIDING.search(found["style"]) is not None


def cut_tree(tree: Tree) -> tuple[list[Box], list[Segment]]:
    """Boxes and segments of `tree`, the window's title and other parts of the head left out."""
    return Cutter().cut(tree)

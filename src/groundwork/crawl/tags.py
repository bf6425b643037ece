"""Opening tags of an HTML page, read where they stand: no tree, no copy but of what is asked for.

In: bytes whose markup is ASCII. Out: names and places, then the attributes that are wanted. The
rules are the standard's: https://html.spec.whatwg.org/multipage/parsing.html#tokenization
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import unescape
from html.entities import html5

Data = bytes | bytearray
_BEGINNING = re.compile(rb"<(?:(!--)|(/)?+([a-zA-Z][^\s/>]*+)|[!?/])")
_TAG_END = re.compile(
    rb"""[^>=]*+(?:=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+|(?=>))[^>=]*+)*+>"""
)
"""A quote counts behind an equals sign alone."""
_COMMENT_END = re.compile(rb"--!?>")
_OTHER_END = re.compile(rb">")
"""Of a document type, an instruction, and what browsers take for a comment."""
_RAW = {
    name: re.compile(rb"</%b(?=[\s/>])" % name, re.I)
    for name in (
        *(b"iframe", b"noembed", b"noframes", b"plaintext", b"script", b"style", b"textarea"),
        *(b"title", b"xmp"),
    )
}
"""Elements whose content is no markup, with what ends it."""
_ATTRIBUTE = re.compile(
    rb"""[\s/]*+([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s>]*+)))?+"""
)
_NAME_BYTES = 20
"""No name that anybody asks for is longer."""
_REFERENCE = re.compile(r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[a-zA-Z][a-zA-Z0-9]*(?:;|(?![\w=])))")


@dataclass(frozen=True, slots=True)
class Tag:
    """An opening tag, as a place in `data`."""

    data: Data
    name: bytes
    """Lower case."""
    start: int
    """Where its attributes begin."""
    end: int
    """Where its `>` stands."""

    def attributes(self, wanted: Collection[bytes], *, max_bytes: int) -> dict[bytes, bytes | None]:
        """Values as they are written; of equal names the first, None where above `max_bytes`."""
        found: dict[bytes, bytes | None] = {}
        at = self.start
        while match := _ATTRIBUTE.match(self.data, at, self.end):
            at = match.end()
            if match.end(1) - match.start(1) > _NAME_BYTES:
                continue
            name = match[1].lower()
            if name in wanted and name not in found:
                group = match.lastindex or 1
                start, end = match.span(group) if group > 1 else (0, 0)
                found[name] = bytes(self.data[start:end]) if end - start <= max_bytes else None
        return found


def opening_tags(data: Data, names: Collection[bytes]) -> Iterator[Tag]:
    """The opening tags of these names in their order, in time linear to the page.

    A tag, a comment or a script that never ends takes the rest of the page.
    """
    at = 0
    while match := _BEGINNING.search(data, at):
        if match[1]:  # `<!-->` is one, too
            end = _COMMENT_END.search(data, match.end() - 2)
        else:
            end = (_TAG_END.match if match[3] else _OTHER_END.search)(data, match.end())
        if end is None:
            return
        at = end.end()
        if match[3] and not match[2] and match.end(3) - match.start(3) <= _NAME_BYTES:
            name = match[3].lower()
            if name in names:
                yield Tag(data, name, match.end(), at - 1)
            if name in _RAW:
                closing = _RAW[name].search(data, at)
                if closing is None:
                    return
                at = closing.start()


def unescape_value(text: str) -> str:
    """An attribute's text without its references; `?a=1&copy=2` holds none, as in browsers."""
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(match: re.Match[str]) -> str:
    known = match[0].startswith("&#") or match[0][1:] in html5
    return unescape(match[0]) if known else match[0]

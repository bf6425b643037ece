"""The licence that a document states of itself, in the few places made for it."""

import re

_HEAD_BYTES = 20_000
_SPDX = re.compile(
    rb"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+() -]{2,60}?)[ \t]*(?:\*/|-->|\r?\n|$)"
)
_LINK = re.compile(rb"<(?:link|a)\b[^<>]{0,500}>", re.I)
_REL = re.compile(rb"\brel\s*=\s*[\"']?[^\"'>]*\blicense\b", re.I)
_HREF = re.compile(rb"\bhref\s*=\s*(?:\"([^\"]{1,300})\"|'([^']{1,300})'|([^\s>]{1,300}))", re.I)
_FRONT = re.compile(rb"\A(?:\xef\xbb\xbf)?---\r?\n(.*?)\r?\n---", re.S)
_FRONT_LICENCE = re.compile(
    rb"^licen[cs]e:[ \t]*[\"']?([^\"'\r\n#]{2,200}?)[\"']?[ \t]*$", re.M | re.I
)


def stated_licence(body: bytes, content_type: str) -> str:
    """Licence by its SPDX name or address, or an empty string when the document states none.

    Read are `SPDX-License-Identifier`, `rel=license` of HTML, and `license:` of a front matter.
    """
    if content_type in ("text/html", "application/xhtml+xml"):
        for tag in _LINK.finditer(body):
            href = _HREF.search(tag[0]) if _REL.search(tag[0]) else None
            if href:
                return _text(href[1] or href[2] or href[3])
    head = body[:_HEAD_BYTES]
    if not content_type.startswith("text/"):
        return ""
    front = _FRONT.match(head)
    found = _FRONT_LICENCE.search(front[1]) if front else None
    found = found or _SPDX.search(head)
    return _text(found[1]) if found else ""


def _text(value: bytes) -> str:
    return " ".join(value.decode("utf-8", "replace").split())

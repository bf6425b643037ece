"""Bytes of a page to text, and the checks that must come before any parser.

In: a body of which nothing is known. Out: text that looks like HTML and is safe to parse.
"""

import codecs
import re

from groundwork.clean.config import ExtractConfig
from groundwork.clean.reasons import PageRefusedError, Reason

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.I)
_CHARSETS = re.compile(
    r"utf[-_]?(?:8|16|32).*|us-ascii|ascii|iso[-_]?8859.*|latin.*|l\d|windows[-_]?\d+|cp\d+|gb.*"
    r"|big5.*|euc.*|shift[-_]?jis|sjis|ms932|iso-2022.*|koi8.*|mac.*|tis-?620|hz.*|johab"
)
"""Charsets of web pages; Python knows other codecs (`hex`, `idna`, …) that are none."""
_LATIN1 = re.compile(r"us-ascii|ascii|iso[-_]?8859[-_]?1|latin[-_]?1|l1")
_MARKUP = re.compile(
    r"<(?:!doctype\s+html|html|head|body|main|article|div|section|table|ul|ol|p|h[1-6])\b", re.I
)
_TAG = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_ATTRIBUTES = re.compile(
    r"""[^>=]*+(?:=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+|(?=>))[^>=]*+)*+"""
)
"""All that follows the name of a tag; a quote counts behind an equals sign alone."""
_ATTRIBUTE = re.compile(r"""[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>]*+))?+""")
_RAW = {"script", "style", "textarea", "title", "xmp", "iframe"}
"""Elements whose content is no markup."""
_FLAT = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
    *("source", "track", "wbr", "html", "head", "body", "p", "li", "dt", "dd", "option"),
    *("optgroup", "thead", "tbody", "tfoot", "tr", "td", "th", "colgroup"),
}
"""Elements without an end tag, or that the parser closes by itself: they make no depth."""

HIDDEN = ("script", "style", "svg", "template")
SHORT_CHARS = 100_000
"""A shorter text cannot hold enough to be hard to read."""
MAX_ATTRIBUTES = 5_000
"""Of one element: they take the parser 0.05 s, 50,000 take 33 s and 100,000 154 s."""


def decode_body(body: bytes, charset: str) -> str:
    """Text of `body`; a byte-order mark wins, then valid UTF-8, then what the page declares.

    Servers name wrong charsets more often than other encodings pass for UTF-8 by accident. What
    nothing explains is read as Windows-1252, as browsers do.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(name if name == "utf-8" else _utf16(bom), "replace")
    head = body[:4096]
    if head.count(0) > len(head) // 4:
        return body.decode("utf-16-be" if head[:1] == b"\0" else "utf-16-le", "replace")
    meta = _META_CHARSET.search(head)
    declared = [charset, meta[1].decode("ascii") if meta else ""]
    names = ["utf-8", *declared] if b"\x1b" not in head else [*declared, "utf-8"]
    for name in names:
        try:
            return body.decode(_web_name(name))
        except (LookupError, UnicodeError):
            continue
    return body.decode("cp1252", "replace")


def _utf16(bom: bytes) -> str:
    return "utf-16-le" if bom == codecs.BOM_UTF16_LE else "utf-16-be"


def _web_name(name: str) -> str:
    """Python's name of a charset as the web understands it. Raises: `LookupError`."""
    lower = name.strip().lower()
    if not _CHARSETS.fullmatch(lower):
        raise LookupError(f"{name!r} is no charset of web pages")
    return "cp1252" if _LATIN1.fullmatch(lower) else codecs.lookup(lower).name


def check_html(body: bytes, text: str) -> None:
    """Refuse what is no HTML. Raises: `PageRefusedError`."""
    if body.lstrip()[:5] == b"%PDF-":
        raise PageRefusedError(Reason.NOT_HTML, "a PDF that the server calls HTML")
    sample = text[:20_000]
    odd = sum(
        1 for letter in sample if letter == "\ufffd" or (letter < " " and letter not in "\t\n\f\r")
    )
    if odd * 20 > len(sample):
        raise PageRefusedError(
            Reason.NOT_HTML, f"{odd} of the first {len(sample)} characters are not text"
        )
    if not _MARKUP.search(text):
        start = " ".join(text[:60].split())
        raise PageRefusedError(Reason.NOT_HTML, f"no HTML element; it begins {start!r}")


def check_markup(text: str, config: ExtractConfig) -> None:
    """Refuse markup too deep or too large to parse. Raises: `PageRefusedError`.

    One pass over the tags, linear in the text: parsers and extractors recurse once a level.
    """
    stack: list[str] = []
    tags = 0
    at = 0
    is_long, read_to = len(text) > SHORT_CHARS, 0
    while match := _TAG.search(text, at):
        at = match.end()
        name = (match[2] or "").lower()
        if not name:
            at = _after(text, "-->", at)
        elif match[1]:
            _close(stack, name)
        else:
            tags += 1
            if is_long and at >= read_to:  # else it stands in the tag that was checked last
                read_to = _check_attributes(text, at)
            if name in _RAW:
                at = _after(text, f"</{name}", at)
            elif name not in _FLAT and not _closes_itself(text, at):
                stack.append(name)
        if len(stack) > config.max_depth:
            raise PageRefusedError(
                Reason.MARKUP_TOO_DEEP,
                f"more than {config.max_depth} nested elements at character {match.start()}",
            )
        if tags > config.max_tags:
            raise PageRefusedError(Reason.TOO_MANY_TAGS, f"more than {config.max_tags} tags")
    if len(text) > config.max_text_chars:
        _check_text(text, config)


def _check_attributes(text: str, at: int) -> int:
    """Refuse a tag that takes the parser minutes, and say where it ends.

    Raises: `PageRefusedError`.

    The parser compares each attribute with all before it, and holds them all to do so.
    """
    found = _ATTRIBUTES.match(text, at)
    assert found
    if found.end() - at > 2 * MAX_ATTRIBUTES:
        number = sum(1 for _ in _ATTRIBUTE.finditer(text, at, found.end()))
        if number > MAX_ATTRIBUTES:
            raise PageRefusedError(
                Reason.TOO_MANY_TAGS,
                f"an element with {number} attributes; expected at most {MAX_ATTRIBUTES}",
            )
    return found.end()


def _check_text(text: str, config: ExtractConfig) -> None:
    """Refuse more text than `quality` would keep. Raises: `PageRefusedError`."""
    from lxml.etree import HTMLParser

    sums = _Sums()
    parser = HTMLParser(target=sums, encoding="utf-8", huge_tree=True)
    for start in range(0, len(text), SHORT_CHARS):
        parser.feed(text[start : start + SHORT_CHARS].encode("utf-8", "replace"))
        if sums.chars > config.max_text_chars:
            raise PageRefusedError(
                Reason.BODY_TOO_LARGE,
                f"more than {config.max_text_chars} characters of text",
            )
    parser.close()


class _Sums:
    """Target of the parser: how much text there is."""

    def __init__(self) -> None:
        self.chars = self.hidden = 0

    def start(self, tag: str, _: dict[str, str]) -> None:
        self.hidden += tag in HIDDEN

    def end(self, tag: str) -> None:
        self.hidden -= tag in HIDDEN

    def data(self, text: str) -> None:
        if not self.hidden:
            self.chars += len(text)

    def close(self) -> None:
        """Nothing is kept."""


def _after(text: str, mark: str, at: int) -> int:
    found = text.find(mark, at)
    if found < 0 and mark[:2] == "</":
        found = text.lower().find(mark, at)
    return found + len(mark) if found >= 0 else len(text)


def _close(stack: list[str], name: str) -> None:
    """Close the innermost `name`; an end tag without a beginning closes nothing."""
    if name in _FLAT:
        return
    for depth in range(len(stack) - 1, max(-1, len(stack) - 9), -1):
        if stack[depth] == name:
            del stack[depth:]
            return


def _closes_itself(text: str, at: int) -> bool:
    """Whether the tag ends with `/>`: so it does in SVG, whose shapes are many."""
    end = text.find(">", at, at + 2000)
    return end > 0 and text[end - 1] == "/"

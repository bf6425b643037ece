"""Inline marks of AsciiDoc: what a reader of the finished page would see, code in backticks.

In: text of a paragraph, item or cell. Out: the same without marks.
"""

import re
from collections.abc import Mapping

_CODE = re.compile(r"(?<![\w`\\])`(?!\s)(\+?)(.{1,500}?)\1(?<!\s)`(?![\w`])|``(.{1,500}?)``", re.S)
_PASS = re.compile(
    r"pass:[a-z,]*\[(.{0,500}?)\]|\+\+\+(.{1,500}?)\+\+\+"
    r"|(?<![\w+])\+(\S|\S[^+\n]{0,500}\S)\+(?!\w)"
)
_XREF = re.compile(r"<<([^<>,]+)(?:,\s*([^<>]*?)\s*)?>>|\bxref:([^\s\[\]]+)\[([^\]]{0,500})\]")
_LINK = re.compile(
    r"\b(?:link:|(?=(?:https?|ftp|irc|mailto):))([^\s\[\]<>]+)\[((?:[^\]\\]|\\.){0,500})\]"
)
_ANGLE_URL = re.compile(r"<((?:https?|ftp|mailto):[^\s<>]+)>")
_MACRO = re.compile(
    r"\b(?:image|icon|indexterm|anchor):[^\s:\[\]]*\[[^\]]{0,500}\]"
    r"|\[\[[^\]\n]{1,200}\]\]|\(\(\([^()]{0,200}\)\)\)"
)
_SHOWN = re.compile(r"\b(?:kbd|btn|stem|latexmath|asciimath|indexterm2):\[([^\]]{0,500})\]")
_MENU = re.compile(r"\bmenu:([^\[\]\n]{1,100})\[([^\]]{0,200})\]")
_NOTE = re.compile(r"\bfootnote(?:ref)?:[\w-]*\[((?:[^\]\\]|\\.){0,2000})\]")
_TERM = re.compile(r"\(\(([^()]+)\)\)")
_ATTRIBUTE = re.compile(r"(\\?)\{([A-Za-z0-9_][\w-]*)\}")
_ROLE = re.compile(r"\[[.#%][^\]\n]{0,200}\](?=[#*_`])")
_DOUBLE = re.compile(r"(\*\*|__|##)(?=\S)(.{1,500}?)(?<=\S)\1", re.S)
_SINGLE = (
    re.compile(r"(?<![\w\\*])\*([^\s*]|[^\s*].{0,500}?\S)\*(?!\w)", re.S),
    re.compile(r"(?<![\w\\_])_([^\s_]|[^\s_].{0,500}?\S)_(?!\w)", re.S),
    re.compile(r"(?<![\w\\#])#([^\s#]|[^\s#].{0,500}?\S)#(?!\w)", re.S),
)
"""Marks around 500 characters at most: an unclosed one must not cost the whole text each time."""
_SCRIPT = re.compile(r"\^(\S+?)\^|~(\S+?)~")
_QUOTES = (('"`', "“"), ('`"', "”"), ("'`", "‘"), ("`'", "’"))
_SIGNS = (("(C)", "©"), ("(R)", "®"), ("(TM)", "™"), ("...", "…"), (" -- ", " — "), ("->", "→"))
_MARKED = re.compile(r"[*_#`+<{\\^~\[(:]|\.\.\.| -- |->")
"""What plain words lack: most cells of a table are spared the rest."""
_HELD = re.compile("\ue000(\\d+)\ue001")
PREDEFINED = {
    "nbsp": " ",
    "sp": " ",
    "empty": "",
    "blank": "",
    "zwsp": "",
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "plus": "+",
    "vbar": "|",
    "startsb": "[",
    "endsb": "]",
    "asterisk": "*",
    "caret": "^",
    "tilde": "~",
    "backslash": "\\",
    "backtick": "`",
    "apos": "'",
    "quot": '"',
    "two-colons": "::",
    "two-semicolons": ";;",
    "cpp": "C++",
}


def plain_inline(text: str, attributes: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """`text` without marks; `attributes` are those of the document, `titles` its anchors'.

    An attribute that the document does not set stays as written: it may be part of an address.
    """
    if not _MARKED.search(text):
        return text
    held: list[str] = []

    def hold(shown: str) -> str:
        held.append(shown)
        return f"\ue000{len(held) - 1}\ue001"

    for mark, sign in _QUOTES:
        text = text.replace(mark, sign)
    text = _CODE.sub(lambda m: hold(f"`{_attributes(m[2] or m[3], attributes)}`"), text)
    text = _PASS.sub(lambda m: hold(next(filter(None, m.groups()), "")), text)
    text = _attributes(text, attributes)
    text = _MACRO.sub("", text)
    text = _XREF.sub(lambda m: _reference(m, titles), text)
    text = _LINK.sub(lambda m: _link(m[1], m[2]), text)
    text = _ANGLE_URL.sub(r"\1", text)
    text = _SHOWN.sub(r"\1", text)
    text = _MENU.sub(lambda m: f"{m[1]} > {m[2]}" if m[2] else m[1], text)
    text = _NOTE.sub(lambda m: f" ({m[1]})" if m[1] else "", text)
    text = _TERM.sub(r"\1", text)
    text = _ROLE.sub("", text)
    text = _DOUBLE.sub(r"\2", text)
    for single in _SINGLE:
        text = single.sub(r"\1", text)
    text = _SCRIPT.sub(lambda m: m[1] or m[2], text)
    for mark, sign in _SIGNS:
        text = text.replace(mark, sign)
    text = re.sub(r"\\([*_`#{+^~<\[])", r"\1", text)
    text = re.sub(r" \+$", "\n", text, flags=re.M)
    while _HELD.search(text):
        text = _HELD.sub(lambda m: held[int(m[1])], text)
    return text


def _attributes(text: str, attributes: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        known = attributes.get(match[2].lower(), PREDEFINED.get(match[2].lower()))
        return match[0][1:] if match[1] else (match[0] if known is None else known)

    return _ATTRIBUTE.sub(value, text)


def _reference(match: re.Match[str], titles: Mapping[str, str]) -> str:
    target, words = (match[1], match[2]) if match[1] else (match[3], match[4])
    if words:
        return words
    anchor = target.rpartition("#")[2]
    return titles.get(anchor) or anchor.removeprefix("_").replace("_", " ")


def _link(target: str, words: str) -> str:
    shown = words.split(",window=")[0].split(",role=")[0].strip().strip('"').rstrip("^")
    return shown or target.removeprefix("mailto:")

"""AsciiDoc: the main constructs of technical documentation.

In: the body of a page, its examples already in place (stage `crawl` puts them there). Out: an
extraction. No living library in Python reads it: see docs/decisions.md.
"""

import re
from collections.abc import Iterator

from groundwork.clean.asciidoc_blocks import BlockReader
from groundwork.clean.blocks import Kind, TextBlock
from groundwork.clean.compose import About, compose
from groundwork.clean.config import ExtractConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.plain import check_marks, decode_source
from groundwork.records import Page

_COMMENT_BLOCK = re.compile(r"/{4,}\s*")
_CONDITION = re.compile(r"(ifdef|ifndef|ifeval|endif)::([^\[]*)\[(.*)\]\s*")
_ENTRY = re.compile(r":(!?)([\w-]+)(!?):(?:\s+(.*))?")
_AUTHOR = re.compile(r"([^\W\d_][\w.'-]*(?:\s+[^\W\d_][\w.'-]*){0,3})(?:\s+<([^<>]+)>)?")
_ISO_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")


def extract_asciidoc(page: Page, config: ExtractConfig) -> Extraction:
    """Read AsciiDoc. Raises: `PageRefusedError`."""
    source = decode_source(page)
    check_marks(source, "[|", config)
    lines = list(_active_lines(source.split("\n")))
    attributes: dict[str, str] = {}
    title, author, date, rest = _read_header(lines, attributes)
    reader = BlockReader(attributes, max_depth=config.max_depth)
    blocks = list(reader.read(rest))
    if title:
        heading = TextBlock(Kind.HEADING, text=reader.plain(title), level=1)
        blocks = [heading, *blocks]
    about = About(
        title=reader.plain(title),
        author=author or attributes.get("author", ""),
        date=date,
        language=attributes.get("lang", "").lower()[:2],
    )
    return compose(blocks, about, media="asciidoc")


def _active_lines(lines: list[str]) -> Iterator[str]:
    """Lines without comments and without what a condition leaves out.

    Attributes of the command that makes the book are not known here: `ifdef` is true for those that
    the document sets, `ifeval` always.
    """
    known: set[str] = set()
    hidden = 0
    nested: list[bool] = []
    comment = ""
    for line in (line.rstrip() for line in lines):
        if comment or _COMMENT_BLOCK.fullmatch(line):
            comment = "" if comment == line.strip() else comment or line.strip()
            continue
        condition = _CONDITION.fullmatch(line)
        if condition and condition[1] == "endif":
            hidden -= nested.pop() if nested else False
        elif condition:
            holds = _holds(condition[1], condition[2], known)
            if condition[1] != "ifeval" and condition[3]:
                if holds and not hidden:
                    yield condition[3]
                continue
            nested.append(not holds)
            hidden += not holds
        elif not hidden and not (line.startswith("//") and not line.startswith("///")):
            if entry := _ENTRY.fullmatch(line):
                unset = entry[1] or entry[3]
                (known.discard if unset else known.add)(entry[2])
            yield line


def _holds(kind: str, names: str, known: set[str]) -> bool:
    if kind == "ifeval":
        return True
    wanted = re.split(r"[,+]", names)
    found = [name.strip() in known for name in wanted]
    is_set = all(found) if "+" in names else any(found)
    return is_set if kind == "ifdef" else not is_set


def _read_header(lines: list[str], attributes: dict[str, str]) -> tuple[str, str, str, list[str]]:
    """Title, author, date and the lines below the header; `attributes` learns those it sets."""
    at = 0
    title = author = date = ""
    while at < len(lines):
        line = lines[at]
        entry = _ENTRY.fullmatch(line)
        if entry and not (entry[1] or entry[3]):
            attributes[entry[2].lower()] = entry[4] or ""
        elif not title and re.match(r"[=#] \S", line):
            title = line[2:].strip()
            at, author, date = _read_byline(lines, at + 1)
            continue
        is_blank = not line.strip()
        if (title and is_blank) or not (is_blank or entry or line.startswith("[[")):
            break
        at += 1
    if not title:
        at = 0  # a chapter: its anchors belong to its blocks
    revision = _ISO_DATE.search(attributes.get("revdate", ""))
    return title, author, date or (revision[0] if revision else ""), lines[at:]


def _read_byline(lines: list[str], at: int) -> tuple[int, str, str]:
    """Where the header goes on, the authors, and the date of the revision."""
    if at >= len(lines) or not lines[at].strip() or lines[at].startswith((":", "[", "=", "i")):
        return at, "", ""
    people = [_AUTHOR.fullmatch(part.strip()) for part in lines[at].split(";")]
    if not all(people):
        return at, "", ""
    author = ", ".join(person[1] for person in people if person)
    at += 1
    date = ""
    if at < len(lines) and re.match(r"v?\d|rev", lines[at].lower()):
        found = _ISO_DATE.search(lines[at])
        date = found[0] if found else ""
        at += 1
    return at, author, date

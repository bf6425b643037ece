"""Markdown with tables, front matter, and the additions of the usual documentation programs.

In: the body of a page. Out: an extraction.
"""

import re
from collections.abc import Iterator
from typing import Any

from groundwork.clean.compose import About, compose
from groundwork.clean.config import ExtractConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.flow import read_flow
from groundwork.clean.plain import check_marks, decode_source
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.records import Page

MAX_FRONT_CHARS = 20_000
_FRONT = re.compile(r"(---|\+\+\+)[ \t]*\n(.*?)\n\1[ \t]*(?:\n|\Z)", re.S)
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_CONTAINER = re.compile(r"\s*:{3,}\s*(?:[\w-]+|\{[^}]*\})?(.*)")
"""`:::note Title`, as Docusaurus, VitePress and Pandoc write boxes."""
_ADMONITION = re.compile(r"(\s*)(?:!!!|\?\?\?\+?)\s+[\w-]+(?:\s+[\w-]+)*\s*(?:\"(.*)\")?\s*")
"""`!!! note "Title"` with its text indented below, as MkDocs writes boxes."""
_ALERT = re.compile(r"(\s*>\s*)\[!(\w+)\][-+]?(.*)")
_TAG_LINE = re.compile(r"\s*(?:\{%.*%\}|\{\{[<%].*[>%]\}\})\s*")
_MODULE_LINE = re.compile(
    r"(?:import\s.+\sfrom\s.+|import\s+['\"].+|export\s+(?:const|default)\s.+)"
)
_HEADING_ID = re.compile(r"(\s*#{1,6}\s.*\S)\s*\{[#.][^}]*\}\s*")
_ISO_DATE = re.compile(r"(?:19|20)\d\d-\d\d-\d\d")


def extract_markdown(page: Page, config: ExtractConfig) -> Extraction:
    """Read Markdown. Raises: `PageRefusedError`."""
    from markdown_it import MarkdownIt

    front, text = _split_front(decode_source(page))
    check_marks(text, "[|", config)
    if config.honour_noindex and (front.get("draft") is True or front.get("noindex") is True):
        raise PageRefusedError(Reason.NOINDEX, "its front matter says draft or noindex")
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    blocks = read_flow(parser.render("\n".join(_plain_lines(text.split("\n")))), config)
    return compose(blocks, _about(front), media="markdown")


def _split_front(text: str) -> tuple[dict[str, Any], str]:
    """The front matter and the rest; one that cannot be read says nothing."""
    import tomllib

    import yaml

    match = _FRONT.match(text[:MAX_FRONT_CHARS])
    if match is None:
        return {}, text
    try:
        found = yaml.safe_load(match[2]) if match[1] == "---" else tomllib.loads(match[2])
    except (yaml.YAMLError, ValueError, RecursionError):
        found = {}
    if match[1] == "---" and not isinstance(found, dict):
        return {}, text  # two rules with a paragraph between them
    return found, text[match.end() :]


def _about(front: dict[str, Any]) -> About:
    date = _ISO_DATE.match(str(front.get("date") or front.get("published") or ""))
    authors = front.get("author") or front.get("authors") or ""
    names = authors if isinstance(authors, list) else [authors]
    language = str(front.get("lang") or front.get("language") or "")
    return About(
        title=_word(front.get("title")),
        author=", ".join(name for name in map(_word, names) if name),
        date=date[0] if date else "",
        language=language.lower()[:2],
    )


def _word(value: Any) -> str:
    named = value.get("name") if isinstance(value, dict) else value
    return str(named) if isinstance(named, str | int | float) else ""


def _plain_lines(lines: list[str]) -> Iterator[str]:
    """The lines in plain Markdown: boxes become what stands in them, code stays as it is."""
    fence = ""
    box: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if box is not None and line.strip() and indent < box:
            box = None
        mark = _FENCE.match(line)
        if fence or mark:
            if mark and not fence:
                fence = mark[1]
            elif line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            yield line[box:] if box is not None else line
        elif opened := _ADMONITION.fullmatch(line):
            box = len(opened[1]) + 4
            yield from ("", opened[2] or "", "")
        else:
            yield _plain_line(line[box:] if box is not None else line)


def _plain_line(line: str) -> str:
    if _TAG_LINE.fullmatch(line) or _MODULE_LINE.fullmatch(line):
        return ""
    if container := _CONTAINER.fullmatch(line):
        return f"\n{container[1].strip().strip('[]')}\n"
    if alert := _ALERT.fullmatch(line):
        return f"{alert[1]}{alert[2].capitalize()}:{alert[3]}"
    headed = _HEADING_ID.fullmatch(line)
    return headed[1] if headed else line

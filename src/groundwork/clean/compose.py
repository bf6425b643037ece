"""Blocks and what a document says about itself become an extraction, whatever its format."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from groundwork.clean.blocks import Kind, TextBlock, one_line, to_markdown
from groundwork.clean.config import ExtractConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.personal_data import mask_personal_data
from groundwork.clean.reasons import PageRefusedError, Reason

MAX_TITLE_CHARS = 150
CUT_TITLE_CHARS = 80


@dataclass(frozen=True, slots=True)
class About:
    """What a document says about itself; empty where it is silent."""

    title: str = ""
    author: str = ""
    date: str = ""
    """ISO 8601 date."""
    language: str = ""
    """ISO 639-1."""


def compose(
    blocks: Sequence[TextBlock], about: About, *, media: str, config: ExtractConfig
) -> Extraction:
    """The extraction of a document without menus and banners. Raises: `PageRefusedError`.

    The first heading is the title where it stands above all others; else what the document names,
    or a short first line.
    """
    blocks = _raised(blocks)
    text, masked = mask_personal_data(to_markdown(blocks), regions=config.phone_regions)
    if not text:
        raise PageRefusedError(Reason.NO_CONTENT, "no text was found")
    headed = blocks[0].kind is Kind.HEADING and blocks[0].level == 1
    title = one_line(blocks[0].text) if headed else about.title or _first_line(blocks)
    title, _ = mask_personal_data(title.replace("`", ""), regions=config.phone_regions)
    return Extraction(
        title=one_line(title),
        headed=headed,
        text=text,
        author=one_line(about.author),
        date=about.date,
        canonical="",
        declared_language=about.language,
        link_share=0.0,
        masked=masked,
        media=media,
    )


def _raised(blocks: Sequence[TextBlock]) -> list[TextBlock]:
    """The blocks with the levels of headings raised, where a chapter's own begins below 1."""
    levels = [block.level for block in blocks if block.kind is Kind.HEADING]
    top = min(levels, default=1)
    first_is_title = blocks and blocks[0].kind is Kind.HEADING and blocks[0].level == top
    if top == 1 or not first_is_title or levels.count(top) > 1:
        return list(blocks)
    return [
        replace(block, level=block.level - top + 1) if block.kind is Kind.HEADING else block
        for block in blocks
    ]


def _first_line(blocks: Sequence[TextBlock]) -> str:
    """The first heading; else the first paragraph, cut where it is no line but a text."""
    headings = [one_line(block.text) for block in blocks if block.kind is Kind.HEADING]
    lines = [one_line(block.text) for block in blocks[:1] if block.kind is Kind.PARAGRAPH]
    return next((_cut(line) for line in [*headings, *lines] if line), "")


def _cut(line: str) -> str:
    """`line`, cut at a blank to the length of a title."""
    if len(line) <= MAX_TITLE_CHARS:
        return line
    return f"{line[:CUT_TITLE_CHARS].rpartition(' ')[0] or line[:CUT_TITLE_CHARS]} …"

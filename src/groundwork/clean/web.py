"""HTML pages: main content as Markdown, and what the page says about itself.

In: the body of a page. Out: an extraction. Nothing here knows other pages.
"""

import re
from copy import deepcopy
from itertools import chain
from typing import Any

from groundwork.clean.blocks import Kind, TextBlock, one_line, to_markdown
from groundwork.clean.config import ExtractConfig
from groundwork.clean.decode import check_html, check_markup, decode_body
from groundwork.clean.extraction import Extraction
from groundwork.clean.metadata import (
    find_author,
    find_canonical,
    find_date,
    find_language,
    find_title,
    is_noindex,
)
from groundwork.clean.prepare import Region, prepare_tree
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.clean.tei import read_body
from groundwork.records import Page

Tree = Any  # lxml ships no types
MIN_COVERAGE = 0.7
"""Of the words of the main region; an extraction with fewer is tried again with more recall."""
_WORD = re.compile(r"\w+")


def extract_html(page: Page, config: ExtractConfig) -> Extraction:
    """Read an HTML page. Raises: `PageRefusedError`."""
    source = decode_body(page.body, page.charset)
    check_html(page.body, source)
    check_markup(source, config)
    tree = _parse(source)
    if config.honour_noindex and is_noindex(tree):
        raise PageRefusedError(Reason.NOINDEX, "its robots meta tag says noindex")
    title, author, date = find_title(tree), find_author(tree), find_date(tree, source)
    canonical, language = find_canonical(tree), find_language(tree)
    region = prepare_tree(tree)
    blocks = _without_byline(_main_content(tree, region), author)
    headings = [block.text for block in blocks if block.kind is Kind.HEADING and block.level == 1]
    if headings:
        title = one_line(headings[0]).replace("`", "")
    return Extraction(
        title=title,
        headed=bool(headings),
        text=to_markdown(blocks),
        author=author,
        date=date,
        canonical=canonical,
        declared_language=language,
        link_share=region.link_share,
        masked={},
        media="html",
    )


def _parse(text: str) -> Tree:
    from lxml import etree, html

    # UTF-8 bytes with the encoding named: a page's own declaration no longer counts.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    data = text.replace("\0", "").encode("utf-8", "replace")
    try:
        return html.document_fromstring(data, parser=parser)
    except etree.ParserError as error:
        raise PageRefusedError(Reason.NO_CONTENT, f"nothing to parse ({error})") from error


def _main_content(tree: Tree, region: Region) -> list[TextBlock]:
    """Blocks of the main content of a prepared tree. Raises: `PageRefusedError`."""
    options = _options(short_is_enough=bool(region.text))
    blocks = _extract(deepcopy(tree), options, favor_recall=False)
    if _coverage(blocks, region) < MIN_COVERAGE:
        more = _extract(tree, options, favor_recall=True)
        if _coverage(more, region) > _coverage(blocks, region):
            blocks = more
    if not blocks:
        raise PageRefusedError(Reason.NO_CONTENT, "no main content was found")
    return blocks


def _options(*, short_is_enough: bool) -> Any:
    """Settings of the extractor; where the main region is known, a short text is no failure.

    Else the extractor falls back to bare text, and headings, lists and tables are lost.
    """
    from trafilatura.settings import use_config

    options = use_config()
    if short_is_enough:
        for name in ("MIN_EXTRACTED_SIZE", "MIN_OUTPUT_SIZE"):
            options.set("DEFAULT", name, "1")
    return options


def _extract(tree: Tree, options: Any, *, favor_recall: bool) -> list[TextBlock]:
    from trafilatura import bare_extraction

    document = bare_extraction(
        tree,
        config=options,
        favor_recall=favor_recall,
        include_comments=False,
        include_formatting=True,
        include_tables=True,
        include_links=False,
        with_metadata=False,
    )
    return read_body(document.body) if document is not None else []


def _coverage(blocks: list[TextBlock], region: Region) -> float:
    """Words of the blocks over words of the region; 1 when the page marks no region."""
    expected = len(_WORD.findall(region.text))
    texts = [text for block in blocks for text in [block.text, *chain.from_iterable(block.rows)]]
    return sum(len(_WORD.findall(text)) for text in texts) / expected if expected else 1.0


def _without_byline(blocks: list[TextBlock], author: str) -> list[TextBlock]:
    """The blocks without the line near the top that names author and date alone."""
    for number, block in enumerate(blocks[:3]):
        words = one_line(block.text)
        names = author in words and words.startswith(("By ", "by ", "Von "))
        if author and names and len(words) < len(author) + 40:
            return [*blocks[:number], *blocks[number + 1 :]]
    return blocks

"""HTML pages: main content as Markdown, and what the page says about itself.

In: the body of a page. Out: an extraction. Nothing here knows other pages.
"""

import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from itertools import chain
from typing import Any

from groundwork.clean.blocks import Kind, TextBlock, one_line, to_markdown
from groundwork.clean.config import ExtractConfig
from groundwork.clean.decode import check_html, check_markup, decode_body
from groundwork.clean.extraction import Extraction
from groundwork.clean.metadata import (
    choose_heading,
    find_author,
    find_canonical,
    find_date,
    find_language,
    find_title,
    is_noindex,
)
from groundwork.clean.prepare import Region, prepare_tree
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.clean.retag import retag_tree
from groundwork.clean.segments import Segment
from groundwork.clean.selection import choose_segments, judge_segments
from groundwork.clean.tei import read_body
from groundwork.records import Page

Tree = Any  # lxml ships no types
MIN_COVERAGE = 0.7
"""Of the words of a marked main region; what the extractor found of fewer is not believed."""
MIN_AGREEMENT = 0.85
"""Word F1 between what the extractor found and the segments that were chosen."""
_WORD = re.compile(r"\w+")


def extract_html(page: Page, config: ExtractConfig) -> Extraction:
    """Read an HTML page. Raises: `PageRefusedError`."""
    source = decode_body(page.body, page.charset)
    check_html(page.body, source)
    check_markup(source, config)
    tree = parse_html(source)
    if config.honour_noindex and is_noindex(tree):
        raise PageRefusedError(Reason.NOINDEX, "its robots meta tag says noindex")
    title, author, date = find_title(tree), find_author(tree), find_date(tree, source)
    canonical, language = find_canonical(tree), find_language(tree)
    found, region = _extract(tree)
    if not _is_enough(found, region):
        found = _judge(tree, page.url, found)
    if not _words(found):
        raise PageRefusedError(Reason.NO_CONTENT, "no main content was found")
    blocks = _without_byline(found, author)
    # Where a heading is no content it is left without text: it does not name the page then.
    first = [block for block in blocks if block.kind is Kind.HEADING and block.level == 1]
    headings = [text for block in first if (text := one_line(block.text).replace("`", ""))]
    if headings:
        title = choose_heading(headings, [title]) or headings[0]
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


def parse_html(text: str) -> Tree:
    """The tree of a decoded page. Raises: `PageRefusedError` when there is none."""
    from lxml import etree, html

    # UTF-8 bytes with the encoding named: a page's own declaration no longer counts.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    data = text.replace("\0", "").encode("utf-8", "replace")
    try:
        return html.document_fromstring(data, parser=parser)
    except etree.ParserError as error:
        raise PageRefusedError(Reason.NO_CONTENT, f"nothing to parse ({error})") from error


def _judge(tree: Tree, url: str, found: list[TextBlock]) -> list[TextBlock]:
    """Blocks of the segments that are content; `tree` is used up.

    Where the extractor `found` the same, its blocks are the better shaped.
    """
    words = _words(found)
    judged = judge_segments(tree, url, words)
    if judged is None:
        return found
    chosen = choose_segments(judged)
    chosen_words = [word for segment in chosen for word in segment.words]
    if word_overlap(chosen_words, words) >= MIN_AGREEMENT:
        return found
    return _read_segments(tree, judged.segments, chosen)


def stock_words(tree: Tree) -> tuple[list[str], bool]:
    """Words, lower case, of what the extractor alone finds, and whether segments are not asked.

    `tree` stays as it is.
    """
    blocks, region = _extract(tree)
    return _words(blocks), _is_enough(blocks, region)


def _extract(tree: Tree) -> tuple[list[TextBlock], Region]:
    """What the extractor finds in a copy of `tree`, and the page's main region."""
    from trafilatura import bare_extraction

    prepared = deepcopy(tree)
    region = prepare_tree(prepared)
    document = bare_extraction(
        prepared,
        config=_options(short_is_enough=bool(region.text)),
        fast=True,  # its fallbacks cost as much again, and change nothing once segments are judged
        include_comments=False,
        include_formatting=True,
        include_tables=True,
        include_links=False,
        with_metadata=False,
    )
    return (read_body(document.body) if document is not None else []), region


@cache
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


def _read_segments(
    tree: Tree, segments: Sequence[Segment], chosen: Sequence[Segment]
) -> list[TextBlock]:
    """Blocks of the chosen segments; the text of all others is emptied in `tree`."""
    kept = set(map(id, chosen))
    for segment in segments:
        if id(segment) not in kept:
            for element, is_tail in segment.pieces:
                if is_tail:
                    element.tail = None
                else:
                    element.text = None
    return read_body(retag_tree(tree))


def _words(blocks: Sequence[TextBlock]) -> list[str]:
    texts = [text for block in blocks for text in [block.text, *chain.from_iterable(block.rows)]]
    return [word for text in texts for word in _WORD.findall(text.lower())]


def _is_enough(blocks: Sequence[TextBlock], region: Region) -> bool:
    """Whether the page marks a main region and the blocks hold most of its words."""
    share = len(_words(blocks)) / max(len(_WORD.findall(region.text)), 1)
    return bool(region.text) and share >= MIN_COVERAGE


def word_overlap(left: Sequence[str], right: Sequence[str]) -> float:
    """F1 over the words of both, however ordered."""
    total = len(left) + len(right)
    return 2 * (Counter(left) & Counter(right)).total() / total if total else 1.0


def _without_byline(blocks: list[TextBlock], author: str) -> list[TextBlock]:
    """The blocks without the line near the top that names author and date alone."""
    for number, block in enumerate(blocks[:3]):
        words = one_line(block.text)
        names = author in words and words.startswith(("By ", "by ", "Von "))
        if author and names and len(words) < len(author) + 40:
            return [*blocks[:number], *blocks[number + 1 :]]
    return blocks

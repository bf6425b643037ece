"""Boilerplate of a site: blocks of text that stand on many of its pages.

In: addresses and Markdown of pages. Out: the Markdown without those blocks, and which they were.
Headings, code and tables stay: the same heading stands over different text on every page of a
reference. A heading goes when all below it went.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from groundwork.clean.config import RepeatedConfig

MAX_SHOWN_CHARS = 120
MAX_SHOWN_BLOCKS = 50
"""Per host, in the report."""


@dataclass(frozen=True, slots=True)
class RepeatedBlocks:
    """The boilerplate of all sites."""

    counts: dict[str, dict[str, int]]
    """By host, then by block: on how many pages it stands."""

    def strip(self, url: str, text: str) -> str:
        """`text` of the page at `url` without the boilerplate of its site."""
        found = self.counts.get(_host(url))
        return _without(text, found) if found else text

    def as_report(self) -> dict[str, Any]:
        """By host: each block's beginning and its number of pages, the most frequent first."""
        return {
            host: [
                {"pages": pages, "text": text[:MAX_SHOWN_CHARS]}
                for text, pages in sorted(found.items(), key=lambda item: (-item[1], item[0]))
            ][:MAX_SHOWN_BLOCKS]
            for host, found in sorted(self.counts.items())
        }


def find_repeated(pages: Sequence[tuple[str, str]], config: RepeatedConfig) -> RepeatedBlocks:
    """Boilerplate among `pages`, pairs of address and text; copies of a page count once."""
    texts: dict[str, set[str]] = defaultdict(set)
    for url, text in pages:
        texts[_host(url)].add(text)
    counts = {}
    for host, different in texts.items():
        enough = max(config.min_pages, config.min_share * len(different))
        blocks = Counter(block for text in different for block in set(split_blocks(text)))
        found = {
            block: pages for block, pages in blocks.items() if pages >= enough and _may_go(block)
        }
        if found:
            counts[host] = found
    return RepeatedBlocks(counts)


def split_blocks(text: str) -> Iterator[str]:
    """Blocks of Markdown, set apart by empty lines; fenced code is one block."""
    lines: list[str] = []
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if line or fenced:
            lines.append(line)
        elif lines:
            yield "\n".join(lines)
            lines = []
    if lines:
        yield "\n".join(lines)


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _may_go(block: str) -> bool:
    """Whether a block is prose or a list that stands for itself, and introduces nothing."""
    return not block.lstrip().startswith(("#", "|", "```")) and not block.endswith(":")


def _without(text: str, repeated: Mapping[str, int]) -> str:
    blocks = list(split_blocks(text))
    gone = [block in repeated for block in blocks]
    if not any(gone):
        return text
    for number in reversed(range(len(blocks))):
        level = _level(blocks[number])
        if level and number + 1 < len(blocks) and gone[number + 1]:
            after = range(number + 1, len(blocks))
            kept = next((place for place in after if not gone[place]), None)
            gone[number] = kept is None or 0 < _level(blocks[kept]) <= level
    if _level(blocks[0]) == 1:
        gone[0] = False  # the title
    return "\n\n".join(block for block, out in zip(blocks, gone, strict=True) if not out)


def _level(block: str) -> int:
    marks = len(block) - len(block.lstrip("#"))
    return marks if block[marks : marks + 1] == " " else 0

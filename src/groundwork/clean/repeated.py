"""Boilerplate of a site: blocks of text that stand on many of its pages.

In: addresses and Markdown of pages. Out: the Markdown without those blocks, and which they were.
Headings, code and tables stay: the same heading stands over different text on every page of a
reference. A heading goes when all below it went.
"""

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

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
        return without_blocks(text, found) if found else text

    def as_report(self) -> dict[str, Any]:
        """By host: each block's beginning and its number of pages, the most frequent first."""
        return {
            host: [
                {"pages": pages, "text": text[:MAX_SHOWN_CHARS]}
                for text, pages in sorted(found.items(), key=lambda item: (-item[1], item[0]))
            ][:MAX_SHOWN_BLOCKS]
            for host, found in sorted(self.counts.items())
        }


def find_repeated(pages: Iterable[tuple[str, str]], config: RepeatedConfig) -> RepeatedBlocks:
    """Boilerplate among `pages`, pairs of address and text; copies of a page count once.

    `pages` are iterated twice, of which no text is kept but the boilerplate's own.
    """
    frequent = _frequent(pages, config)
    counts: dict[str, dict[str, int]] = {}
    wanted = sum(map(len, frequent.values()))
    for url, text in pages if wanted else ():
        host = _host(url)
        for block in split_blocks(text) if frequent.get(host) else ():
            if found := frequent[host].pop(_hash(block), 0):
                counts.setdefault(host, {})[block] = found
                wanted -= 1
        if not wanted:
            break
    return RepeatedBlocks(counts)


def _frequent(
    pages: Iterable[tuple[str, str]], config: RepeatedConfig
) -> dict[str, dict[int, int]]:
    """By host the hashes of its boilerplate, and on how many pages each stands."""
    texts: dict[str, set[int]] = defaultdict(set)
    blocks: dict[str, array[int]] = defaultdict(lambda: array("Q"))
    for url, text in pages:
        host, whole = _host(url), _hash(text)
        if whole not in texts[host]:
            texts[host].add(whole)
            blocks[host].extend({_hash(block) for block in split_blocks(text) if _may_go(block)})
    found = {}
    for host, hashes in blocks.items():
        enough = max(config.min_pages, config.min_share * len(texts[host]))
        names, counts = np.unique(np.frombuffer(hashes, dtype=np.uint64), return_counts=True)
        often = counts >= enough
        found[host] = dict(zip(names[often].tolist(), counts[often].tolist(), strict=True))
    return found


def _hash(text: str) -> int:
    """64 bits: among a million blocks two are taken for one with a chance of 1 in 40 million."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


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


def is_prose(block: str) -> bool:
    """Whether a block is prose or a list, not a heading, a table or code."""
    return not block.lstrip().startswith(("#", "|", "```"))


def _may_go(block: str) -> bool:
    """Whether a block is prose or a list that stands for itself, and introduces nothing."""
    return is_prose(block) and not block.endswith(":")


def without_blocks(text: str, left_out: Container[str]) -> str:
    """Markdown without some of its blocks, and without headings below which nothing is left."""
    blocks = list(split_blocks(text))
    gone = [block in left_out for block in blocks]
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

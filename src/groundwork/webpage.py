"""Report pages: one file that needs neither network nor others, and the parts that all share.

Bars are HTML, which keeps their text readable in a narrow window; colours are classes of
`webpage.css`, so that dark mode reaches them. Deterministic: the same figures give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

HERE = Path(__file__).parent


def page(title: str, body: str, *, style: str = "") -> str:
    """A whole page around `body`, with style and the script that filters a list.

    `style` is what a room adds of its own.
    """
    style = (HERE / "webpage.css").read_text(encoding="utf-8") + style
    script = (HERE / "webpage.js").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">'
        f"<style>\n{style}</style></head>\n<body><main>\n{body}\n</main>\n"
        f"<script>\n{script}</script></body></html>\n"
    )


def section(title: str, content: str, note: str = "") -> str:
    """A part of a page; empty without content."""
    if not content:
        return ""
    lead = f'<p class="muted">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{lead}{content}</section>"


def pair(*parts: str) -> str:
    """Parts side by side where there is room; the empty ones left out."""
    filled = [part for part in parts if part]
    return f'<div class="pair">{"".join(filled)}</div>' if len(filled) > 1 else "".join(filled)


def tiles(figures: Sequence[tuple[str, str]]) -> str:
    """Figures with their names, in large."""
    items = "".join(f"<li><b>{number}</b><span>{name}</span></li>" for number, name in figures)
    return f'<ul class="tiles">{items}</ul>'


def choice(
    name: str,
    options: Sequence[str],
    *,
    title: str = "",
    chosen: str = "",
    shown: Mapping[str, str] | None = None,
) -> str:
    """A field of the filters: rows whose `data-NAME` is the chosen option stay.

    `shown` are the options as people read them, where that is not their own words.
    """
    texts = shown or {}
    items = "".join(
        f'<option value="{escape(option)}"{" selected" if option == chosen else ""}>'
        f"{escape(texts.get(option, words(option)))}</option>"
        for option in options
    )
    return (
        f'<label>{escape(title or label(name))}<select name="{escape(name)}">'
        f'<option value="">all</option>{items}</select></label>'
    )


def filters(*choices: str, noun: str) -> str:
    """A form that filters the rows below by words and choices, and says how many `noun` stay."""
    return (
        '<form id="filters" class="filters"><label class="wide">Words'
        f'<input id="search" type="search" autocomplete="off"></label>{"".join(choices)}</form>'
        f'<p class="muted" id="count" role="status" data-noun="{escape(noun)}"></p>'
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure with its name."""

    name: str
    value: float
    figure: str
    """The value as people read it."""
    note: str = ""


def draw_bars(bars: Sequence[Bar], *, full: float, series: int = 0) -> str:
    """Bars below one another; `full` is as wide as the page."""
    return f'<div class="bars s{series}">{"".join(_bar(bar, full) for bar in bars)}</div>'


def _bar(bar: Bar, full: float) -> str:
    width = round(100 * bar.value / full, 2) if full else 0
    note = f"<small>{escape(bar.note)}</small>" if bar.note else ""
    return (
        f'<div class="bar"><span class="who">{escape(bar.name)}{note}</span>'
        f'<span class="rail" aria-hidden="true"><i style="width:{width:g}%"></i></span>'
        f'<span class="figure">{escape(bar.figure)}</span></div>'
    )


def count_bars(counts: Sequence[tuple[str, int]], *, total: int, series: int = 0) -> str:
    """A bar for each count, with its share of `total`; the widest fills the page."""
    most = max((count for _, count in counts), default=0)
    bars = [Bar(name, count, share(count, total)) for name, count in counts]
    return draw_bars(bars, full=most, series=series)


def share(count: int, total: int) -> str:
    """A count with its share, such as `1,204 (31%)`."""
    return f"{count:,} ({count / total:.0%})" if total else f"{count:,}"


def link(url: str) -> str:
    """An address that can be followed when it is one of the web, and is text when not."""
    text = escape(url)
    if not url.startswith(("https://", "http://")):
        return text
    return f'<a href="{text}" rel="noopener noreferrer">{text}</a>'


def words(name: str) -> str:
    """A name of code as words: `near_duplicate` is `near duplicate`."""
    return name.replace("_", " ")


def label(name: str) -> str:
    """A name of code as the label of a bar: `near_duplicate` is `Near duplicate`."""
    text = words(name)
    return text[:1].upper() + text[1:]

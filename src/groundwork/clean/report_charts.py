"""Charts of the data-quality page: bars in HTML, which keep their text readable in a narrow window.

Colours are classes of `report.css`, so that dark mode reaches them. Deterministic: the same figures
give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


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

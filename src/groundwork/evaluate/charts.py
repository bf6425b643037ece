"""Charts of the report: tracks in HTML, which keep their text readable in a narrow window, and
two square plots in SVG. Colours are classes of `report.css`, so that dark mode reaches them.

Deterministic: the same figures give the same bytes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

SIDE = 300
"""Width and height of a square plot's area, in units of its viewBox."""
PAD = 44


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure on a track."""

    series: int
    """Number of the answerer, which chooses the colour."""
    name: str
    value: float
    low: float | None
    high: float | None
    text: str
    """The figure as people read it."""


def track(marks: Sequence[Mark], *, low: float = 0.0, high: float = 1.0) -> str:
    """Marks below one another, each a dot on its interval along [low, high]."""
    return "".join(_lane(mark, low, high) for mark in marks)


def _lane(mark: Mark, low: float, high: float) -> str:
    def place(value: float) -> float:
        return round(100 * min(1.0, max(0.0, (value - low) / (high - low))), 2)

    interval = ""
    spoken = f"{mark.name}: {mark.text}"
    if mark.low is not None and mark.high is not None:
        start, end = place(mark.low), place(mark.high)
        interval = f'<i class="range" style="left:{start}%;width:{round(end - start, 2)}%"></i>'
    zero = f'<i class="zero" style="left:{place(0)}%"></i>' if low < 0 < high else ""
    return (
        f'<div class="lane s{mark.series}" role="img" aria-label="{escape(spoken)}">'
        f'<span class="who">{escape(mark.name)}</span>'
        f'<span class="rail">{zero}{interval}'
        f'<b class="dot" style="left:{place(mark.value)}%"></b></span>'
        f'<span class="figure">{escape(mark.text)}</span></div>'
    )


def group(label: str, lanes: str, *, note: str = "") -> str:
    """A labelled block of lanes."""
    hint = f"<small>{escape(note)}</small>" if note else ""
    return f'<div class="metric"><h3>{escape(label)}{hint}</h3><div>{lanes}</div></div>'


def legend(answerers: Sequence[str]) -> str:
    """Colours of the answerers, for the square plots."""
    items = (
        f'<li class="s{number}"><i class="key"></i>{escape(name)}</li>'
        for number, name in enumerate(answerers)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def calibration_plot(bins: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Mean score against mean confidence of each bin; the area of a point is its questions."""
    shapes = ['<line class="guide" x1="0" y1="300" x2="300" y2="0"/>']
    for number, (name, table) in enumerate(bins.items()):
        points = [(SIDE * row["confidence"], SIDE * (1 - row["score"])) for row in table]
        shapes.append(_line(points, number))
        most = max((row["n"] for row in table), default=1)
        for (x, y), row in zip(points, table, strict=True):
            radius = 3 + 6 * (row["n"] / most) ** 0.5
            text = (
                f"{name}: confidence {row['confidence']:.0%}, "
                f"score {row['score']:.0%}, {row['n']} questions"
            )
            shapes.append(_point(x, y, radius, number, text))
    return _square(shapes, across="confidence", up="score", name="Calibration")


def refusal_plot(
    curves: Mapping[str, Sequence[Mapping[str, float]]],
    now: Mapping[str, tuple[float, float]],
) -> str:
    """Unanswerable refused against answerable wrongly refused; `now` is where each stands."""
    shapes = []
    for number, (name, curve) in enumerate(curves.items()):
        corners = [
            (SIDE * row["wrongly_refused"], SIDE * (1 - row["refused_unanswerable"]))
            for row in curve
        ]
        shapes.append(_line(corners, number))
        if name in now:
            wrongly, rightly = now[name]
            text = f"{name} now: {rightly:.0%} rightly refused, {wrongly:.0%} wrongly refused"
            shapes.append(_point(SIDE * wrongly, SIDE * (1 - rightly), 7, number, text))
    return _square(shapes, across="answerable, refused", up="unanswerable, refused", name="Refusal")


def _line(points: Sequence[tuple[float, float]], series: int) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="curve s{series}" points="{path}"/>'


def _point(x: float, y: float, radius: float, series: int, text: str) -> str:
    return (
        f'<circle class="point s{series}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
        f"<title>{escape(text)}</title></circle>"
    )


def _square(shapes: Sequence[str], *, across: str, up: str, name: str) -> str:
    """Axes from 0 to 100 % around `shapes`, whose origin is the top left of the plot."""
    grid = []
    for step in range(5):
        at = SIDE * step / 4
        percent = 25 * step
        grid.append(f'<line class="grid" x1="0" y1="{at:g}" x2="{SIDE}" y2="{at:g}"/>')
        grid.append(f'<line class="grid" x1="{at:g}" y1="0" x2="{at:g}" y2="{SIDE}"/>')
        grid.append(f'<text x="{at:g}" y="{SIDE + 16}" text-anchor="middle">{percent}%</text>')
        grid.append(f'<text x="-7" y="{SIDE - at + 4:g}" text-anchor="end">{percent}%</text>')
    middle = SIDE / 2
    axes = (
        f'<text class="axis" x="{middle}" y="{SIDE + 34}" text-anchor="middle">{across}</text>'
        f'<text class="axis" transform="translate(-36,{middle}) rotate(-90)" '
        f'text-anchor="middle">{up}</text>'
    )
    box = f"{-PAD} -10 {SIDE + PAD + 16} {SIDE + PAD + 8}"
    return (
        f'<svg viewBox="{box}" role="img" aria-label="{name}: {up} against {across}">'
        f"{''.join(grid)}{axes}{''.join(shapes)}</svg>"
    )

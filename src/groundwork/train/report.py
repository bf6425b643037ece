"""Draws `report.html` of a training: one page of what was logged, step by step.

In: history and speed. Out: HTML. Speed and memory differ from run to run, so that no later stage
depends on this page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from groundwork import webpage

WIDTH, HEIGHT = 460, 190
"""Of a curve's area, in units of its viewBox."""
LEFT, BELOW = 58, 34
"""Room for the numbers beside it."""
CURVES = (
    ("Loss", ("loss", "eval_loss"), "of the answers: training (blue), validation (orange)"),
    ("Gradient norm", ("grad_norm",), "before it is clipped"),
    ("Learning rate", ("learning_rate",), "of the A matrices, where B has its own"),
    ("Tokens per second", ("tokens_per_s",), "prompts included; validation slows a row down"),
    ("Memory", ("peak_memory_mb",), "peak so far, MiB: of the process, or on the GPU"),
)
Rows = Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Trained:
    """What the page tells in its head."""

    title: str
    """What the domain is about."""
    model: str
    pairs: int
    trainable: int
    notes: tuple[str, ...]


def render_training(trained: Trained, history: Rows, speed: Rows) -> str:
    """The page as HTML. The same arguments give the same text."""
    rows = [*history, *speed]
    curves = [
        webpage.section(title, draw_curves(rows, names), note) for title, names, note in CURVES
    ]
    body = [_header(trained, history), _tiles(trained, history), *curves, _notes(trained.notes)]
    return webpage.page(f"Training: {trained.title}", "\n".join(part for part in body if part))


def _header(trained: Trained, history: Rows) -> str:
    last = int(history[-1]["step"]) if history else 0
    return (
        f"<header><p class='eyebrow'>Training</p><h1>{escape(trained.title)}</h1>"
        f'<p class="lead">QLoRA of <strong class="s0">{escape(trained.model)}</strong> on '
        f"{trained.pairs:,} pairs, {last:,} steps.</p></header>"
    )


def _tiles(trained: Trained, history: Rows) -> str:
    figures = [(f"{trained.trainable:,}", "numbers trained")]
    losses = [row["loss"] for row in history if "loss" in row]
    if losses:
        figures.append((f"{losses[-1]:.3f}", "loss at the end"))
    surprise = [row["perplexity"] for row in history if "perplexity" in row]
    if len(surprise) > 1:
        figures += [
            (f"{surprise[0]:,.1f}", "perplexity of validation answers before"),
            (f"{surprise[-1]:,.1f}", "after"),
        ]
    return webpage.tiles(figures)


def _notes(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return webpage.section("Notes", f"<ul>{items}</ul>" if items else "")


def draw_curves(rows: Rows, names: Sequence[str]) -> str:
    """Lines of those columns against the step; empty when none was logged."""
    series = [[(row["step"], row[name]) for row in rows if name in row] for name in names]
    points = [point for line in series for point in line]
    if not points:
        return ""
    last = max(step for step, _ in points) or 1.0
    most = max(value for _, value in points) or 1.0
    lines = [
        _line([(WIDTH * x / last, HEIGHT * (1 - y / most)) for x, y in line], number)
        for number, line in enumerate(series)
        if line
    ]
    spoken = f"{', '.join(names)}: 0 to {_short(most)} over {last:.0f} steps"
    box = f"{-LEFT} -10 {WIDTH + LEFT + 16} {HEIGHT + BELOW + 10}"
    return (
        f'<svg viewBox="{box}" role="img" aria-label="{escape(spoken)}">'
        f"{_grid(most, last)}{''.join(lines)}</svg>"
    )


def _line(points: Sequence[tuple[float, float]], number: int) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    ends = (
        f'<circle cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="3" fill="var(--s{number})"/>'
    )
    style = f'fill="none" stroke="var(--s{number})" stroke-width="2"'
    return f'<polyline points="{path}" {style}/>{ends}'


def _grid(most: float, last: float) -> str:
    parts = []
    for quarter in range(5):
        up, across = HEIGHT * (1 - quarter / 4), WIDTH * quarter / 4
        parts.append(
            f'<line x1="0" x2="{WIDTH}" y1="{up:g}" y2="{up:g}" stroke="var(--line)"/>'
            f'<text x="-7" y="{up + 4:g}" text-anchor="end" font-size="11" fill="var(--muted)">'
            f"{_short(most * quarter / 4)}</text>"
            f'<text x="{across:g}" y="{HEIGHT + 18}" text-anchor="middle" font-size="11" '
            f'fill="var(--muted)">{last * quarter / 4:.0f}</text>'
        )
    return "".join(parts)


def _short(value: float) -> str:
    if value and abs(value) < 0.01:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

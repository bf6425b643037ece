"""Draws `report.html`: one page that needs nothing else, neither network nor other files."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from groundwork.evaluate.labels import figure, label
from groundwork.evaluate.questions import render_questions
from groundwork.evaluate.row import Row
from groundwork.evaluate.sections import (
    Summary,
    all_figures,
    breakdown,
    calibration,
    comparison,
    differences,
    headline_group,
    latency,
    named,
    refusal,
    retrieval,
    retriever,
)

HERE = Path(__file__).parent
NO_GOLDEN = (
    "This domain has no golden set. The figures below are of generated test pairs: questions made "
    "from the pages themselves, all of them answerable and worded like the page. They compare "
    "answerers with one another; they do not say how well users will be served."
)
CALIBRATION_NOTE = (
    "On the line, answers given with confidence p are right p of the time. "
    "The larger a point, the more questions."
)
REFUSAL_NOTE = (
    "Up and left is better. Each line moves the threshold of confidence below which an answerer "
    "would refuse; the point is where it stands."
)
RETRIEVER_NOTE = (
    "The search for passages with the bundled encoder and with the one adapted to the domain, "
    "on the same questions; ranks are those of passages."
)
LATENCY_NOTE = (
    "From question to answer, retrieval included; logarithmic scale. "
    "Dot: the median; bar: up to the 95th percentile."
)


def render_report(summary: Summary, rows: Sequence[Row], *, title: str) -> str:
    """Return the report as HTML.

    `summary` is what `summarise` made of `rows`; `title` says what the domain is about. The same
    arguments give the same text.
    """
    head = summary["headline"]
    body = [
        _header(summary, title),
        _tiles(summary),
        _section("Answerers compared", comparison(summary), _how_to_read(summary)),
        _section(
            "Differences between answerers",
            differences(summary),
            "In percentage points, question by question on the same questions. "
            "An interval that stays clear of the line is a difference to trust.",
        ),
        _pair(
            _section("Is its confidence honest?", calibration(summary), CALIBRATION_NOTE),
            _section("What refusing costs", refusal(summary), REFUSAL_NOTE),
        ),
        _section("Retrieval", retrieval(summary), "The same passages go to every answerer."),
        _section("Adapted encoder", retriever(summary), RETRIEVER_NOTE),
        _section("Latency", latency(summary), LATENCY_NOTE),
        _section("By category", breakdown(summary, "category"), "Score; n is questions."),
        _section("By kind of question", breakdown(summary, "kind"), "Score; n is questions."),
        _section("All figures", all_figures(summary), ""),
        _section(
            "Questions and answers",
            render_questions(
                rows, answerer=head["best"], half=f"{head['dataset']} {head['split']}"
            ),
            "Confident mistakes come first.",
        ),
    ]
    return _page(f"Evaluation: {title}", "\n".join(part for part in body if part))


def _page(title: str, body: str) -> str:
    style = (HERE / "report.css").read_text(encoding="utf-8")
    script = (HERE / "report.js").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">'
        f"<style>\n{style}</style></head>\n<body><main>\n{body}\n</main>\n"
        f"<script>\n{script}</script></body></html>\n"
    )


def _section(title: str, content: str, note: str) -> str:
    if not content:
        return ""
    lead = f'<p class="muted">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(title)}</h2>{lead}{content}</section>"


def _pair(*sections: str) -> str:
    return f'<div class="pair">{"".join(sections)}</div>'


def _how_to_read(summary: Summary) -> str:
    return f"Dot: the figure; bar: its {summary['confidence']:.0%} interval; from 0 to 100%."


def _header(summary: Summary, title: str) -> str:
    head = summary["headline"]
    best = headline_group(summary, head["best"])
    count = len(summary["answerers"])
    half = head["split"]
    what = f"golden questions ({half} half)" if head["has_golden"] else f"generated {half} pairs"
    score = best["metrics"]["score"]
    warning = "" if head["has_golden"] else f'<p class="warning">{escape(NO_GOLDEN)}</p>'
    return (
        f"<header><p class='eyebrow'>Evaluation</p><h1>{escape(title)}</h1>"
        f'<p class="lead"><strong class="s{summary["answerers"].index(head["best"])}">'
        f"{escape(head['best'])}</strong> does best: it scores {figure('score', score['value'])} "
        f"({figure('score', score['low'])} to {figure('score', score['high'])}) on {best['n']} "
        f"{what}.</p>"
        f'<p class="muted">{count} answerer{"s" if count > 1 else ""}, the same questions and '
        f"passages for each. Ranges are {summary['confidence']:.0%} bootstrap intervals.</p>"
        f"{warning}</header>"
    )


def _tiles(summary: Summary) -> str:
    metrics = headline_group(summary, summary["headline"]["best"])["metrics"]
    deepest = named(metrics, "recall_at_")[-1:]
    names = ["score", *deepest, "grounded", "refusal_recall", "wrongly_refused", "latency_p50_ms"]
    tiles = "".join(
        f"<li><b>{figure(name, metrics[name]['value'])}</b><span>{label(name)[0]}</span></li>"
        for name in names
        if name in metrics
    )
    return f'<ul class="tiles">{tiles}</ul>'

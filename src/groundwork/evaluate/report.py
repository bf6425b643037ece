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
from groundwork.webpage import page, pair, section, tiles

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
        section("Answerers compared", comparison(summary), _how_to_read(summary)),
        section(
            "Differences between answerers",
            differences(summary),
            "In percentage points, question by question on the same questions. "
            "An interval that stays clear of the line is a difference to trust.",
        ),
        pair(
            section("Is its confidence honest?", calibration(summary), CALIBRATION_NOTE),
            section("What refusing costs", refusal(summary), REFUSAL_NOTE),
        ),
        section("Retrieval", retrieval(summary), "The same passages go to every answerer."),
        section("Adapted encoder", retriever(summary), RETRIEVER_NOTE),
        section("Latency", latency(summary), LATENCY_NOTE),
        section("By category", breakdown(summary, "category"), "Score; n is questions."),
        section("By kind of question", breakdown(summary, "kind"), "Score; n is questions."),
        section("All figures", all_figures(summary)),
        section(
            "Questions and answers",
            render_questions(
                rows, answerer=head["best"], half=f"{head['dataset']} {head['split']}"
            ),
            "Confident mistakes come first.",
        ),
    ]
    style = (HERE / "report.css").read_text(encoding="utf-8")
    return page(f"Evaluation: {title}", "\n".join(part for part in body if part), style=style)


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
    return tiles(
        [
            (figure(name, metrics[name]["value"]), label(name)[0])
            for name in names
            if name in metrics
        ]
    )

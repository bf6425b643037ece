"""The report's sections, each drawn from the summary of the headline questions."""

from collections.abc import Iterable
from html import escape
from math import log10
from typing import Any

from groundwork.evaluate.charts import (
    Mark,
    calibration_plot,
    group,
    legend,
    refusal_plot,
    track,
)
from groundwork.evaluate.labels import COMPARED, DIFFERENCES, figure, label, points

Summary = dict[str, Any]


def headline_group(summary: Summary, answerer: str) -> Summary:
    """Figures of an answerer on the headline questions."""
    head = summary["headline"]
    found: Summary = summary["groups"][answerer][head["dataset"]][head["split"]]
    return found


def named(metrics: Iterable[str], prefix: str) -> list[str]:
    """Figures whose names begin with `prefix`, in their order."""
    return [name for name in metrics if name.startswith(prefix)]


def _marks(summary: Summary, name: str) -> list[Mark]:
    """One mark for each answerer that has the figure."""
    marks = []
    for number, answerer in enumerate(summary["answerers"]):
        found = headline_group(summary, answerer)["metrics"].get(name)
        if found:
            marks.append(_mark(number, answerer, found, figure(name, found["value"])))
    return marks


def _mark(number: int, answerer: str, found: Summary, text: str) -> Mark:
    return Mark(number, answerer, found["value"], found.get("low"), found.get("high"), text)


def comparison(summary: Summary) -> str:
    """Each compared figure with one lane an answerer."""
    return "".join(_metric(summary, name) for name in COMPARED)


def _metric(summary: Summary, name: str) -> str:
    marks = _marks(summary, name)
    title, note = label(name)
    return group(title, track(marks), note=note) if marks else ""


def differences(summary: Summary) -> str:
    """Paired differences around zero, on one scale for all of them."""
    head = summary["headline"]
    pairs = summary["differences"][head["dataset"]][head["split"]]
    reach = [
        abs(m[end])
        for p in pairs.values()
        for n, m in p.items()
        if n in DIFFERENCES
        for end in ("low", "high")
    ]
    limit = max([0.05, *reach])
    blocks = []
    for name in DIFFERENCES:
        marks = [
            _mark(
                summary["answerers"].index(pair.split("_minus_")[0]),
                pair.replace("_minus_", " − "),
                found[name],
                points(found[name]["value"]),
            )
            for pair, found in pairs.items()
            if name in found
        ]
        if marks:
            blocks.append(group(label(name)[0], track(marks, low=-limit, high=limit)))
    return f'<div class="pairs">{"".join(blocks)}</div>' if blocks else ""


def calibration(summary: Summary) -> str:
    """Confidence against score, with the expected calibration error of each answerer."""
    bins = {name: headline_group(summary, name)["calibration"] for name in summary["answerers"]}
    return (
        legend(summary["answerers"])
        + calibration_plot(bins)
        + _metric(summary, "calibration_error")
    )


def refusal(summary: Summary) -> str:
    """Trade-off of refusing; empty where every question has an answer."""
    groups = {name: headline_group(summary, name) for name in summary["answerers"]}
    curves = {name: found["refusal_curve"] for name, found in groups.items()}
    if not all(curves.values()):
        return ""
    now = {
        name: tuple(found["metrics"][key]["value"] for key in ("wrongly_refused", "refusal_recall"))
        for name, found in groups.items()
    }
    return (
        legend(summary["answerers"])
        + refusal_plot(curves, now)
        + _metric(summary, "refusal_accuracy")
    )


def retrieval(summary: Summary) -> str:
    """Recall, MRR, nDCG and Ragas' context scores, which are the same for every answerer."""
    metrics = headline_group(summary, summary["headline"]["best"])["metrics"]
    names = [
        *named(metrics, "recall_at_"),
        "mrr",
        *named(metrics, "ndcg_at_"),
        "context_precision",
        "context_recall",
    ]
    lanes = [
        _mark(3, label(name)[0], metrics[name], figure(name, metrics[name]["value"]))
        for name in names
        if name in metrics
    ]
    return f'<div class="wide-names">{track(lanes)}</div>' if lanes else ""


def retriever(summary: Summary) -> str:
    """Search with the base and the adapted encoder; empty where no adapter serves."""
    blocks = []
    for dataset, splits in summary.get("retriever", {}).get("questions", {}).items():
        for split, figures in splits.items():
            lines = "".join(
                f'<tr><th scope="row">{escape(name.replace("_at_", "@"))}</th>'
                f"<td>{found['base']:.3f}</td><td><b>{found['adapted']:.3f}</b></td>"
                f'<td class="muted">{points(found["low"])} to {points(found["high"])}</td></tr>'
                for name, found in figures.items()
            )
            count = next(iter(figures.values()))["n"]
            blocks.append(
                f'<div class="scroll"><table><caption>{escape(dataset)}, {escape(split)}: {count} '
                "questions</caption><thead><tr><td></td>"
                '<th scope="col">base</th><th scope="col">adapted</th>'
                '<th scope="col">difference, points</th></tr></thead>'
                f"<tbody>{lines}</tbody></table></div>"
            )
    return "".join(blocks)


def latency(summary: Summary) -> str:
    """Median and 95th percentile on a logarithmic scale, with the seconds in words."""
    found = []
    for number, answerer in enumerate(summary["answerers"]):
        metrics = headline_group(summary, answerer)["metrics"]
        half, most = (metrics[f"latency_p{p}_ms"]["value"] for p in (50, 95))
        text = f"{figure('_ms', half)}; 95% within {figure('_ms', most)}"
        low, high = log10(max(half, 1.0)), log10(max(most, 1.0))
        found.append(Mark(number, answerer, low, low, high, text))
    ceiling = max([1.0, *(mark.high or 0.0 for mark in found)])
    return f'<div class="wide-figures">{track(found, high=ceiling * 1.02)}</div>'


def breakdown(summary: Summary, field: str) -> str:
    """Score by category or kind, the best answerer's worst first."""
    best = headline_group(summary, summary["headline"]["best"])[f"by_{field}"]
    order = sorted(best, key=lambda value: (best[value]["metrics"]["score"]["value"], value))
    blocks = []
    for value in order:
        marks = [
            _mark(number, answerer, found, figure("score", found["value"]))
            for number, answerer in enumerate(summary["answerers"])
            for found in [
                headline_group(summary, answerer)[f"by_{field}"][value]["metrics"]["score"]
            ]
        ]
        note = f"n = {best[value]['n']}"
        blocks.append(group(value.replace("_", " ") or "none", track(marks), note=note))
    return f'<div class="columns">{"".join(blocks)}</div>'


def all_figures(summary: Summary) -> str:
    """Every figure of every half as tables, those of the headline questions open."""
    head = summary["headline"]
    halves = {
        (dataset, split): None
        for sets in summary["groups"].values()
        for dataset, splits in sets.items()
        for split in splits
    }
    return "".join(
        _table(
            summary, dataset, split, is_open=(dataset, split) == (head["dataset"], head["split"])
        )
        for dataset, split in halves
    )


def _table(summary: Summary, dataset: str, split: str, *, is_open: bool) -> str:
    groups = {name: summary["groups"][name][dataset][split] for name in summary["answerers"]}
    names = dict.fromkeys(name for found in groups.values() for name in found["metrics"])
    header = "".join(f'<th scope="col">{escape(name)}</th>' for name in groups)
    lines = "".join(
        f'<tr><th scope="row">{escape(label(name)[0])}</th>'
        + "".join(f"<td>{_cell(name, found['metrics'])}</td>" for found in groups.values())
        + "</tr>"
        for name in names
    )
    count = next(iter(groups.values()))["n"]
    return (
        f"<details{' open' if is_open else ''}><summary>{escape(dataset)}, {escape(split)}: "
        f'{count} questions</summary><div class="scroll"><table><thead><tr><td></td>{header}</tr>'
        f"</thead><tbody>{lines}</tbody></table></div></details>"
    )


def _cell(name: str, metrics: Summary) -> str:
    if name not in metrics:
        return '<span class="muted">does not apply</span>'
    found = metrics[name]
    text = f"<b>{figure(name, found['value'])}</b>"
    if "low" not in found:
        return text
    return (
        f'{text} <span class="muted">{figure(name, found["low"])} – '
        f"{figure(name, found['high'])}, n = {found['n']}</span>"
    )

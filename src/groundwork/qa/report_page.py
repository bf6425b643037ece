"""Draws `report.html`: what was asked, accepted and rejected, for a person to judge.

In: the result of stage `qa`. Out: one page with counts and samples of every kind and category. The
same result gives the same bytes.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from html import escape

from groundwork.qa.generate import QaResult
from groundwork.records import Question, Reject
from groundwork.webpage import (
    choice,
    count_bars,
    filters,
    label,
    link,
    page,
    pair,
    section,
    tiles,
    words,
)

PER_GROUP = 6
"""Accepted samples of one kind in one category; train.jsonl and its like have all."""
PER_REASON = 30
"""Rejected samples of one reason; rejects.jsonl has all."""
SAMPLES_NOTE = (
    "Drawn by the pairs' ids. Is the question clear, the answer right, and does the quote say so?"
)
REJECTS_NOTE = "The check that each failed; rejects.jsonl has all of them with their scores."


def render_report(result: QaResult, *, title: str) -> str:
    """The page as HTML; `title` says what the domain is about."""
    report = result.report
    total = report["accepted"] + report["unanswerable"]
    body = [
        _header(result, title),
        tiles(_figures(result)),
        pair(
            section("Accepted, by kind", _counts(report["kinds"], total, 0)),
            section(
                "Rejected, by reason",
                _counts(report["rejects"], report["generated"], 1),
                REJECTS_NOTE,
            ),
        ),
        section("Accepted, by category", _counts(report["categories"], total, 2)),
        section("Samples to judge", _samples(result), SAMPLES_NOTE),
    ]
    return page(f"Questions: {title}", "\n".join(part for part in body if part))


def _header(result: QaResult, title: str) -> str:
    report = result.report
    return (
        f"<header><p class='eyebrow'>Questions</p><h1>{escape(title)}</h1>"
        f'<p class="lead"><strong>{report["accepted"]:,}</strong> of {report["generated"]:,} '
        f"generated pairs were accepted.</p>"
        f'<p class="muted">Generator: {escape(report["generator"])}. Every generated pair is '
        "accepted or a reject.</p></header>"
    )


def _figures(result: QaResult) -> list[tuple[str, str]]:
    report = result.report
    splits = [
        (f"{counts['questions']:,}", f"{name}, of {counts['documents']:,} documents")
        for name, counts in report["splits"].items()
    ]
    return [
        *splits,
        (f"{report['rejected']:,}", "rejected"),
        (f"{report['unanswerable']:,}", "unanswerable"),
    ]


def _counts(counts: Mapping[str, int], total: int, series: int) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return count_bars([(label(name), n) for name, n in ordered], total=total, series=series)


def _samples(result: QaResult) -> str:
    accepted = _accepted(result.questions)
    reasons = {reject.key: reject for reject in result.rejects}
    refused = _refused(result.rejected, reasons)
    shown = [*accepted, *refused]
    if not shown:
        return ""
    outcomes = ["accepted", *sorted({reasons[q.question_id].reason for q in refused})]
    form = filters(
        choice("outcome", outcomes),
        choice("kind", sorted({q.kind for q in shown})),
        choice("category", sorted({q.category for q in shown})),
        noun="samples",
    )
    rows = [_row(q, None) for q in accepted] + [_row(q, reasons[q.question_id]) for q in refused]
    return f'{form}<ul id="rows" class="documents">{"".join(rows)}</ul>'


def _accepted(questions: Sequence[Question]) -> list[Question]:
    groups: dict[tuple[str, str], list[Question]] = defaultdict(list)
    for question in sorted(questions, key=lambda q: q.question_id):
        groups[question.kind, question.category].append(question)
    return [q for key in sorted(groups) for q in groups[key][:PER_GROUP]]


def _refused(questions: Sequence[Question], reasons: Mapping[str, Reject]) -> list[Question]:
    taken: Counter[str] = Counter()
    kept = []
    for question in sorted(questions, key=lambda q: (reasons[q.question_id].reason, q.question_id)):
        reason = reasons[question.question_id].reason
        taken[reason] += 1
        if taken[reason] <= PER_REASON:
            kept.append(question)
    return kept


def _row(question: Question, reject: Reject | None) -> str:
    outcome = reject.reason if reject else "accepted"
    told = [words(outcome), words(question.kind), words(question.category), question.split]
    quotes = [e.quote for e in question.evidence if e.quote not in question.answer]
    quote = "".join(f"<blockquote>{escape(text)}</blockquote>" for text in quotes)
    why = f"<small>{escape(reject.detail.rpartition(' — ')[2])}</small>" if reject else ""
    url = link(question.evidence[0].url) if question.evidence else ""
    return (
        f'<li data-outcome="{escape(outcome)}" data-kind="{escape(question.kind)}" '
        f'data-category="{escape(question.category)}"><b>{escape(question.question)}</b>'
        f"<span>{escape(question.answer)}</span>{quote}{why}"
        f"<small>{escape(' · '.join(part for part in told if part))} {url}</small></li>"
    )

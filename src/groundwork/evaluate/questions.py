"""The report's list of questions: every answer beside its reference, wrong ones first."""

from collections.abc import Sequence
from html import escape

from groundwork import webpage
from groundwork.evaluate.row import Row

VERDICTS = {
    "wrong": "wrong",
    "answered": "should refuse",
    "refused": "wrongly refused",
    "partly": "partly right",
    "right": "right",
    "refused_right": "rightly refused",
}
"""From worst to best; the order of the list."""
SHOWN = (
    "score",
    "fact_coverage",
    "token_f1",
    "rouge_l",
    "bleu",
    "bertscore",
    "semantic_similarity",
    "grounded",
    "mrr",
    "context_precision",
    "context_recall",
)


def verdict(row: Row) -> str:
    """A key of `VERDICTS`."""
    score = row.scores["score"] or 0.0
    if not row.answerable:
        return "refused_right" if row.refused else "answered"
    if row.refused:
        return "refused"
    return "right" if score == 1 else "partly" if score > 0 else "wrong"


def render_questions(rows: Sequence[Row], *, answerer: str, half: str) -> str:
    """Filters and one `<details>` a row; at first those of `answerer` and `half` are shown.

    `half` is dataset and split with a space between. Confident mistakes come first.
    """
    order = list(VERDICTS)

    def rank(row: Row) -> tuple[object, ...]:
        mistake = verdict(row)
        return order.index(mistake), -row.confidence, row.question_id, row.answerer

    halves = sorted({_half(row) for row in rows})
    answerers = sorted({row.answerer for row in rows})
    verdicts = [key for key in VERDICTS if any(verdict(row) == key for row in rows)]
    form = webpage.filters(
        webpage.choice("answerer", answerers, chosen=answerer),
        webpage.choice("half", halves, chosen=half, title="Questions"),
        webpage.choice("verdict", verdicts, shown=VERDICTS),
        webpage.choice("category", sorted({row.category for row in rows})),
        webpage.choice("kind", sorted({row.kind for row in rows})),
        noun="answers",
    )
    items = "".join(_item(row) for row in sorted(rows, key=rank))
    return f'{form}<div id="rows">{items}</div>'


def _half(row: Row) -> str:
    return f"{row.dataset} {row.split}"


def _item(row: Row) -> str:
    kind = verdict(row)
    data = {
        "answerer": row.answerer,
        "half": _half(row),
        "verdict": kind,
        "category": row.category,
        "kind": row.kind,
    }
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    return (
        f'<details class="row" {attributes}><summary><span class="chip {kind}">{VERDICTS[kind]}'
        f'</span><span class="question">{escape(row.question)}</span>'
        f'<span class="muted">{row.confidence:.0%} sure</span></summary>{_body(row)}</details>'
    )


def _body(row: Row) -> str:
    parts = [
        ("Answer", escape(row.answer)),
        ("Reference", escape(row.reference) or '<span class="muted">not answered there</span>'),
        ("Facts", "; ".join(escape(" / ".join(fact)) for fact in row.facts)),
        ("Page needed", _links(row.pages)),
        ("Cited", _links(tuple(dict.fromkeys(row.cited_urls)))),
        ("Quotes", "".join(f"<q>{escape(quote)}</q>" for quote in row.quotes if quote)),
        ("Retrieved", _links(tuple(dict.fromkeys(row.retrieved_urls)))),
        ("Scores", _scores(row)),
    ]
    listed = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in parts if text)
    place = f"{row.question_id} · {row.answerer} · {row.category} · {row.kind}"
    return f'<dl>{listed}</dl><p class="muted">{escape(place)} · {row.latency_ms:.0f} ms</p>'


def _links(urls: Sequence[str]) -> str:
    """Links to web addresses; anything else stays text."""
    return "<br>".join(
        f'<a href="{escape(url)}" rel="noreferrer">{escape(url)}</a>'
        if url.startswith(("https://", "http://"))
        else escape(url)
        for url in urls
    )


def _scores(row: Row) -> str:
    known = [(name, row.scores.get(name)) for name in SHOWN]
    return " · ".join(
        f"{name.replace('_', ' ')} {value:.2f}" for name, value in known if value is not None
    )

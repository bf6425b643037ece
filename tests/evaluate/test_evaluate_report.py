"""The report page."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from groundwork.evaluate import EvaluateConfig, Row, render_report, summarise
from groundwork.evaluate.labels import figure, label, points
from groundwork.evaluate.questions import verdict
from groundwork.records import Evidence

CONFIG = EvaluateConfig(
    max_generated=150,
    recall_at=[1, 5],
    grounded_coverage=0.6,
    context_similarity=0.8,
    calibration_bins=10,
    resamples=200,
    confidence=0.95,
    seed=1,
)
VOID = {"meta", "link", "input", "br", "line", "circle", "polyline"}


def make_row(number: int, answerer: str, *, dataset: str = "golden", score: float = 1.0) -> Row:
    """A scored row; the even questions have no answer in the golden set."""
    answerable = dataset == "generated" or number % 2 == 1
    applies = 1.0 if answerable else None
    return Row(
        question_id=f"q{number}",
        dataset=dataset,
        split="test",
        answerer=answerer,
        question=f"What about <b>{number}</b> & more?",
        category="home_charging",
        kind="fact",
        answerable=answerable,
        reference="This." if answerable else "",
        facts=(("this", "that"),) if answerable else (),
        evidence=(Evidence("p", "This.", "https://example.org/a"),) if answerable else (),
        answer="This <script>alert(1)</script>. [1]",
        refused=not answerable and score == 1,
        confidence=0.8,
        sentences=("This.",),
        quotes=("This.",),
        cited_urls=("https://example.org/a", "javascript:alert(1)"),
        retrieved_ids=("p",),
        retrieved_urls=("https://example.org/a",),
        retrieved_texts=("This.",),
        latency_ms=1200.0,
        scores={
            "score": score,
            "token_f1": applies,
            "refusal_accuracy": score,
            "grounded": 0.5,
            "recall_at_1": applies,
            "recall_at_5": applies,
            "mrr": applies,
        },
    )


GOLDEN = [make_row(n, a, score=float(n > 1)) for a in ("base", "tuned") for n in range(6)]
PAIRS = [make_row(n, "base", dataset="generated") for n in range(4)]


class Balance(HTMLParser):
    """Fails when tags do not nest; collects what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "srcset", "data")]
        if tag == "link":
            self.fetched += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert tag in VOID or self.open.pop() == tag


def page(rows: list[Row]) -> str:
    """The report of `rows`."""
    return render_report(summarise(rows, config=CONFIG), rows, title="home & away")


def test_the_page_is_whole_and_fetches_nothing() -> None:
    """Tags nest; no image, script, style or font comes from elsewhere."""
    text = page(GOLDEN)
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert parser.fetched == ["data:,"]
    assert "@import" not in text
    assert not re.search(r"url\(", text)


def test_answers_cannot_inject_anything() -> None:
    """Texts are escaped, and only web addresses become links."""
    text = page(GOLDEN)
    assert "<script>alert" not in text
    assert "What about &lt;b&gt;1" in text
    assert "home &amp; away" in text
    assert 'href="javascript' not in text


def test_the_best_answerer_and_its_interval_come_first() -> None:
    """Of equal ones the first; 4 of 6 questions are right."""
    text = page(GOLDEN)
    assert re.search(r"<strong[^>]*>base</strong> does best: it scores 66.7% \(", text)
    assert "6 golden questions (test half)" in text
    assert "no golden set" not in text


def test_a_report_without_golden_set_says_so() -> None:
    """In a warning at the top; the plot of refusals is left out, nothing there has no answer."""
    text = page(PAIRS)
    assert 'class="warning">This domain has no golden set' in text
    assert "4 generated test pairs" in text
    assert "What refusing costs" not in text
    assert "Differences between answerers" not in text


def test_figures_that_do_not_apply_are_named() -> None:
    """An answerer that never refuses has no precision of refusals."""
    rows = [replace(row, refused=False) if row.answerer == "base" else row for row in GOLDEN]
    assert "does not apply" in page(rows)


def test_wrong_answers_come_first() -> None:
    """Then unanswerable ones that were answered, then the right ones."""
    order = re.findall(r'data-verdict="(\w+)"', page(GOLDEN))
    assert order[:4] == ["wrong", "wrong", "answered", "answered"]
    assert set(order[4:]) == {"right", "refused_right"}


def test_the_page_is_the_same_each_time() -> None:
    """Same rows, same bytes."""
    assert page(GOLDEN) == page(GOLDEN)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "right"),
        ({"scores": {"score": 0.4}}, "partly"),
        ({"scores": {"score": 0.0}}, "wrong"),
        ({"refused": True, "scores": {"score": 0.0}}, "refused"),
        ({"answerable": False, "refused": True}, "refused_right"),
        ({"answerable": False, "refused": False, "scores": {"score": 0.0}}, "answered"),
    ],
)
def test_verdicts(changes: dict[str, object], expected: str) -> None:
    """What the list calls each sort of answer."""
    assert verdict(replace(PAIRS[0], **changes)) == expected


def test_labels_and_figures() -> None:
    """Names, percentages, milliseconds, seconds and signed points as people read them."""
    assert label("recall_at_1")[0] == "Right page first"
    assert label("recall_at_5")[0] == "Right page among 5"
    assert label("ndcg_at_5")[0] == "nDCG@5"
    assert label("odd_one")[0] == "odd one"
    assert [figure("score", v) for v in (0.0, 0.123, 1.0)] == ["0%", "12.3%", "100%"]
    assert [figure("x_ms", v) for v in (12.3, 1234.0)] == ["12 ms", "1.23 s"]
    assert [points(v) for v in (0.05, -0.05)] == ["+5.0", "−5.0"]

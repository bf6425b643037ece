"""The page of samples: what it counts, what it shows, that it needs nothing else."""

import re

from groundwork.qa import QaResult, render_report
from groundwork.qa.report_page import PER_GROUP
from groundwork.records import Evidence, Question, Reject

QUOTE = "A <b>fuse</b> & its holder carry 30 mA."


def question(number: int, *, kind: str = "fact", category: str = "safety") -> Question:
    return Question(
        question_id=f"q{number:02}", question=f"What carries {number} mA?", answer="A fuse does.",
        answerable=True, category=category, kind=kind,
        evidence=(Evidence(passage_id="p", quote=QUOTE, url="https://example.org/a/"),),
        facts=(), document_id="d", split="train", origin="rules",
    )  # fmt: skip


def result(accepted: int = PER_GROUP + 3) -> QaResult:
    kept = tuple(question(number) for number in range(accepted))
    refused = question(90, kind="number", category="winter")
    reject = Reject("q90", "round_trip", f"{refused.question} — not among the first 5")
    report = {
        "generator": "rules", "generated": accepted + 1, "accepted": accepted, "unanswerable": 0,
        "rejected": 1, "rejects": {"round_trip": 1}, "kinds": {"fact": accepted},
        "categories": {"safety": accepted},
        "splits": {"train": {"questions": accepted, "documents": 1}},
    }  # fmt: skip
    return QaResult(kept, (reject,), accepted + 1, report, (refused,))


def test_accepted_and_rejected_samples_stand_under_their_kind_and_category() -> None:
    """At most so many of a kind in a category; a reject tells why."""
    html = render_report(result(), title="Cars")
    rows = re.findall(r'<li data-outcome="(\w+)" data-kind="(\w+)" data-category="(\w+)"', html)
    assert rows.count(("accepted", "fact", "safety")) == PER_GROUP
    assert rows[PER_GROUP:] == [("round_trip", "number", "winter")]
    assert "not among the first 5" in html
    assert f"<strong>{PER_GROUP + 3}</strong> of {PER_GROUP + 4} generated" in html


def test_text_of_pages_is_text() -> None:
    """Quotes are escaped."""
    html = render_report(result(), title="<i>Cars</i>")
    assert "A &lt;b&gt;fuse&lt;/b&gt; &amp; its holder" in html
    assert "<i>Cars" not in html


def test_the_page_is_the_same_again_and_loads_nothing() -> None:
    """No address but the links of the samples."""
    html = render_report(result(), title="Cars")
    assert html == render_report(result(), title="Cars")
    assert set(re.findall(r'(?:src|href)="([^"]+)"', html)) == {"data:,", "https://example.org/a/"}
    assert 'name="kind"' in html
    assert "<label" in html

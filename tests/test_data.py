"""The bundled questions: their quotes stand on the pages, the halves are apart, no question leaks.

The pages are read as stage `clean` reads them, from the folder that the mirror serves.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from groundwork.clean import CleanConfig, clean_pages
from groundwork.config import DomainConfig, check
from groundwork.index import Encoder
from groundwork.qa import read_golden
from groundwork.qa.golden import GOLDEN, LABELLED, base_url, page_url
from groundwork.records import Page, Question

ROOT = Path(__file__).resolve().parents[1]
NEAR = 0.8
"""Cosine from which two questions ask nearly the same."""


@cache
def _domain() -> DomainConfig:
    path = ROOT / "conf" / "domain" / "ev_charging.yaml"
    return check("domain", DomainConfig, yaml.safe_load(path.read_text("utf-8")), path)


@cache
def _golden() -> tuple[Question, ...]:
    path = ROOT / str(_domain().golden_path)
    return tuple(read_golden(path, base_url=base_url(_domain()), halves=GOLDEN))


@cache
def _labelled() -> tuple[Question, ...]:
    path = ROOT / str(_domain().labelled_path)
    return tuple(read_golden(path, base_url=base_url(_domain()), halves=LABELLED))


def _half(name: str) -> list[Question]:
    return [question for question in _golden() if question.split == name]


def _urls(questions: list[Question] | tuple[Question, ...]) -> set[str]:
    return {evidence.url for question in questions for evidence in question.evidence}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """URL -> the text that stage `clean` makes of the page."""
    path = ROOT / "conf" / "clean" / "default.yaml"
    config = check("clean", CleanConfig, yaml.safe_load(path.read_text("utf-8")), path)
    pages = [page for page in map(_page, _files()) if page]
    result = clean_pages(pages, config=config, domain=_domain(), categorise=None)
    return {document.url: document.text for document in result.documents}


def _files() -> list[Path]:
    assert _domain().mirror is not None
    return sorted((ROOT / _domain().mirror.dir).rglob("*.*"))


def _page(path: Path) -> Page | None:
    """A file as the crawl would record it; None for what is no page."""
    mirror = _domain().mirror
    assert mirror is not None
    place = path.relative_to(ROOT / mirror.dir).as_posix()
    if path.suffix not in (".html", ".pdf") or (path.suffix == ".html" and path.stem != "index"):
        return None
    body = path.read_bytes()
    media = "application/pdf" if path.suffix == ".pdf" else "text/html"
    return Page(
        url=page_url(place.removesuffix("index.html"), base_url=mirror.public_url),
        content_type=media,
        charset="",
        body=body,
        sha256=sha256(body).hexdigest(),
        source="mirror",
        licence=_domain().licence,
    )


@pytest.mark.parametrize("questions", [_golden, _labelled], ids=["golden", "labelled"])
def test_every_quote_stands_on_its_page(questions: object, texts: Mapping[str, str]) -> None:
    """Verbatim, letter by letter; only the breaks of lines may differ."""
    assert callable(questions)
    missing = [
        f"{question.question_id}: {evidence.url}: {evidence.quote}"
        for question in questions()
        for evidence in question.evidence
        if " ".join(evidence.quote.split()) not in " ".join(texts.get(evidence.url, "").split())
    ]
    assert missing == []


def test_pdf_pages_are_read_and_asked_about(texts: Mapping[str, str]) -> None:
    """Each of the site's PDF files becomes a document, and some question is about one."""
    urls = {url for url in texts if url.endswith(".pdf")}
    assert len(urls) == len([path for path in _files() if path.suffix == ".pdf"]) == 3
    assert urls & _urls(_golden())


def test_golden_set_is_large_and_halved() -> None:
    """At least 150 questions; the halves are within a tenth of half of them."""
    counts = Counter(question.split for question in _golden())
    assert len(_golden()) >= 150
    assert set(counts) == {"dev", "test"}
    assert abs(counts["dev"] - counts["test"]) <= 0.1 * len(_golden()) / 2


def test_quarter_of_the_golden_set_is_unanswerable() -> None:
    """Of the whole and of each half, within five hundredths."""
    for questions in (_golden(), _half("dev"), _half("test")):
        share = sum(not question.answerable for question in questions) / len(questions)
        assert share == pytest.approx(0.25, abs=0.05)


def test_some_questions_need_two_places() -> None:
    """At least 20, in both halves."""
    several = [question for question in _golden() if len(question.evidence) >= 2]
    assert len(several) >= 20
    assert {question.split for question in several} == {"dev", "test"}


def test_no_page_is_shared_between_the_halves() -> None:
    """What is learned on `dev` cannot be a sentence of a page of `test`."""
    assert _urls(_half("dev")) & _urls(_half("test")) == set()


def test_labelled_questions_name_no_page_of_the_test_half() -> None:
    """Nor may a second evidence: its sentence would be learned as an answer."""
    pages = _urls(_half("test"))
    leaking = {
        question.question_id: sorted({e.url for e in question.evidence} & pages)
        for question in _labelled()
        if {e.url for e in question.evidence} & pages
    }
    assert leaking == {}


def test_ids_are_apart() -> None:
    """No labelled question has the id of a golden one."""
    assert {q.question_id for q in _golden()} & {q.question_id for q in _labelled()} == set()


def test_no_question_is_asked_twice() -> None:
    """In either file: letter case and white space apart."""
    for questions in (_golden(), _labelled()):
        counts = Counter(" ".join(q.question.lower().split()) for q in questions)
        assert [text for text, count in counts.items() if count > 1] == []


def test_no_labelled_question_nearly_equals_a_golden_one() -> None:
    """By the encoder's cosine, whichever half: a paraphrase would give the answer away."""
    encoder = Encoder.load()
    golden_QD, labelled_QD = (
        encoder.encode([question.question for question in questions])
        for questions in (_golden(), _labelled())
    )
    cosines_QQ = labelled_QD @ golden_QD.T
    near = [
        (_labelled()[row].question_id, _golden()[int(cosines_QQ[row].argmax())].question_id)
        for row in (cosines_QQ.max(axis=1) >= NEAR).nonzero()[0]
    ]
    assert near == []

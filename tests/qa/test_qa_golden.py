"""The reader of golden sets."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_base import DOMAIN

from groundwork.config import DomainConfig, MirrorConfig, check
from groundwork.errors import InputError
from groundwork.qa import golden_of, labelled_of, page_url, read_golden
from groundwork.qa.golden import base_url

ROOT = Path(__file__).parents[2]
BASE = "https://www.example.org"


def line(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": "A-1",
        "question": "granny cable amps?",
        "answer": "A portable cable draws 10 A.",
        "answerable": True,
        "half": "dev",
        "category": "home",
        "kind": "number",
        "evidence": [{"page": "home/three-pin", "quote": "The cable draws 10 A."}],
        "facts": [["10 A", "10 amps"]],
    }
    return row | changes


def write(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "golden.jsonl"
    texts = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def test_a_line_becomes_a_question_with_its_url(tmp_path: Path) -> None:
    """The page is mapped to the site's URL, facts and halves are kept."""
    (question,) = read_golden(write(tmp_path, line()), base_url=f"{BASE}/")
    assert question.question_id == "A-1"
    assert question.split == "dev"
    assert question.origin == "golden"
    assert question.facts == (("10 A", "10 amps"),)
    assert question.evidence[0].url == f"{BASE}/home/three-pin/"


def test_evidence_may_name_a_url(tmp_path: Path) -> None:
    """A golden set of any site names full URLs."""
    row = line(evidence=[{"url": "https://docs.example.org/a", "quote": "10 A"}])
    (question,) = read_golden(write(tmp_path, row), base_url=BASE)
    assert question.evidence[0].url == "https://docs.example.org/a"


def test_blank_lines_are_passed_over(tmp_path: Path) -> None:
    """An unanswerable question needs neither evidence nor facts."""
    free = line(id="A-2", answerable=False, kind="unanswerable", answer="", evidence=[], facts=[])
    questions = read_golden(write(tmp_path, line(), "", free), base_url=BASE)
    assert [q.answerable for q in questions] == [True, False]


@pytest.mark.parametrize(
    ("page", "url"),
    [
        ("levels/ac", f"{BASE}/levels/ac/"),
        ("/levels/ac/", f"{BASE}/levels/ac/"),
        ("pdf/glossary", f"{BASE}/pdf/glossary.pdf"),
        ("pdf/glossary.pdf", f"{BASE}/pdf/glossary.pdf"),
        ("", f"{BASE}/"),
    ],
)
def test_pages_map_to_urls(page: str, url: str) -> None:
    """Folders for pages, files for PDFs."""
    assert page_url(page, base_url=BASE) == url


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("{broken", "not JSON"),
        ("[1]", "expected a JSON object"),
        (line(half="train"), "half='train'; expected dev or test"),
        (line(kind="riddle"), "kind='riddle'"),
        (line(answerable="yes"), "answerable='yes'; expected a bool"),
        (line(question=" "), "question=' '"),
        (line(answer=""), "answer=''"),
        (line(evidence=[]), "evidence=[]; expected at least one"),
        (line(facts=[]), "facts=[]; expected at least one"),
        (line(facts=[[]]), "facts=[]; expected lists of alternatives"),
        (line(facts=["10 A"]), "facts='10 A'"),
        (line(evidence=["text"]), "evidence='text'"),
        (line(evidence=[{"page": "a"}]), "evidence={'page': 'a'}"),
        (line(evidence=[{"page": "a", "quote": " "}]), "evidence.quote"),
        (line(answerable=False), "unanswerable exactly when"),
        (line(colour="red"), "has unknown colour"),
        ({"id": "A-1"}, "lacks question, answer"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, row: object, expected: str) -> None:
    """File, line, what was read and what was expected."""
    path = write(tmp_path, line(id="A-0"), row)
    with pytest.raises(InputError) as caught:
        read_golden(path, base_url=BASE)
    assert f"{path}:2: " in str(caught.value)
    assert expected in str(caught.value)


def test_ids_are_unique(tmp_path: Path) -> None:
    """The message names both lines."""
    with pytest.raises(InputError, match=r":2: id 'A-1' is also on line 1"):
        read_golden(write(tmp_path, line(), line()), base_url=BASE)


def test_an_empty_or_missing_file_is_an_error(tmp_path: Path) -> None:
    """Neither is taken for a golden set without questions."""
    with pytest.raises(InputError, match="no questions"):
        read_golden(write(tmp_path, ""), base_url=BASE)
    with pytest.raises(InputError, match="cannot be read"):
        read_golden(tmp_path / "none.jsonl", base_url=BASE)


def test_labelled_questions_are_read_with_the_domains_urls(tmp_path: Path) -> None:
    """In the golden set's format, of split `train` and origin `golden`."""
    mirror = MirrorConfig(dir="site", public_url=BASE, include=[], exclude=[])
    path = write(tmp_path, line(half="train"))
    domain = replace(DOMAIN, mirror=mirror, labelled_path=str(path))
    (question,) = labelled_of(domain)
    assert (question.split, question.origin) == ("train", "golden")
    assert question.evidence[0].url == f"{BASE}/home/three-pin/"
    assert golden_of(domain) == []


@pytest.mark.parametrize("half", ["dev", "test", ""])
def test_labelled_questions_are_of_half_train(tmp_path: Path, half: str) -> None:
    """Or a golden set named by mistake would be learned from."""
    mirror = MirrorConfig(dir="site", public_url=BASE, include=[], exclude=[])
    path = write(tmp_path, line(half="train"), line(id="A-2", half=half))
    domain = replace(DOMAIN, mirror=mirror, labelled_path=str(path))
    with pytest.raises(InputError, match=rf":2: half='{half}'; expected train$"):
        labelled_of(domain)


@pytest.mark.parametrize(
    ("kind", "source", "expected"),
    [
        ("files", {"dir": "d", "public_url": f"{BASE}/docs"}, f"{BASE}/docs"),
        ("feed", {"urls": [f"{BASE}/feed.xml"]}, BASE),
        ("api", {"record_url": f"{BASE}/site/{{id}}"}, BASE),
    ],
)
def test_pages_of_every_kind_have_a_base_address(
    kind: str, source: dict[str, Any], expected: str
) -> None:
    """That of the folder, the feed, the records."""
    pack = yaml.safe_load((ROOT / "conf" / "domain" / f"{kind}.yaml").read_text(encoding="utf-8"))
    values = pack[kind] | {"url": BASE, "records": "r", "id": "i", "title": "t"} | source
    fields = {name: value for name, value in values.items() if name in pack[kind]}
    domain = check("domain", DomainConfig, asdict(DOMAIN) | {kind: fields}, Path("params.yaml"))
    assert base_url(domain) == expected


def test_domain_without_labelled_questions_has_none() -> None:
    """Not even a source is needed."""
    assert labelled_of(DOMAIN) == []

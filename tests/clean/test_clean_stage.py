"""The stage's script: files in, files out, errors that name the way out."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from groundwork.artifacts import (
    check_manifest,
    read_json,
    read_jsonl,
    read_parquet,
    sha256_file,
    write_manifest,
    write_parquet,
)
from groundwork.clean import CleanConfig
from groundwork.config import DomainConfig
from groundwork.errors import ArtifactError, ConfigError, InputError, RejectsError
from groundwork.records import Document, Page

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

Prepare = Callable[..., None]
NAMES = ["datacard.md", "documents.parquet", "rejects.jsonl", "report.html", "report.json"]


def _html(subject: str) -> str:
    sentences = " ".join(
        f"The {subject} of house {number} carries {number * len(subject)} amperes at night."
        for number in range(1, 9)
    )
    return f"<html><body><main><h1>{subject}</h1><p>{sentences}</p></main></body></html>"


@pytest.fixture
def prepare(
    checkout: Path,
    config: CleanConfig,
    domain: DomainConfig,
    make_page: Callable[..., Page],
) -> Prepare:
    """Write params.yaml and artifacts/crawl: `prepare(cable="<html>…")`, bodies by name."""

    def write(*, changes: dict[str, Any] | None = None, **bodies: str) -> None:
        engine = yaml.safe_load((ROOT / "conf/engine/local.yaml").read_text(encoding="utf-8"))
        sections = {"domain": asdict(domain), "engine": engine}
        params = sections | {"clean": asdict(config) | (changes or {})}
        plain = json.loads(json.dumps(params))
        (checkout / "params.yaml").write_text(yaml.safe_dump(plain), encoding="utf-8")
        pages = [
            make_page(body, url=f"https://site.example/{name}") for name, body in bodies.items()
        ]
        write_parquet(Path("artifacts/crawl/pages.parquet"), pages, Page)
        write_manifest(Path("artifacts/crawl"), ["pages.parquet"])

    return write


def _run() -> None:
    from stages.clean import clean

    clean()


def test_two_pages_and_a_reject(prepare: Prepare, capsys: pytest.CaptureFixture[str]) -> None:
    """A corpus of two documents is enough; a second run writes the same bytes."""
    prepare(cable=_html("cable"), socket=_html("socket"), empty=" ")
    _run()
    folder = Path("artifacts/clean")
    assert sorted(check_manifest(folder)["files"]) == NAMES
    documents = read_parquet(folder / "documents.parquet", Document)
    assert [document.title for document in documents] == ["cable", "socket"]
    assert [row["reason"] for row in read_jsonl(folder / "rejects.jsonl")] == ["empty_body"]
    assert read_json(folder / "report.json")["funnel"]["pages"] == 3
    assert "2 documents kept, 1 rejected (1 empty_body), reused " in capsys.readouterr().out
    before = sha256_file(folder / "manifest.json")
    _run()
    assert sha256_file(folder / "manifest.json") == before


@pytest.mark.slow
def test_categories_of_the_domain_are_used(prepare: Prepare) -> None:
    """With descriptions, the bundled encoder chooses among them."""
    prepare(cable=_html("cable"))
    params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    params["domain"]["categories"] = {"cables": "cables and leads", "tax": "taxes and law"}
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    _run()
    (document,) = read_parquet(Path("artifacts/clean/documents.parquet"), Document)
    assert document.category == "cables"


def test_too_many_rejects_fail_the_stage_after_they_are_written(prepare: Prepare) -> None:
    """The message counts the reasons; without a manifest no later stage reads on."""
    prepare(changes={"max_reject_ratio": 0.5}, cable=_html("cable"), a="", b="<p>short</p>")
    with pytest.raises(
        RejectsError, match=r"1 empty_body, 1 (too_short|no_title|no_content).*rejects\.jsonl"
    ):
        _run()
    assert len(read_jsonl(Path("artifacts/clean/rejects.jsonl"))) == 2
    assert not Path("artifacts/clean/manifest.json").exists()
    page = Path("artifacts/clean/report.html").read_text(encoding="utf-8")
    assert "<strong>1</strong> of 3 pages became documents" in page


def test_an_empty_crawl_is_an_error(prepare: Prepare) -> None:
    """There is nothing to answer from."""
    prepare()
    with pytest.raises(InputError, match="it holds no page; expected at least one"):
        _run()


def test_damaged_pages_are_found_by_their_checksum(prepare: Prepare) -> None:
    """The message names the file and the command that brings it back."""
    prepare(cable=_html("cable"))
    path = Path("artifacts/crawl/pages.parquet")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactError, match=r"pages\.parquet: sha256 .* --single-item crawl"):
        _run()
    write_manifest(path.parent, [path.name])
    with pytest.raises(ArtifactError, match=r"pages\.parquet: damaged Parquet"):
        _run()


def test_an_unknown_key_is_named(prepare: Prepare) -> None:
    """A setting that nobody reads is a mistake."""
    prepare(changes={"min_wrods": 5}, cable=_html("cable"))
    with pytest.raises(ConfigError, match="min_wrods"):
        _run()
    assert not Path("artifacts/clean").exists()

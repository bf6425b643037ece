"""The stage's script: documents in, passages out."""

import sys
from pathlib import Path

import pytest
import yaml
from chunk_document import document_of

from groundwork.artifacts import (
    check_manifest,
    read_parquet,
    sha256_file,
    write_manifest,
    write_parquet,
)
from groundwork.errors import ArtifactError, InputError
from groundwork.records import Chunk, Document
from groundwork.store import reused

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def _prepare(documents: list[Document]) -> None:
    values = yaml.safe_load((ROOT / "conf/chunk/headings.yaml").read_text(encoding="utf-8"))
    engine = yaml.safe_load((ROOT / "conf/engine/local.yaml").read_text(encoding="utf-8"))
    params = {"domain": {"name": "test"}, "engine": engine, "chunk": values}
    Path("params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    write_parquet(Path("artifacts/clean/documents.parquet"), documents, Document)
    write_manifest(Path("artifacts/clean"), ["documents.parquet"])


def _run() -> None:
    from stages.chunk import chunk

    chunk()


def test_two_documents_become_passages(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A corpus of two is enough; a second run writes the same bytes."""
    _prepare(
        [
            document_of("# a\n\nA cable carries current.", name="a"),
            document_of("Plain text.", name="b"),
        ]
    )
    reused("chunk")  # what tests before this one did in the same process
    _run()
    folder = Path("artifacts/chunk")
    assert sorted(check_manifest(folder)["files"]) == ["chunks.parquet", "report.json"]
    chunks = read_parquet(folder / "chunks.parquet", Chunk)
    assert [chunk.text for chunk in chunks] == ["A cable carries current.", "Plain text."]
    assert (
        "chunk: 2 passages of 2 documents, 4 tokens on average, reused 0 of 2 "
        in capsys.readouterr().out
    )
    before = sha256_file(folder / "manifest.json")
    _run()
    assert "reused 2 of 2 documents" in capsys.readouterr().out
    assert sha256_file(folder / "manifest.json") == before


def test_documents_without_a_passage_are_an_error(checkout: Path) -> None:
    """There is nothing to index."""
    _prepare([])
    with pytest.raises(InputError, match="0 documents and no passage in them"):
        _run()


def test_damaged_documents_are_found(checkout: Path) -> None:
    """By their checksum, and if that was made after the damage, when they are read."""
    _prepare([document_of("text", name="a")])
    path = Path("artifacts/clean/documents.parquet")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ArtifactError, match=r"documents\.parquet: sha256 .* --single-item clean"):
        _run()
    write_manifest(path.parent, [path.name])
    with pytest.raises(ArtifactError, match=r"documents\.parquet: damaged Parquet"):
        _run()

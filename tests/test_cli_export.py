"""`groundwork export qa` on a finished stage: the file, the count, the errors."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from groundwork import cli
from groundwork.artifacts import write_jsonl, write_manifest, write_parquet
from groundwork.records import Chunk, Evidence, Question

ROOT = Path(__file__).parents[1]
TEXT = "A residual current device trips at 30 mA."


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose stages chunk and qa have run."""
    chunk = Chunk(
        passage_id="p1", document_id="d1", url="https://example.org/", title="Safety", heading="",
        text=TEXT, start=0, end=len(TEXT), tokens=9, category="safety", licence="CC",
    )  # fmt: skip
    pair = Question(
        question_id="q1", question="At what current does it trip?", answer="At 30 mA.",
        answerable=True, category="safety", kind="number",
        evidence=(Evidence(passage_id="p1", quote=TEXT, url=chunk.url),), facts=(),
        document_id="d1", split="train", origin="rules",
    )  # fmt: skip
    write_parquet(tmp_path / "artifacts/chunk/chunks.parquet", [chunk], Chunk)
    write_manifest(tmp_path / "artifacts/chunk", ["chunks.parquet"])
    write_jsonl(tmp_path / "artifacts/qa/train.jsonl", [asdict(pair)])
    for name in ("validation", "test"):
        write_jsonl(tmp_path / f"artifacts/qa/{name}.jsonl", [])
    names = [f"{name}.jsonl" for name in ("train", "validation", "test")]
    write_manifest(tmp_path / "artifacts/qa", names)
    domain = yaml.safe_load((ROOT / "conf/domain/ev_charging.yaml").read_text(encoding="utf-8"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"domain": domain}), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("form", ["chat", "alpaca", "sharegpt"])
def test_pairs_are_written_and_counted(
    form: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One JSON object a line, and one line for people."""
    assert cli.main(["export", "qa", "--format", form, "--split", "all", "--out", "out.jsonl"]) == 0
    lines = (tree / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1
    assert "At 30 mA." in str(json.loads(lines[0]))
    told = capsys.readouterr().out
    assert told == f"out.jsonl: 1 pairs (train, validation, test) as {form}\n"


def test_an_empty_split_is_an_error(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written."""
    assert cli.main(["export", "qa", "--split", "test", "--out", "out.jsonl"]) == 1
    assert "test.jsonl: no pairs" in capsys.readouterr().err
    assert not (tree / "out.jsonl").exists()


def test_a_changed_file_is_an_error(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The manifest is checked before anything is read."""
    (tree / "artifacts/qa/train.jsonl").write_text("{}\n", encoding="utf-8")
    assert cli.main(["export", "qa", "--out", "out.jsonl"]) == 1
    assert "train.jsonl" in capsys.readouterr().err

"""The stage script: files in, files out, one summary line."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from groundwork.artifacts import check_manifest, read_jsonl, short_id, write_manifest, write_parquet
from groundwork.records import Chunk

ROOT = Path(__file__).parents[2]
PAGES = {
    "levels": "A domestic wallbox draws 7.4 kW from a single-phase supply. A tethered unit must "
    "have a holster for its plug.",
    "winter": "A cold battery accepts less current because ions move sluggishly. Preconditioning "
    "takes 30 minutes on a frosty morning.",
    "safety": "A residual current device trips at 30 mA. A thunderstorm may interrupt the charging "
    "session at a motorway hub.",
}


def prepare(folder: Path, **changes: Any) -> None:
    """A checkout with passages, a golden set and params.yaml."""
    chunks = [
        Chunk(
            passage_id=short_id(text), document_id=name, url=f"https://www.example.org/{name}/",
            title=name.title(), heading="", text=text, start=0, end=len(text), tokens=30,
            category=name, licence="CC",
        )
        for name, text in PAGES.items()
    ]  # fmt: skip
    write_parquet(folder / "artifacts/chunk/chunks.parquet", chunks, Chunk)
    write_manifest(folder / "artifacts/chunk", ["chunks.parquet"])
    golden = {
        "id": "G-1", "question": "At what current does a residual current device trip?",
        "answer": "At 30 mA.", "answerable": True, "half": "test", "category": "safety",
        "kind": "number", "facts": [["30 mA"]],
        "evidence": [{"page": "safety", "quote": "A residual current device trips at 30 mA."}],
    }  # fmt: skip
    (folder / "golden.jsonl").write_text(json.dumps(golden) + "\n", encoding="utf-8")
    domain = yaml.safe_load((ROOT / "conf/domain/ev_charging.yaml").read_text(encoding="utf-8"))
    text = (ROOT / "conf/qa/rules.yaml").read_text(encoding="utf-8").replace("${seed}", "13")
    qa = yaml.safe_load(text)
    qa["rules"]["per_hundred_words"] = 99.0  # these pages are a few sentences
    engine = yaml.safe_load((ROOT / "conf/engine/local.yaml").read_text(encoding="utf-8"))
    params = {
        "seed": 13,
        "engine": engine,
        "domain": domain | {"golden_path": "golden.jsonl"},
        "qa": qa | changes,
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def run(folder: Path) -> "subprocess.CompletedProcess[str]":
    """The stage as dvc.yaml calls it, in `folder`."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [sys.executable, "-m", "stages.qa"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_the_stage_writes_what_its_manifest_names(tmp_path: Path) -> None:
    """Splits, rejects and report; the same bytes in another folder; one line for people."""
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        prepare(folder)
        done = run(folder)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("qa: ")
        digests.append(check_manifest(folder / "artifacts/qa"))
    assert digests[0] == digests[1]
    report = json.loads((tmp_path / "one/artifacts/qa/report.json").read_text(encoding="utf-8"))
    rejects = read_jsonl(tmp_path / "one/artifacts/qa/rejects.jsonl")
    assert report["generated"] == report["accepted"] + len(rejects)
    assert "golden" in {row["reason"] for row in rejects}
    train = read_jsonl(tmp_path / "one/artifacts/qa/train.jsonl")
    assert {row["split"] for row in train} == {"train"}


@pytest.mark.slow
def test_too_many_rejects_fail_the_stage(tmp_path: Path) -> None:
    """The rejects are written first, and no manifest says that the stage completed."""
    prepare(tmp_path, max_reject_ratio=0.0)
    done = run(tmp_path)
    assert done.returncode == 1
    assert "qa.max_reject_ratio" in done.stderr
    assert (tmp_path / "artifacts/qa/rejects.jsonl").exists()
    assert not (tmp_path / "artifacts/qa/manifest.json").exists()


@pytest.mark.slow
def test_a_broken_golden_set_fails_the_stage_with_its_line(tmp_path: Path) -> None:
    """One clear line; what an earlier run made is still there."""
    prepare(tmp_path)
    before = tmp_path / "artifacts/qa/report.json"
    before.parent.mkdir(parents=True)
    before.write_text("{}", encoding="utf-8")
    (tmp_path / "golden.jsonl").write_text("{broken\n", encoding="utf-8")
    done = run(tmp_path)
    assert done.returncode == 1
    assert "golden.jsonl:1: not JSON" in done.stderr
    assert before.exists()

"""Stage `adapt` on pairs of its own: files, decision, tracked run, errors; then stage `index`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_base import make_chunks, make_questions, run_stage
from tiny_encoder import adapt_config, write_encoder

from groundwork.artifacts import (
    check_manifest,
    read_json,
    read_jsonl,
    sha256_file,
    write_jsonl,
    write_manifest,
    write_parquet,
)
from groundwork.errors import ArtifactError, ConfigError
from groundwork.index import (
    ADAPTER,
    ADAPTER_FILES,
    Encoder,
    adapter_sha256,
    encoder_sha256,
    load_index,
)
from groundwork.records import Chunk, Question
from groundwork.tracking import client, find_run

pytestmark = pytest.mark.slow
OUT = Path("artifacts/adapt")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def encoder_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny encoder."""
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def ready(checkout: Path, encoder_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout in which the stages before have run, and whose encoder is the tiny one."""
    monkeypatch.setattr("groundwork.index.encoder.encoder_dir", lambda: encoder_dir)
    monkeypatch.setattr("stages.adapt.encoder_dir", lambda: encoder_dir)
    write_parquet(Path("artifacts/chunk/chunks.parquet"), make_chunks(), Chunk)
    write_manifest(Path("artifacts/chunk"), ["chunks.parquet"])
    _write_questions(make_questions(), make_questions("validation"))
    _write_params()
    encoder_sha256.cache_clear()
    yield checkout
    encoder_sha256.cache_clear()


def _write_questions(train: Sequence[Question], validation: Sequence[Question]) -> None:
    folder = Path("artifacts/qa")
    write_jsonl(folder / "train.jsonl", train)
    write_jsonl(folder / "validation.jsonl", validation)
    write_manifest(folder, ["train.jsonl", "validation.jsonl"])


def _write_params(**changes: Any) -> None:
    engine = yaml.safe_load((ROOT / "conf/engine/local.yaml").read_text(encoding="utf-8"))
    params = {
        "engine": engine,
        "domain": {"name": "plants"},
        "adapt": asdict(adapt_config(**changes)),
        "index": {"faiss": "Flat", "bm25_k1": 1.5, "bm25_b": 0.75},
        "seed": 5,
    }
    Path("params.yaml").write_text(yaml.safe_dump(params))


def test_adapter_figures_and_decision_are_written(
    ready: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both encoders on the validation pairs, the run with its numbers, no checkpoint left."""
    run_stage("adapt")
    manifest = check_manifest(OUT)
    assert set(ADAPTER_FILES) <= set(manifest["files"])
    assert manifest["adapter_sha256"] == adapter_sha256(OUT)
    metrics = read_json(OUT / "metrics.json")
    assert metrics["figures"]["ndcg_at_10"]["n"] == metrics["validation_pairs"] == 8
    assert (metrics["pairs"], metrics["steps"]) == (8, 4)
    assert [row["step"] for row in read_jsonl(OUT / "history.jsonl")] == [1, 2, 3, 4]
    run_id = find_run("adapt", sha256_file(OUT / "manifest.json"))
    assert [m.step for m in client().get_metric_history(run_id, "loss")] == [1, 2, 3, 4]
    assert not list(Path(".cache/groundwork/adapt").glob("*"))
    assert metrics["detail"] in capsys.readouterr().out


def test_the_same_inputs_give_the_same_bytes(ready: Path) -> None:
    """Everything but the run in MLflow."""
    run_stage("adapt")
    first = {path.name: sha256_file(path) for path in OUT.iterdir()}
    run_stage("adapt")
    assert {path.name: sha256_file(path) for path in OUT.iterdir()} == first


@pytest.mark.parametrize(
    ("changes", "train", "decision"),
    [
        ({"enabled": False}, 8, "disabled"),
        ({"min_pairs": 9}, 8, "too_few_pairs"),
        ({"min_validation": 9}, 8, "too_few_pairs"),
        ({}, 0, "too_few_pairs"),
    ],
)
def test_without_enough_pairs_the_base_encoder_serves(
    ready: Path,
    changes: dict[str, Any],
    train: int,
    decision: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No adapter is written, the stage says why, and `index` is searched by the base."""
    _write_questions(make_questions(numbers=range(train)), make_questions("validation"))
    _write_params(**changes)
    run_stage("adapt")
    metrics = read_json(OUT / "metrics.json")
    assert (metrics["serves"], metrics["decision"]) == ("base", decision)
    assert not (OUT / ADAPTER).exists()
    assert "the base encoder searches" in capsys.readouterr().out
    run_stage("index")
    assert read_json(Path("artifacts/index/manifest.json"))["retriever"]["adapter_sha256"] is None


def test_index_takes_the_encoder_that_the_decision_names(ready: Path, encoder_dir: Path) -> None:
    """With `adapted` the adapter lies in the index; with `base` it does not, though it exists."""
    run_stage("adapt")
    for serves, expected in (("adapted", True), ("base", False)):
        metrics = read_json(OUT / "metrics.json")
        _rewrite(metrics | {"serves": serves})
        run_stage("index")
        index = load_index(Path("artifacts/index"), Encoder.load(encoder_dir))
        assert (index.retriever is not None) is expected
        assert (Path("artifacts/index/retriever") / ADAPTER).exists() is expected


def _rewrite(metrics: dict[str, Any]) -> None:
    from groundwork.artifacts import write_json

    write_json(OUT / "metrics.json", metrics)
    write_manifest(OUT, [*ADAPTER_FILES, "history.jsonl", "metrics.json", "rejects.jsonl"])


def test_pairs_without_their_passage_are_rejected_and_written(ready: Path) -> None:
    """The passage of one is not among the passages any more."""
    write_parquet(Path("artifacts/chunk/chunks.parquet"), make_chunks()[1:], Chunk)
    write_manifest(Path("artifacts/chunk"), ["chunks.parquet"])
    run_stage("adapt")
    rejects = read_jsonl(OUT / "rejects.jsonl")
    assert [(r["key"], r["reason"]) for r in rejects] == [
        ("train0", "no_evidence"),
        ("validation0", "no_evidence"),
    ]


def test_damaged_pairs_are_named(ready: Path) -> None:
    """A field that is missing."""
    write_jsonl(Path("artifacts/qa/train.jsonl"), [{"question": "Why?"}])
    write_manifest(Path("artifacts/qa"), ["train.jsonl", "validation.jsonl"])
    with pytest.raises(ArtifactError, match=r"train.jsonl: unexpected content"):
        run_stage("adapt")


def test_values_out_of_range_are_named(ready: Path) -> None:
    """The key, the value, what was expected."""
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["adapt"]["batch_size"] = 1
    Path("params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(ConfigError, match=r"adapt.batch_size"):
        run_stage("adapt")

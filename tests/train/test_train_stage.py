"""Stage `train` on pairs of its own: files, tracked run, rejects, errors, continuing."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_base import (
    DOMAIN,
    make_chunks,
    make_questions,
    model_config,
    run_stage,
    train_config,
    write_base,
)

from groundwork.artifacts import (
    check_manifest,
    read_jsonl,
    sha256_file,
    write_jsonl,
    write_manifest,
)
from groundwork.errors import ArtifactError, ConfigError, InputError, RejectsError
from groundwork.index import Encoder, IndexConfig, build_index
from groundwork.records import Question
from groundwork.tracking import client, find_run
from groundwork.train import PreferenceSection

pytestmark = pytest.mark.slow
ADAPTER = Path("artifacts/train/adapter/adapter_model.safetensors")


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model."""
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def index_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny passages, indexed."""
    folder = tmp_path_factory.mktemp("index")
    config = IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75)
    build_index(make_chunks(), config=config, encoder=Encoder.load(), folder=folder)
    return folder


@pytest.fixture
def ready(checkout: Path, base_dir: Path, index_dir: Path) -> Path:
    """A checkout in which the stages before have run."""
    shutil.copytree(base_dir, "artifacts/base")
    shutil.copytree(index_dir, "artifacts/index")
    _write_questions(make_questions())
    _write_params()
    return checkout


def _write_questions(questions: Sequence[Question]) -> None:
    folder = Path("artifacts/qa")
    write_jsonl(folder / "train.jsonl", questions)
    write_jsonl(folder / "validation.jsonl", make_questions("validation", range(3)))
    write_manifest(folder, ["train.jsonl", "validation.jsonl"])


def _write_params(**changes: Any) -> None:
    params: dict[str, Any] = {
        "domain": asdict(DOMAIN),
        "model": asdict(model_config()),
        "train": asdict(train_config(**changes)),
        "seed": 5,
    }
    Path("params.yaml").write_text(yaml.safe_dump(params))


def test_adapter_history_and_rejects_are_written(
    ready: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clock's numbers lie outside of the manifest; checkpoints are gone."""
    run_stage("train")
    folder = Path("artifacts/train")
    manifest = check_manifest(folder)
    assert set(manifest["files"]) == {
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "history.jsonl",
        "rejects.jsonl",
    }
    assert manifest["base_sha256"] == sha256_file(Path("artifacts/base/base.json"))
    assert [row["step"] for row in read_jsonl(folder / "history.jsonl")] == [0, 2, 4]
    assert "perplexity of validation answers" in (folder / "report.html").read_text()
    assert json.loads((folder / "speed.json").read_text())[0]["tokens_per_s"] > 0
    assert not list(Path(".cache").rglob("checkpoint-*"))
    assert "on 8 pairs, 0 rejected; loss" in capsys.readouterr().out


def test_run_holds_the_series(ready: Path) -> None:
    """Loss, learning rate, tokens a second, memory and parameters are in MLflow."""
    run_stage("train")
    run_id = find_run("train", sha256_file(Path("artifacts/train/manifest.json")))
    metrics = client().get_run(run_id).data.metrics
    assert {
        "loss",
        "eval_loss",
        "learning_rate",
        "grad_norm",
        "tokens_per_s",
        "peak_memory_mb",
    } <= set(metrics)
    assert metrics["trainable_parameters"] == 2 * 2 * 4 * 128
    assert [m.step for m in client().get_metric_history(run_id, "loss")] == [2, 4]


def test_second_run_gives_the_same_bytes(ready: Path) -> None:
    """Adapter, history and manifest."""
    sums = []
    for _ in range(2):
        run_stage("train")
        sums.append((sha256_file(ADAPTER), sha256_file(Path("artifacts/train/manifest.json"))))
        shutil.rmtree("artifacts/train")
    assert sums[0] == sums[1]


def test_interrupted_stage_goes_on(
    ready: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A stage that dies after the training, before the adapter, trains nothing twice."""
    run_stage("train")
    expected = sha256_file(ADAPTER)
    shutil.rmtree("artifacts/train")

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("stages.train.save_adapter", full_disk)
        with pytest.raises(OSError, match="No space"):
            run_stage("train")
    assert [p.name for p in Path(".cache").rglob("checkpoint-4")] == ["checkpoint-4"]
    run_stage("train")
    assert sha256_file(ADAPTER) == expected
    assert "train: going on from checkpoint-4" in capsys.readouterr().out


def test_pairs_that_cannot_fit_are_counted(ready: Path) -> None:
    """Two of eight are longer than the model's limit: rejected with a reason, more than allowed."""
    long = " ".join(f"word{i}" for i in range(400))
    questions = [replace(q, question=long) if i < 2 else q for i, q in enumerate(make_questions())]
    _write_questions(questions)
    _write_params(max_reject_ratio=0.1)
    with pytest.raises(RejectsError, match=r"2 of 10 pairs.*max_reject_ratio=0\.1.*2 too_long"):
        run_stage("train")
    rejects = read_jsonl(Path("artifacts/train/rejects.jsonl"))
    assert [r["reason"] for r in rejects] == ["too_long", "too_long"]
    _write_params(max_reject_ratio=0.2)
    run_stage("train")
    assert ADAPTER.exists()


def test_empty_train_split_is_an_error(ready: Path) -> None:
    """The message leads to the rejects of `qa`."""
    _write_questions([])
    with pytest.raises(InputError, match=r"train\.jsonl: no questions.*qa/rejects\.jsonl"):
        run_stage("train")


def test_pairs_of_another_form_are_an_error(ready: Path) -> None:
    """A line without its fields names the stage to run again."""
    Path("artifacts/qa/train.jsonl").write_text('{"question": "Why?"}\n')
    write_manifest(Path("artifacts/qa"), ["train.jsonl", "validation.jsonl"])
    with pytest.raises(ArtifactError, match="single-item qa"):
        run_stage("train")


def test_unknown_target_module_is_an_error(ready: Path) -> None:
    """The key and the modules that exist are named."""
    _write_params()
    params = yaml.safe_load(Path("params.yaml").read_text())
    params["train"]["lora"]["target_modules"] = ["query"]
    Path("params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(ConfigError, match=r"target_modules=\['query'\].*q_proj"):
        run_stage("train")


def test_damaged_index_is_an_error(ready: Path) -> None:
    """Found by its checksum before anything is prepared."""
    with Path("artifacts/index/tokens.npy").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ArtifactError, match=r"tokens\.npy: sha256"):
        run_stage("train")


def test_damaged_base_is_an_error(ready: Path) -> None:
    """Found by its checksum before anything is prepared."""
    with Path("artifacts/base/model/model.safetensors").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ArtifactError, match=r"model\.safetensors: sha256"):
        run_stage("train")


def test_preferences_are_part_of_the_history(ready: Path) -> None:
    """Switched on, the steps go on after those of the training, and MLflow has the margin."""
    section = PreferenceSection(
        enabled=True, beta=0.1, learning_rate=1e-3, max_steps=2, sft_weight=0.5
    )
    _write_params(preference=section, max_steps=2)
    run_stage("train")
    rows = read_jsonl(Path("artifacts/train/history.jsonl"))
    steps = [(row["step"], "reward_margin" in row) for row in rows]
    assert steps == [(0, False), (2, False), (4, True)]
    run_id = find_run("train", sha256_file(Path("artifacts/train/manifest.json")))
    assert "reward_margin" in client().get_run(run_id).data.metrics
    assert not list(Path(".cache").rglob("checkpoint-*"))


def test_without_validation_pairs_no_loss_is_watched(ready: Path) -> None:
    """`eval_pairs` 0: the history has no validation loss."""
    _write_params(eval_pairs=0)
    run_stage("train")
    assert all("eval_loss" not in row for row in read_jsonl(Path("artifacts/train/history.jsonl")))

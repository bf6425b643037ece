"""Stage `base` on documents of its own: files, manifest, tracked run, errors."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_base import DOMAIN, base_config, make_documents, model_config, run_stage, write_base

from groundwork.artifacts import (
    check_manifest,
    read_json,
    sha256_file,
    write_manifest,
    write_parquet,
)
from groundwork.config import ModelConfig
from groundwork.errors import ArtifactError, InputError
from groundwork.records import Document
from groundwork.tracking import client, find_run

pytestmark = pytest.mark.slow


def _prepare(documents: list[Document], model: ModelConfig) -> None:
    write_parquet(Path("artifacts/clean/documents.parquet"), documents, Document)
    write_manifest(Path("artifacts/clean"), ["documents.parquet"])
    params: dict[str, Any] = {
        "domain": asdict(DOMAIN),
        "model": asdict(model),
        "base": asdict(base_config()),
        "seed": 5,
    }
    Path("params.yaml").write_text(yaml.safe_dump(params))


def test_embedded_model_is_built_and_tracked(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Weights, tokenizer and base.json under one manifest; loss and size in the run."""
    _prepare(make_documents(), model_config())
    run_stage("base")
    names = set(check_manifest(Path("artifacts/base"))["files"])
    assert {"base.json", "model/model.safetensors", "model/tokenizer.json"} <= names
    run = client().get_run(find_run("base", sha256_file(Path("artifacts/base/manifest.json"))))
    info = read_json(Path("artifacts/base/base.json"))
    assert run.data.metrics["parameters"] == info["parameters"]
    assert run.data.metrics["loss"] > 0
    assert "base: embedded, LlamaForCausalLM of 0.1 million parameters" in capsys.readouterr().out


def test_model_of_a_folder_is_recorded_not_copied(checkout: Path, tmp_path: Path) -> None:
    """base.json alone is written; it names each file by its sha256."""
    folder = write_base(tmp_path / "elsewhere") / "model"
    _prepare(make_documents(), model_config(name="mine", kind="hub", hub_id="elsewhere/model"))
    run_stage("base")
    assert list(check_manifest(Path("artifacts/base"))["files"]) == ["base.json"]
    info = read_json(Path("artifacts/base/base.json"))
    assert (info["kind"], info["hub_id"], info["revision"]) == ("hub", "elsewhere/model", "")
    assert {f["name"] for f in info["files"]} == {p.name for p in folder.iterdir()}


def test_model_that_cannot_be_had_fails_the_run(checkout: Path) -> None:
    """No base.json is left, and no other model."""
    _prepare(make_documents(), model_config(kind="hub", hub_id="./nowhere"))
    with pytest.raises(InputError, match="no such folder"):
        run_stage("base")
    assert not Path("artifacts/base/manifest.json").exists()


def test_damaged_documents_are_found(checkout: Path) -> None:
    """By their checksum, before anything is trained."""
    _prepare(make_documents(), model_config())
    documents = [replace(document, text="Else.") for document in make_documents()]
    write_parquet(Path("artifacts/clean/documents.parquet"), documents, Document)
    with pytest.raises(ArtifactError, match=r"documents\.parquet: sha256"):
        run_stage("base")

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
"""groundwork export model: merged weights give base and adapter's logits; GGUF by llama.cpp."""

import os
import sys
from pathlib import Path

import pytest
from tiny_base import lora_section, train_config, write_base

from groundwork import cli
from groundwork.artifacts import check_manifest, write_manifest
from groundwork.base import load_base, older_names, read_info, reproducible
from groundwork.train import write_adapter
from groundwork.train.trl import with_adapters

Captured = pytest.CaptureFixture[str]
pytestmark = pytest.mark.slow
STANDIN = """#!{python}
import json, sys
from pathlib import Path
folder, _, out, _, kind = sys.argv[1:]
assert (Path(folder) / "model.safetensors").exists()
if kind == "f32":
    sys.exit("tokenizer not recognised")
Path(out).write_text(json.dumps(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """artifacts/base and artifacts/train of the tiny model, its adapter far from zero."""
    import torch

    root = tmp_path_factory.mktemp("trained")
    base_dir, train_dir = root / "artifacts" / "base", root / "artifacts" / "train"
    write_base(base_dir)
    with reproducible(seed=5, threads=1):
        config = train_config(lora=lora_section(rslora=True))
        model = with_adapters(load_base(base_dir)[0], config)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.2)
    info = read_info(base_dir)
    names = write_adapter(model, train_dir / "adapter", base_name=info.name, revision=None)
    write_manifest(train_dir, [f"adapter/{name}" for name in names])
    return root


def _converter(folder: Path) -> Path:
    path = folder / "convert_hf_to_gguf.py"
    path.write_text(STANDIN.format(python=sys.executable))
    path.chmod(0o755)
    return path


def test_merged_model_has_the_logits_of_base_and_adapter(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loaded by transformers alone, in full precision; and the adapter changed something."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.chdir(trained)
    out_dir = tmp_path / "out"
    command = ["export", "model", "--dtype", "float32", "--out", str(out_dir)]
    assert cli.main(command) == 0
    base = AutoModelForCausalLM.from_pretrained(
        str(trained / "artifacts/base/model"), dtype=torch.float32
    )
    ids_1T = torch.arange(5, 45)[None]
    with torch.no_grad(), older_names():
        plain = base(input_ids=ids_1T).logits
        adapted = PeftModel.from_pretrained(base, str(trained / "artifacts/train/adapter"))
        expected = adapted(input_ids=ids_1T).logits
        merged = AutoModelForCausalLM.from_pretrained(str(out_dir))
        found = merged(input_ids=ids_1T).logits
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert (plain - expected).abs().max() > 0.1
    assert AutoTokenizer.from_pretrained(str(out_dir)).chat_template
    check_manifest(out_dir)


def test_converter_gets_folder_file_and_type(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found on PATH, or in LLAMA_CPP_DIR; its failure is told with its last line."""
    monkeypatch.chdir(trained)
    _converter(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    out_dir = tmp_path / "one"
    assert cli.main(["export", "model", "--format", "gguf", "--out", str(out_dir)]) == 0
    told = (out_dir / "model.gguf").read_text()
    assert told == f'["{out_dir}", "--outfile", "{out_dir}/model.gguf", "--outtype", "f16"]'


def test_failed_conversion_is_told(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """With the converter's last line; the safetensors stay."""
    monkeypatch.chdir(trained)
    _converter(tmp_path)
    monkeypatch.setenv("LLAMA_CPP_DIR", str(tmp_path))
    out_dir = tmp_path / "out"
    command = ["export", "model", "--format", "gguf", "--dtype", "float32", "--out", str(out_dir)]
    assert cli.main(command) == 1
    told = capsys.readouterr().err
    assert "failed with 1: tokenizer not recognised" in told
    assert (out_dir / "model.safetensors").exists()


def test_missing_converter_names_the_way_out(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    """Before anything is merged; a folder that exists is not written into."""
    monkeypatch.chdir(trained)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("LLAMA_CPP_DIR", raising=False)
    out_dir = tmp_path / "out"
    assert cli.main(["export", "model", "--format", "gguf", "--out", str(out_dir)]) == 1
    assert "set LLAMA_CPP_DIR" in capsys.readouterr().err
    assert not out_dir.exists()
    out_dir.mkdir()
    assert cli.main(["export", "model", "--out", str(out_dir)]) == 1
    assert "it exists" in capsys.readouterr().err

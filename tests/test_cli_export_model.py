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

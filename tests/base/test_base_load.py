"""base.json: what it records, what is checked, and how a model is opened."""

import json
import shutil
from pathlib import Path

import pytest
from tiny_base import model_config, write_base

from groundwork.artifacts import read_json, write_json
from groundwork.base import (
    describe,
    find_files,
    load_base,
    model_dir,
    open_tokenizer,
    read_info,
    write_info,
)
from groundwork.errors import ArtifactError, ConfigError, InputError


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, to be copied before it is changed."""
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def copy(base_dir: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(base_dir, tmp_path / "artifacts" / "base"))


def test_info_says_what_the_model_is(base_dir: Path) -> None:
    """Architecture, parameters from the weights, template, pad token, a sha256 for each file."""
    info = read_info(base_dir)
    assert (info.kind, info.architecture) == ("embedded", "LlamaForCausalLM")
    assert (info.chat_template, info.pad_token, info.max_length) == ("own", "<|pad|>", 480)
    config = read_json(base_dir / "model" / "config.json")
    width, inner, words = 64, config["intermediate_size"], config["vocab_size"]
    layer = 4 * width * width + 3 * width * inner + 2 * width
    assert info.parameters == 2 * words * width + 2 * layer + width
    assert {file.name for file in info.files} == set(find_files(base_dir / "model"))


def test_loaded_model_is_in_four_bits(base_dir: Path) -> None:
    """Linear layers are NF4 with double quantisation; the model answers a forward pass."""
    import torch
    from bitsandbytes.nn import Linear4bit

    model, tokenizer, _ = load_base(base_dir)
    layer = model.model.layers[0].self_attn.q_proj
    assert isinstance(layer, Linear4bit)
    assert layer.weight.quant_type == "nf4"
    assert layer.weight.quant_state.nested
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([tokenizer.encode("The moss")])).logits
    assert logits.shape[-1] == len(tokenizer)


def test_changed_weights_are_found(copy: Path) -> None:
    """One flipped byte is an error that names the file and the way out."""
    path = copy / "model" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ArtifactError, match=r"model\.safetensors.*single-item base"):
        model_dir(copy)


def test_missing_file_is_found(copy: Path) -> None:
    """A file that base.json names and the disk lacks."""
    (copy / "model" / "tokenizer.json").unlink()
    with pytest.raises(ArtifactError, match=r"tokenizer\.json: sha256 is missing"):
        load_base(copy)


def test_base_json_of_another_form_is_found(copy: Path) -> None:
    """A field too few names the stage to run again."""
    write_json(copy / "base.json", {"name": "embedded"})
    with pytest.raises(ArtifactError, match="single-item base"):
        read_info(copy)


def test_model_made_for_shorter_texts_is_refused(base_dir: Path) -> None:
    """`model.max_length` beyond the model's positions is a configuration error."""
    names = find_files(base_dir / "model")
    with pytest.raises(ConfigError, match=r"model\.max_length=4096.*at most 512"):
        describe(base_dir / "model", names, model=model_config(max_length=4096), revision="")


def test_folder_without_weights_is_refused(copy: Path) -> None:
    """Pickled weights do not count."""
    folder = copy / "model"
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(InputError, match="no weights in safetensors"):
        describe(folder, find_files(folder), model=model_config(), revision="")


def test_damaged_weights_are_refused(copy: Path) -> None:
    """A file that only pretends to be safetensors."""
    (copy / "model" / "model.safetensors").write_bytes(b"not a tensor")
    with pytest.raises(InputError, match="damaged safetensors"):
        describe(copy / "model", find_files(copy / "model"), model=model_config(), revision="")


def test_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """No config.json: the message says what a model folder holds."""
    with pytest.raises(InputError, match=r"expected config\.json"):
        describe(tmp_path, [], model=model_config(), revision="")


def test_model_without_template_and_pad_token_gets_plain_ones(copy: Path) -> None:
    """Our template with the model's own end token; padding by the end token."""
    folder = copy / "model"
    (folder / "chat_template.jinja").unlink()
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["pad_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer, template = open_tokenizer(folder)
    assert template == "plain"
    assert tokenizer.pad_token == "<|end|>"
    turn = [{"role": "user", "content": "Why?"}]
    assert tokenizer.apply_chat_template(turn, tokenize=False) == "<|user|>\nWhy?<|end|>\n"
    info = describe(folder, find_files(folder), model=model_config(), revision="")
    assert (info.chat_template, info.pad_token) == ("plain", "<|end|>")


def test_tokenizer_without_an_end_is_refused(copy: Path) -> None:
    """Nothing would stop an answer."""
    folder = copy / "model"
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["eos_token"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match="no end token"):
        open_tokenizer(folder)


def test_folder_without_tokenizer_is_refused(tmp_path: Path) -> None:
    """The message names the folder."""
    with pytest.raises(InputError, match="no usable tokenizer"):
        open_tokenizer(tmp_path)


def test_other_kinds_of_model_are_refused(copy: Path) -> None:
    """A configuration that no causal language model has."""
    folder = copy / "model"
    config = read_json(folder / "config.json")
    write_json(folder / "config.json", config | {"model_type": "vit"})
    info = describe(folder, find_files(folder), model=model_config(), revision="")
    write_info(copy, info)
    with pytest.raises(InputError, match="no causal language model"):
        load_base(copy)

"""Memory before a training: parameters, parts, what would make it fit; shapes of the models."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tiny_base import base_config, lora_section, model_config, train_config

from groundwork import cli
from groundwork.base import BaseConfig, model_shape
from groundwork.command import forecast
from groundwork.config import ModelConfig, ShapeConfig, check, compose
from groundwork.errors import ConfigError, InputError
from groundwork.train import Rates, changes, count_parameters, estimate_memory
from groundwork.train.estimate import NF4, count_trained

ROOT = Path(__file__).resolve().parents[2]
SHAPE = ShapeConfig(
    layers=2,
    hidden=8,
    heads=2,
    key_value_heads=1,
    head_size=4,
    feed_forward=16,
    vocabulary=100,
    tied=False,
)
PUBLISHED = {
    "mistral_7b": 7_248_023_552,
    "llama2_7b": 6_738_415_616,
    "qwen2_5_0_5b": 494_032_768 - 24 * (896 + 2 * 128),  # without the biases of q, k and v
    "smollm2_135m": 134_515_008,
}


def _shape(name: str) -> ShapeConfig:
    params = yaml.safe_load(compose([f"model={name}"], ROOT / "conf"))
    model = check("model", ModelConfig, params["model"], Path("conf"))
    return model_shape(model, check("base", BaseConfig, params["base"], Path("conf")))


@pytest.mark.parametrize("name", PUBLISHED)
def test_shapes_are_those_of_the_models(name: str) -> None:
    """As many parameters as the model cards state."""
    assert sum(count_parameters(_shape(name))) == PUBLISHED[name]


def test_parameters_are_counted() -> None:
    """A block: q and o 8 x 8, k and v 8 x 4, three of 8 x 16: 576. Two tables of 800, 5 norms."""
    assert count_parameters(SHAPE) == (2 * 576, 1600 + 5 * 8)
    assert count_parameters(replace(SHAPE, tied=True))[1] == 800 + 5 * 8


def test_trained_numbers_are_counted() -> None:
    """Rank 4 on q (8 + 8) and v (8 + 4), two layers; DoRA adds a length for each output."""
    assert count_trained(SHAPE, train_config()) == 2 * 4 * (16 + 12)
    dora = train_config(lora=lora_section(dora=True))
    assert count_trained(SHAPE, dora) == 2 * (4 * (16 + 12) + 8 + 4)


def test_weights_and_states_are_in_bytes() -> None:
    """4-bit blocks with their scales, the rest in float32; Adam keeps two numbers each."""
    memory = estimate_memory(SHAPE, train_config(), max_length=32, device="cpu")
    assert memory.weights == pytest.approx(1152 * (0.5 + 1 / 64 + 1 / 4096) + 4 * 1640)
    assert (memory.adapters, memory.gradients, memory.optimizer) == (896, 896, 1792)
    assert memory.cache == 2 * 4 * 2 * 4 * 32
    small = train_config(optimizer="paged_adamw_8bit")
    assert estimate_memory(SHAPE, small, max_length=32, device="cpu").optimizer == 448
    assert memory.peak == pytest.approx(
        memory.process + memory.weights + memory.adapters + memory.gradients
        + memory.optimizer + memory.activations + memory.logits
    )  # fmt: skip


def test_activations_grow_with_what_is_kept() -> None:
    """More tokens, dropout's masks, more layers with adapters; less when they are recomputed."""

    def kept(max_length: int = 64, layers: int = 20, **more: object) -> float:
        config = train_config(**({"lora": lora_section(dropout=0.0)} | more))
        shape = replace(SHAPE, layers=layers)
        return estimate_memory(shape, config, max_length=max_length, device="cpu").activations

    assert kept(128) > 1.5 * kept(64)
    assert kept(layers=40) > 1.8 * kept(layers=20)
    assert kept(lora=lora_section(dropout=0.1)) > kept()
    every = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    assert kept(lora=lora_section(dropout=0.0, target_modules=every)) > kept()
    assert kept(gradient_checkpointing=True) < 0.3 * kept()


def test_changes_save_more_and_more() -> None:
    """Each is on top of the ones before, and its peak is that of the changed configuration."""
    shape, config = _shape("qwen2_5_0_5b"), train_config(batch_size=4)
    found = list(changes(shape, config, max_length=1024, device="cuda"))
    peaks = [change.peak for change in found]
    assert peaks == sorted(peaks, reverse=True)
    assert found[0].overrides == ("train.gradient_checkpointing=true",)
    assert found[1].overrides[1:] == ("train.batch_size=1", "train.gradient_accumulation=8")
    again = replace(config, gradient_checkpointing=True)
    assert peaks[0] == estimate_memory(shape, again, max_length=1024, device="cuda").peak


def test_shared_base_takes_a_share_and_a_layer() -> None:
    """Of the 4-bit blocks; the rest is whole in every process, and one process shares nothing."""
    shape = _shape("qwen2_5_0_5b")
    one, two = (
        train_config(gradient_accumulation=2),
        train_config(processes=2, gradient_accumulation=2),
    )
    whole, shared = (
        estimate_memory(shape, config, max_length=512, device="cuda").weights
        for config in (two, replace(two, sharded=True))
    )
    assert estimate_memory(shape, one, max_length=512, device="cuda").weights == whole
    blocks = NF4 * count_parameters(shape)[0]
    assert whole - shared == pytest.approx(blocks / 2 - blocks / shape.layers)
    proposed = changes(shape, two, max_length=512, device="cuda")
    assert "train.sharded=true" in [word for change in proposed for word in change.overrides]


def test_embedded_shape_is_that_of_its_recipe() -> None:
    """Four heads; nothing is read."""
    shape = model_shape(model_config(), base_config())
    assert (shape.layers, shape.hidden, shape.heads, shape.vocabulary) == (2, 64, 4, 420)


def test_shape_is_read_from_a_local_model(tmp_path: Path) -> None:
    """transformers' own names; what is missing follows from the rest."""
    config = {
        "num_hidden_layers": 3,
        "hidden_size": 32,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "vocab_size": 500,
        "tie_word_embeddings": True,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    model = model_config(kind="hub", hub_id=str(tmp_path))
    shape = model_shape(model, base_config())
    assert (shape.key_value_heads, shape.head_size, shape.tied) == (4, 8, True)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"not the configuration of a Llama-like model"):
        model_shape(model, base_config())


def test_unknown_shape_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says where the numbers are found."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(InputError, match=r"fill in model\.shape"):
        model_shape(model_config(kind="hub", hub_id="nobody/nothing"), base_config())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The configuration tree and nothing else; a machine whose speed is known."""
    (tmp_path / "conf").symlink_to(ROOT / "conf")
    monkeypatch.chdir(tmp_path)
    import groundwork.train

    monkeypatch.setattr(groundwork.train, "measure_rates", lambda *a, **k: Rates(0.1, 0.2))
    monkeypatch.setattr(forecast, "device_type", lambda: "cpu")
    monkeypatch.setattr(forecast, "available", lambda device: 8 * 2.0**30)
    return tmp_path


@pytest.mark.slow
def test_doctor_tells_what_a_training_needs(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """80 pairs are 20 steps of four passes of .1 + 3 x .2 s, and two looks at 32 pairs."""
    (project / "artifacts/qa").mkdir(parents=True)
    (project / "artifacts/qa/train.jsonl").write_text("{}\n" * 80)
    assert cli.main(["doctor", "--model", "embedded"]) == 0
    told = capsys.readouterr().out
    assert "embedded: 4.1 million parameters, on the processor" in told
    assert f"20 steps on 80 pairs: at most {20 * 4 * 0.7 + 2 * 32 * 0.7 / 3:.0f} s" in told
    assert "it fits: 7,782 MiB of free memory may be taken" in told


@pytest.mark.slow
def test_doctor_says_what_to_change(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Mistral keeps 9 GiB; the changes that suffice stand in a command."""
    assert cli.main(["doctor", "--model", "smollm2_135m"]) == 0
    told = capsys.readouterr().out
    assert "it does not fit" in told
    assert "-> groundwork compose model=smollm2_135m train.gradient_checkpointing=true" in told
    assert "no questions yet" in told


@pytest.mark.slow
def test_doctor_names_the_models_that_there_are(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the pen is answered with the choice."""
    assert cli.main(["doctor", "--model", "mistral"]) == 1
    assert "expected one of embedded, llama2_7b, mistral_7b" in capsys.readouterr().err
    with pytest.raises(ConfigError):
        forecast.read_plans("mistral", project)


@pytest.mark.slow
def test_rates_are_measured_on_the_shape() -> None:
    """More layers, more time; recomputing activations works on it as well."""
    from groundwork.train import measure_rates

    rates = measure_rates(SHAPE, train_config(gradient_checkpointing=True), max_length=64)
    assert rates.ends_s > 0
    assert rates.pass_s(replace(SHAPE, layers=9)) == rates.ends_s + 9 * rates.layer_s

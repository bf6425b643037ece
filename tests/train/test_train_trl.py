"""Every model configuration builds with the pinned TRL, PEFT and transformers."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_base import lora_section, train_config

from groundwork.config import ModelConfig, check, compose
from groundwork.errors import ConfigError
from groundwork.train import TrainConfig
from groundwork.train.trl import (
    lora_arguments,
    make_plan,
    notes,
    training_arguments,
    with_adapters,
)

CONF_DIR = Path(__file__).resolve().parents[2] / "conf"
MODELS = sorted(path.stem for path in (CONF_DIR / "model").glob("*.yaml"))


def _sections(model: str, *overrides: str) -> tuple[ModelConfig, TrainConfig]:
    params = yaml.safe_load(compose([f"model={model}", *overrides], CONF_DIR))
    where = Path("params.yaml")
    return (
        check("model", ModelConfig, params["model"], where),
        check("train", TrainConfig, params["train"], where),
    )


def _arguments(model: ModelConfig, config: TrainConfig, *, pairs: int, tmp_path: Path) -> Any:
    return training_arguments(
        config,
        make_plan(config, pairs=pairs),
        work_dir=tmp_path,
        max_length=model.max_length,
        device="cpu",
        evaluate=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_every_model_configuration_builds(name: str, tmp_path: Path) -> None:
    """What TRL and PEFT hold is what the file says."""
    model, config = _sections(name)
    made = _arguments(model, config, pairs=100_000, tmp_path=tmp_path)
    assert made.learning_rate == config.learning_rate
    assert made.lr_scheduler_type == config.scheduler
    assert made.max_length == model.max_length
    assert made.per_device_train_batch_size == config.batch_size
    assert made.gradient_accumulation_steps == config.gradient_accumulation
    assert made.max_grad_norm == config.max_grad_norm
    assert made.activation_checkpointing is config.gradient_checkpointing
    assert (made.use_cpu, made.bf16, made.fp16) == (True, False, False)
    assert made.completion_only_loss is True
    assert (made.seed, made.data_seed) == (config.seed, config.seed)
    lora = lora_arguments(config)
    assert (lora.r, lora.lora_alpha, lora.lora_dropout) == (
        config.lora.rank,
        config.lora.alpha,
        config.lora.dropout,
    )
    assert lora.target_modules == set(config.lora.target_modules)


@pytest.mark.slow
def test_llama2_is_the_recipe_that_was_asked_for(tmp_path: Path) -> None:
    """Numbers of issue 2."""
    model, config = _sections("llama2_7b")
    made = _arguments(model, config, pairs=100_000, tmp_path=tmp_path)
    lora = lora_arguments(config)
    assert model.hub_id == "meta-llama/Llama-2-7b-chat-hf"
    assert (lora.r, lora.lora_alpha, lora.lora_dropout) == (16, 32, 0.1)
    assert lora.target_modules == {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert (made.learning_rate, made.warmup_steps, made.max_steps) == (2e-5, 100, 1000)
    assert (made.per_device_train_batch_size, made.gradient_accumulation_steps) == (4, 4)
    assert (config.epochs, made.max_grad_norm) == (3, 1.0)


@pytest.mark.slow
def test_mistral_is_the_recipe_that_was_asked_for(tmp_path: Path) -> None:
    """Numbers of issue 2; 1,600 pairs are 300 steps in three epochs, 9 of them warm-up."""
    model, config = _sections("mistral_7b")
    made = _arguments(model, config, pairs=1600, tmp_path=tmp_path)
    lora = lora_arguments(config)
    assert (lora.r, lora.lora_alpha, lora.lora_dropout) == (64, 16, 0.05)
    assert (made.learning_rate, made.lr_scheduler_type) == (2e-4, "cosine")
    assert (made.max_steps, made.warmup_steps) == (300, 9)
    assert made.optim == "adamw_bnb_8bit"
    assert (made.activation_checkpointing, model.max_length) == (True, 512)


def test_single_settings_still_win(tmp_path: Path) -> None:
    """`-S train.lora.rank=8` is stronger than the model's file."""
    assert _sections("mistral_7b", "train.lora.rank=8")[1].lora.rank == 8


@pytest.mark.parametrize(
    ("pairs", "changes", "steps"),
    [
        (100, {"epochs": 1, "max_steps": None}, 50),  # 100 / (1 x 2)
        (101, {"epochs": 2, "max_steps": None}, 102),  # ceil(101 / 2) x 2
        (100, {"epochs": 3, "max_steps": 7}, 7),
        (2, {"epochs": 0.1, "max_steps": None}, 1),
    ],
)
def test_plan_is_epochs_but_at_most_max_steps(
    pairs: int, changes: dict[str, Any], steps: int
) -> None:
    """The arithmetic is in the comments."""
    assert make_plan(train_config(**changes), pairs=pairs).steps == steps


def test_warm_up_is_steps_or_a_ratio() -> None:
    """Steps win when there are any; 3 % of 50 is rounded up."""
    ratio = train_config(max_steps=None, warmup_ratio=0.03)
    assert make_plan(ratio, pairs=100).warmup_steps == 2
    steps = train_config(max_steps=None, warmup_ratio=0.03, warmup_steps=9)
    assert make_plan(steps, pairs=100).warmup_steps == 9


def test_notes_tell_what_does_not_do_what_it_seems_to() -> None:
    """Paging without a GPU, a warm-up without an end; nothing else."""
    config = train_config(optimizer="paged_adamw_8bit", warmup_steps=9)
    told = notes(config, make_plan(config, pairs=4), device="cpu")
    assert len(told) == 2
    assert "without paging" in told[0]
    assert "before the warm-up does" in told[1]
    plain = train_config()
    assert notes(plain, make_plan(plain, pairs=4), device="cpu") == []


@pytest.mark.slow
def test_checkpoints_between_logs_are_refused(tmp_path: Path) -> None:
    """A resumed run would log other losses."""
    with pytest.raises(ConfigError, match=r"train\.save_steps=3.*multiple"):
        training_arguments(
            train_config(save_steps=3),
            make_plan(train_config(), pairs=9),
            work_dir=tmp_path,
            max_length=64,
            device="cpu",
            evaluate=False,
        )


@pytest.mark.slow
def test_unknown_target_module_is_told_with_those_that_exist() -> None:
    """The way out is in the message."""
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=32,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
        )
    )
    config = train_config(lora=lora_section(target_modules=["q_proj", "query"]))
    with pytest.raises(ConfigError, match=r"query not in the model; it has .*k_proj"):
        with_adapters(model, config)

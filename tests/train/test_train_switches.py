"""Switches of the training: LoRA+, rsLoRA, DoRA, packing, patience; what each changes, and that a
training with any of them goes on after a kill as if nothing had happened."""

import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from tiny_base import PLANTS, lora_section, sentence, train_config, write_base

from groundwork.artifacts import sha256_file
from groundwork.base import load_base, open_tokenizer, read_info, reproducible
from groundwork.errors import ConfigError
from groundwork.train import Prepared, TrainingPair, Tuned, save_adapter, tune
from groundwork.train.packing import check_apart, count_sequences
from groundwork.train.perplexity import perplexity
from groundwork.train.trl import (
    make_plan,
    make_trainer,
    set_plus_rate,
    training_arguments,
    with_adapters,
)

pytestmark = pytest.mark.slow

STILL = lora_section(dropout=0.0)
PACKED = {"packing": True, "gradient_accumulation": 1}
SWITCHES: dict[str, dict[str, Any]] = {
    "plus": {"lora": lora_section(plus_ratio=8.0)},
    "plus_8bit": {"lora": lora_section(plus_ratio=8.0), "optimizer": "paged_adamw_8bit"},
    "rslora": {"lora": lora_section(rslora=True)},
    "dora": {"lora": lora_section(dora=True)},
    "packing": PACKED,
    "patience": {"patience": 1, "learning_rate": 0.5, "max_steps": 20, "epochs": 10},
    "all": {
        **PACKED,
        "lora": lora_section(plus_ratio=4.0, rslora=True, dora=True),
        "gradient_checkpointing": True,
        "optimizer": "paged_adamw_8bit",
        "patience": 2,
        "epochs": 3,
    },
}


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model."""
    return write_base(tmp_path_factory.mktemp("base"))


def _pairs(base_dir: Path) -> tuple[Prepared, Prepared]:
    """Questions without passages, so short that three fit into a sequence."""
    tokenizer = open_tokenizer(base_dir / "model")[0]

    def pair(i: int) -> TrainingPair:
        prompt = [{"role": "user", "content": f"What does the {PLANTS[i]} like?"}]
        answer = [{"role": "assistant", "content": f"{sentence(i)} [1]"}]
        ids = tokenizer.apply_chat_template(prompt + answer, return_dict=True)["input_ids"]
        return TrainingPair(f"train{i}", prompt, answer, len(ids))

    pairs = tuple(pair(i) for i in range(8))
    return Prepared(pairs, ()), Prepared(pairs[:2], ())


def _tune(base_dir: Path, work_dir: Path, **changes: Any) -> Tuned:
    config = train_config(**changes)
    train, validation = _pairs(base_dir)
    return tune(base_dir, train=train, validation=validation, config=config, work_dir=work_dir)


def _step(folder: Path) -> int:
    number = folder.name.removeprefix("checkpoint-")
    return int(number) if number.isdigit() else 10**9


def _saved(tuned: Tuned, base_dir: Path, folder: Path) -> dict[str, str]:
    names = save_adapter(tuned, folder, info=read_info(base_dir))
    return {name: sha256_file(folder / name) for name in names}


def _trainer(base_dir: Path, work_dir: Path, **changes: Any) -> Any:
    """A trainer as `tune` makes it, before it trains."""
    config = train_config(**changes)
    train, validation = _pairs(base_dir)
    with reproducible(seed=5, threads=1):
        model, tokenizer, info = load_base(base_dir)
        return make_trainer(
            with_adapters(model, config),
            tokenizer,
            arguments=training_arguments(
                config,
                make_plan(config, pairs=8),
                work_dir=work_dir,
                max_length=info.max_length,
                device="cpu",
                evaluate=True,
            ),
            train=train.pairs,
            validation=validation.pairs,
        )


@pytest.mark.parametrize("name", SWITCHES)
def test_training_goes_on_where_it_stopped(name: str, base_dir: Path, tmp_path: Path) -> None:
    """From the first checkpoint on: the same adapter and the same history."""
    whole = _tune(base_dir, tmp_path / "one" / "key", **SWITCHES[name])
    first = sorted((tmp_path / "one" / "key").glob("checkpoint-*"), key=lambda p: int(p.name[11:]))[
        0
    ]
    shutil.copytree(first, tmp_path / "two" / "key" / first.name)
    resumed = _tune(base_dir, tmp_path / "two" / "key", **SWITCHES[name])
    assert f"going on from {first.name}" in resumed.notes
    assert resumed.history == whole.history
    kept = _saved(whole, base_dir, tmp_path / "a")
    assert _saved(resumed, base_dir, tmp_path / "b") == kept


@pytest.mark.parametrize("name", ["plus", "rslora", "dora", "packing"])
def test_each_switch_changes_what_is_learned(name: str, base_dir: Path, tmp_path: Path) -> None:
    """A switch that did nothing would pass every other test."""
    shared = {"gradient_accumulation": 1}
    plain = _tune(base_dir, tmp_path / "plain", **shared)
    other = _tune(base_dir, tmp_path / "other", **(shared | SWITCHES[name]))
    weights = "adapter_model.safetensors"
    assert (
        _saved(plain, base_dir, tmp_path / "a")[weights]
        != _saved(other, base_dir, tmp_path / "b")[weights]
    )


def test_b_matrices_learn_faster(base_dir: Path, tmp_path: Path) -> None:
    """Eight times the rate for B, the configured one for A; weight decay for both."""
    trainer = _trainer(base_dir, tmp_path, lora=lora_section(plus_ratio=8.0), weight_decay=0.01)
    set_plus_rate(trainer, train_config(lora=lora_section(plus_ratio=8.0), weight_decay=0.01))
    names = {id(p): name for name, p in trainer.model.named_parameters()}
    rates = {
        names[id(p)].split(".")[-3]: (round(group["lr"], 9), group["weight_decay"])
        for group in trainer.optimizer.param_groups
        for p in group["params"]
    }
    assert rates == {"lora_A": (1e-3, 0.01), "lora_B": (8e-3, 0.01)}


def test_scale_of_rslora_is_that_of_the_root(base_dir: Path, tmp_path: Path) -> None:
    """alpha 8, rank 4: 8 / 2 instead of 8 / 4."""
    layer = "base_model.model.model.layers.0.self_attn.q_proj"
    scales = [
        _trainer(base_dir, tmp_path, lora=lora_section(rslora=on)).model.get_submodule(layer)
        for on in (False, True)
    ]
    assert [module.scaling["default"] for module in scales] == [2.0, 4.0]


def test_dora_begins_as_the_base_also_where_weights_are_zero(base_dir: Path) -> None:
    """A row of zeros has no direction to divide by: logits are numbers, and those of the base."""
    import torch

    ids_1T = torch.arange(5, 25)[None]
    model, _, _ = load_base(base_dir)
    with torch.no_grad():
        expected = model(input_ids=ids_1T).logits
        adapted = with_adapters(model, train_config(lora=lora_section(dora=True, dropout=0.0)))
        found = adapted.train()(input_ids=ids_1T)
    rows = [
        int((magnitude.weight == 0).sum())
        for module in adapted.modules()
        for magnitude in getattr(module, "lora_magnitude_vector", {}).values()
    ]
    assert sum(rows) > 0, "the tiny model has rows of zeros"
    torch.testing.assert_close(found.logits, expected, atol=1e-4, rtol=1e-4)


def _loss_sum(trainer: Any) -> tuple[float, int]:
    """Sum of the losses of all answer tokens, and their number."""
    import torch

    total, tokens = 0.0, 0
    trainer.model.eval()
    with torch.no_grad():
        for row in trainer.train_dataset:
            batch = trainer.data_collator([row])
            labels = batch.pop("labels")[0, 1:]
            logits = trainer.model(**batch, use_cache=False).logits[0, :-1]
            total += torch.nn.functional.cross_entropy(logits, labels, reduction="sum").item()
            tokens += int((labels != -100).sum())
    return total, tokens


def test_packed_pairs_have_the_loss_that_they_have_alone(base_dir: Path, tmp_path: Path) -> None:
    """Without flash attention: the mask keeps them apart, positions begin anew."""
    alone = _trainer(base_dir, tmp_path / "a")
    packed = _trainer(base_dir, tmp_path / "b", **PACKED)
    assert len(packed.train_dataset) < len(alone.train_dataset) == 8
    (expected, tokens), (found, same) = _loss_sum(alone), _loss_sum(packed)
    assert same == tokens
    assert found == pytest.approx(expected, rel=1e-5)
    check_apart(packed)


def test_steps_are_counted_in_packed_sequences(base_dir: Path, tmp_path: Path) -> None:
    """As many as TRL makes of the same pairs."""
    train, _ = _pairs(base_dir)
    packed = _trainer(base_dir, tmp_path, **PACKED)
    count = count_sequences(train.pairs, max_length=480, packing=True)
    assert count == len(packed.train_dataset)
    assert count_sequences(train.pairs, max_length=480, packing=False) == 8
    tuned = _tune(base_dir, tmp_path / "work", **PACKED, epochs=2, max_steps=None)
    assert tuned.history[-1]["step"] == 2 * count


def test_model_that_lets_packed_pairs_see_one_another_is_refused(
    base_dir: Path, tmp_path: Path
) -> None:
    """One that is told of no positions makes a plain causal mask."""
    trainer = _trainer(base_dir, tmp_path, **PACKED)
    model = trainer.model
    forward = model.forward
    model.forward = lambda *args, position_ids=None, **more: forward(*args, **more)
    with pytest.raises(ConfigError, match=r"packing=true.*LlamaForCausalLM lets the pairs"):
        check_apart(trainer)


def test_patience_keeps_the_best_look_and_stops(base_dir: Path, tmp_path: Path) -> None:
    """The last row's perplexity is that of the lowest validation loss, not of the last."""
    tuned = _tune(base_dir, tmp_path, **SWITCHES["patience"])
    losses = [row["eval_loss"] for row in tuned.history if "eval_loss" in row]
    assert len(losses) < 10, "twenty steps would be ten looks"
    assert losses[-1] > losses[-2] == min(losses)
    assert math.log(tuned.history[-1]["perplexity"]) == pytest.approx(min(losses), rel=1e-3)


def test_patience_looks_once_more_at_the_end(base_dir: Path, tmp_path: Path) -> None:
    """Steps 2 and 3: also the last step's weights may be the best."""
    tuned = _tune(base_dir, tmp_path, patience=5, max_steps=3)
    assert [row["step"] for row in tuned.history if "eval_loss" in row] == [2, 3]


def test_training_killed_after_it_stopped_does_not_go_on(base_dir: Path, tmp_path: Path) -> None:
    """The step at which patience ended has no checkpoint to train on from."""
    work_dir = tmp_path / "key"
    whole = _tune(base_dir, work_dir, **SWITCHES["patience"])
    again = _tune(base_dir, work_dir, **SWITCHES["patience"])
    assert again.history == whole.history
    assert _saved(again, base_dir, tmp_path / "a") == _saved(whole, base_dir, tmp_path / "b")


def test_patience_without_validation_pairs_is_an_error(base_dir: Path, tmp_path: Path) -> None:
    """The message says where pairs would come from."""
    config = train_config(patience=2)
    train, _ = _pairs(base_dir)
    with pytest.raises(ConfigError, match=r"train\.patience=2.*eval_pairs"):
        tune(base_dir, train=train, validation=Prepared((), ()), config=config, work_dir=tmp_path)


def test_perplexity_is_that_of_the_answers(base_dir: Path, tmp_path: Path) -> None:
    """exp of the mean loss over all answer tokens, here from the trainer's own labels."""
    trainer = _trainer(base_dir, tmp_path, lora=STILL)
    trainer.train_dataset = trainer.eval_dataset
    total, tokens = _loss_sum(trainer)
    found = perplexity(trainer.model, trainer.eval_dataset)
    assert found == pytest.approx(math.exp(total / tokens), rel=1e-5)


def test_history_tells_perplexity_before_and_after(base_dir: Path, tmp_path: Path) -> None:
    """Before: an adapter that changes nothing. After: lower, in the last row."""
    tuned = _tune(base_dir, tmp_path, max_steps=8, epochs=2, learning_rate=0.01)
    told = {row["step"]: row["perplexity"] for row in tuned.history if "perplexity" in row}
    assert list(told) == [0, 8]
    assert told[8] < told[0]
    assert set(tuned.history[0]) == {"step", "perplexity"}

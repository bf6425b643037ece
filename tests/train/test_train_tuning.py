"""Training the adapter: reproducible, interrupted and not, without pickle."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_base import DOMAIN, make_chunks, make_questions, train_config, write_base
from tiny_index import WORDS, index_of

from groundwork.artifacts import sha256_file
from groundwork.base import open_tokenizer, read_info, reproducible
from groundwork.errors import ConfigError
from groundwork.train import Prepared, Settings, Tuned, prepare_pairs, save_adapter, tune
from groundwork.train.checkpoint import newest_checkpoint, pack, unpack
from groundwork.train.config import TrainConfig
from groundwork.train.tuning import COLUMNS, history_rows

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model."""
    return write_base(tmp_path_factory.mktemp("base"))


def _pairs(base_dir: Path, config: TrainConfig) -> tuple[Prepared, Prepared]:
    tokenizer, _ = open_tokenizer(base_dir / "model")
    settings = Settings(config, DOMAIN, read_info(base_dir).max_length, extracts=0)
    train, validation = (
        prepare_pairs(
            questions,
            index_of(tuple(make_chunks())),
            encoder=WORDS,
            tokenizer=tokenizer,
            settings=settings,
        )
        for questions in (make_questions(), make_questions("validation", range(2)))
    )
    return train, validation


def _tune(base_dir: Path, work_dir: Path, **changes: Any) -> Tuned:
    config = train_config(**changes)
    train, validation = _pairs(base_dir, config)
    return tune(base_dir, train=train, validation=validation, config=config, work_dir=work_dir)


def _saved(tuned: Tuned, base_dir: Path, folder: Path) -> dict[str, str]:
    names = save_adapter(tuned, folder, info=read_info(base_dir))
    return {name: sha256_file(folder / name) for name in names}


@pytest.fixture(scope="module")
def whole(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tuned, Path]:
    """An uninterrupted training and its work folder."""
    work_dir = tmp_path_factory.mktemp("whole") / "key"
    return _tune(base_dir, work_dir), work_dir


def test_history_holds_what_was_logged(whole: tuple[Tuned, Path]) -> None:
    """Loss, rate, gradient, entropy and validation loss; nothing of the clock."""
    history = whole[0].history
    assert [row["step"] for row in history] == [0, 2, 4]
    assert set(history[1]) == {
        "step",
        "epoch",
        "loss",
        "learning_rate",
        "grad_norm",
        "entropy",
        "eval_loss",
    }
    assert [set(row) for row in whole[0].speed] == [{"step", "tokens_per_s", "peak_memory_mb"}] * 2


def test_only_the_adapter_is_trained(whole: tuple[Tuned, Path], base_dir: Path) -> None:
    """Rank 4 on two 64-wide layers' q and v: 2 x 2 x 4 x (64 + 64) numbers, in float32."""
    import torch

    tuned = whole[0]
    assert tuned.trainable == 2 * 2 * 4 * 128
    assert tuned.total == read_info(base_dir).parameters + tuned.trainable
    kinds = {p.dtype for p in tuned.model.parameters() if p.requires_grad}
    assert kinds == {torch.float32}


def test_loss_is_of_the_answer_alone(base_dir: Path, tmp_path: Path) -> None:
    """TRL masks the prompt: only the answer's tokens and the end have labels."""
    from groundwork.base import load_base
    from groundwork.train.trl import make_plan, make_trainer, training_arguments, with_adapters

    config = train_config()
    train, _ = _pairs(base_dir, config)
    with reproducible(seed=5, threads=1):
        model, tokenizer, info = load_base(base_dir)
        trainer = make_trainer(
            with_adapters(model, config),
            tokenizer,
            arguments=training_arguments(
                config,
                make_plan(config, pairs=8),
                work_dir=tmp_path,
                max_length=info.max_length,
                device="cpu",
                evaluate=False,
            ),
            train=train.pairs,
            validation=(),
        )
    row = trainer.train_dataset[0]
    learned = [i for i, label in zip(row["input_ids"], row["labels"], strict=True) if label != -100]
    answer = train.pairs[0].completion[0]["content"]
    assert tokenizer.decode(learned).strip() == f"{answer}<|end|>"
    assert len(row["input_ids"]) == train.pairs[0].tokens


def test_same_inputs_give_the_same_bytes(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """Adapter and history, dropout included; another seed gives others."""
    first = _saved(whole[0], base_dir, tmp_path / "a")
    again = _tune(base_dir, tmp_path / "work")
    assert _saved(again, base_dir, tmp_path / "b") == first
    assert again.history == whole[0].history
    other = _tune(base_dir, tmp_path / "other", seed=6)
    weights = "adapter_model.safetensors"
    assert _saved(other, base_dir, tmp_path / "c")[weights] != first[weights]


def test_adapter_names_no_path_and_is_sorted(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """Nothing of this machine reaches the artifact."""
    _saved(whole[0], base_dir, tmp_path)
    text = (tmp_path / "adapter_config.json").read_text()
    assert str(base_dir) not in text
    settings = json.loads(text)
    assert settings["base_model_name_or_path"] == "embedded"
    assert settings["target_modules"] == ["q_proj", "v_proj"]


def test_checkpoints_hold_no_pickle(whole: tuple[Tuned, Path]) -> None:
    """Two are kept, each safetensors, JSON and a manifest."""
    folders = sorted(p.name for p in whole[1].iterdir())
    assert folders == ["checkpoint-2", "checkpoint-4"]
    kinds = {path.suffix for path in whole[1].rglob("*") if path.is_file()}
    assert kinds == {".json", ".safetensors"}


def test_training_goes_on_where_it_stopped(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """From step 2 on: the same adapter and the whole history, and a note says so."""
    shutil.copytree(whole[1] / "checkpoint-2", tmp_path / "key" / "checkpoint-2")
    resumed = _tune(base_dir, tmp_path / "key")
    first = _saved(whole[0], base_dir, tmp_path / "a")
    assert _saved(resumed, base_dir, tmp_path / "b") == first
    assert resumed.history == whole[0].history
    assert [row["step"] for row in resumed.speed] == [4]
    assert resumed.notes == ("going on from checkpoint-2",)


def test_training_that_was_at_its_end_takes_no_step_more(base_dir: Path, tmp_path: Path) -> None:
    """Killed after the last checkpoint, two of four steps into the epoch."""
    whole = _tune(base_dir, tmp_path / "key", max_steps=2)
    first = _saved(whole, base_dir, tmp_path / "a")
    again = _tune(base_dir, tmp_path / "key", max_steps=2)
    assert _saved(again, base_dir, tmp_path / "b") == first
    assert again.history == whole.history
    assert again.speed == []


def test_cut_off_checkpoint_is_not_used(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """The one before is; a damaged one is found by its manifest."""
    work_dir = Path(shutil.copytree(whole[1], tmp_path / "key"))
    with (work_dir / "checkpoint-4" / "state.safetensors").open("ab") as stream:
        stream.write(b"x")
    (work_dir / "checkpoint-9").mkdir()
    found = newest_checkpoint(work_dir)
    assert found == work_dir / "checkpoint-2"
    resumed = _tune(base_dir, work_dir)
    assert _saved(resumed, base_dir, tmp_path / "b") == _saved(whole[0], base_dir, tmp_path / "a")


def test_checkpoints_of_other_work_are_ignored_with_a_note(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """They lie beside, under another key."""
    shutil.copytree(whole[1], tmp_path / "another")
    tuned = _tune(base_dir, tmp_path / "key", max_steps=2)
    assert len(tuned.notes) == 1
    assert "2 checkpoints" in tuned.notes[0]
    assert "ignored" in tuned.notes[0]


def test_eight_bit_optimizer_and_recomputed_activations_work(
    base_dir: Path, tmp_path: Path
) -> None:
    """The large models' settings, also through a checkpoint, on a processor."""
    changes: dict[str, Any] = {"optimizer": "paged_adamw_8bit", "gradient_checkpointing": True}
    one = _tune(base_dir, tmp_path / "one", **changes)
    shutil.copytree(tmp_path / "one" / "checkpoint-2", tmp_path / "two" / "checkpoint-2")
    two = _tune(base_dir, tmp_path / "two", **changes)
    assert one.notes[0].startswith("train.optimizer=paged_adamw_8bit: no GPU")
    assert _saved(one, base_dir, tmp_path / "a") == _saved(two, base_dir, tmp_path / "b")


def test_packed_state_is_unpacked_alike() -> None:
    """Numbers as keys, tuples, arrays, tensors and nothing."""
    import numpy as np
    import torch

    value = {
        "state": {0: {"step": torch.tensor(3.0), "betas": (0.9, 0.99)}, 1: {}},
        "list": [1, None, "x", True],
        "array": np.array([1, 2], dtype=np.uint32),
        "number": np.float64(0.5),
    }
    tensors: dict[str, Any] = {}
    skeleton = json.loads(json.dumps(pack(value, tensors)))
    back = unpack(skeleton, tensors)
    assert back["state"][0]["betas"] == (0.9, 0.99)
    assert back["state"][0]["step"].item() == 3.0
    assert (back["state"][1], back["list"], back["number"]) == ({}, [1, None, "x", True], 0.5)
    assert back["array"].dtype == np.uint32
    assert back["array"].tolist() == [1, 2]


def test_loss_that_is_no_number_is_an_error() -> None:
    """Never smoothed over."""
    with pytest.raises(ConfigError, match="loss is nan at step 2"):
        history_rows([{"step": 2, "loss": float("nan")}], stage="train", columns=COLUMNS)


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {here!r}]
from test_train_tuning import _tune
if __name__ == "__main__":
    _tune(
        Path({base!r}),
        Path({work!r}),
        epochs=10,
        max_steps={steps},
        save_steps=2,
        eval_steps=40,
        processes={processes},
    )
"""


def begin_killable(base_dir: Path, work_dir: Path, **values: int) -> subprocess.Popen[bytes]:
    """A training in a process of its own that has written a checkpoint; `values` fill `KILLED`."""
    here = Path(__file__).parent
    script = work_dir.with_suffix(".py")
    script.write_text(
        KILLED.format(
            tests=str(here.parent), here=str(here), base=str(base_dir), work=str(work_dir), **values
        )
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    give_up = time.monotonic() + 300
    while newest_checkpoint(work_dir) is None:
        assert process.poll() is None, "the training ended before it could be killed"
        assert time.monotonic() < give_up
        time.sleep(0.05)
    return process


def test_killed_training_ends_with_the_same_bytes(base_dir: Path, tmp_path: Path) -> None:
    """A real process, killed without warning once it has a checkpoint."""
    work_dir = tmp_path / "killed"
    process = begin_killable(base_dir, work_dir, processes=1, steps=40)
    process.send_signal(signal.SIGKILL)
    process.wait()
    changes = {"epochs": 10, "max_steps": 40, "save_steps": 2, "eval_steps": 40}
    resumed = _tune(base_dir, work_dir, **changes)
    whole = _tune(base_dir, tmp_path / "whole", **changes)
    assert resumed.notes[0].startswith("going on from checkpoint-")
    assert resumed.history == whole.history
    assert _saved(resumed, base_dir, tmp_path / "a") == _saved(whole, base_dir, tmp_path / "b")

"""Preference tuning: ungrounded counterparts, a margin that rises, the same bytes after a kill."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from test_train_tuning import _pairs, _saved
from tiny_base import NEEDS, PLANTS, sentence, train_config, write_base

from groundwork.base import open_tokenizer
from groundwork.train import (
    Preferences,
    PreferenceSection,
    Prepared,
    TrainingPair,
    Tuned,
    make_preferences,
    tune,
)
from groundwork.train.checkpoint import newest_checkpoint
from groundwork.train.preferences import other_numbers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model."""
    return write_base(tmp_path_factory.mktemp("base"))


def _section(**changes: Any) -> PreferenceSection:
    section = PreferenceSection(
        enabled=True, beta=0.1, learning_rate=5e-3, max_steps=12, sft_weight=0.0
    )
    return replace(section, **changes)


def _tune(base_dir: Path, work_dir: Path, *, processes: int = 1, **changes: Any) -> Tuned:
    config = train_config(max_steps=2, preference=_section(**changes), processes=processes)
    train, validation = _pairs(base_dir, config)
    made = _preferences(base_dir, train)
    preferences = (made, replace(made, pairs=made.pairs[:3]))
    return tune(
        base_dir,
        train=train,
        validation=validation,
        config=config,
        work_dir=work_dir,
        preferences=preferences,
    )


def _preferences(base_dir: Path, part: Prepared, *, max_length: int = 480) -> Preferences:
    tokenizer, _ = open_tokenizer(base_dir / "model")
    return make_preferences(part, tokenizer=tokenizer, max_length=max_length, seed=5)


@pytest.fixture(scope="module")
def whole(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tuned, Path]:
    """An uninterrupted training with preferences, and its work folder."""
    work_dir = tmp_path_factory.mktemp("whole") / "key"
    return _tune(base_dir, work_dir), work_dir


def test_counterparts_are_not_in_the_prompt(base_dir: Path) -> None:
    """Sentences without numbers get another plant's answer, cited as the grounded one is."""
    train, _ = _pairs(base_dir, train_config())
    found = _preferences(base_dir, train)
    assert len(found.pairs) == len(train.pairs)
    assert found.rejects == ()
    for number, made in enumerate(found.pairs):
        assert made.kind == "near_miss"
        assert made.chosen[0]["content"].startswith(sentence(number))
        said, _, citation = made.rejected[0]["content"].rpartition(" ")
        assert said in {sentence(n) for n in range(8)} - {sentence(number)}
        assert said not in made.prompt[0]["content"]
        assert citation == made.chosen[0]["content"].rpartition(" ")[2]
    assert _preferences(base_dir, train) == found


def test_pairs_without_a_counterpart_are_counted(base_dir: Path) -> None:
    """A single answer has no other; an answer that is too long beside its prompt is none."""
    train, _ = _pairs(base_dir, train_config())
    alone = _preferences(base_dir, replace(train, pairs=train.pairs[:1]))
    assert [(r.key, r.reason) for r in alone.rejects] == [("train0:preference", "no_counterpart")]
    short = _preferences(base_dir, train, max_length=max(p.tokens for p in train.pairs) - 1)
    assert {r.reason for r in short.rejects} == {"too_long"}
    assert len(short.rejects) + len(short.pairs) == len(train.pairs)


@pytest.mark.parametrize(
    "text",
    [
        "It takes 7.4 kW for 8 hours [2].",
        "The fee of 1,250 euros rises by 0.35 a year [1].",
        "CCS2 and 3-pin plugs: 0 or 1 [3].",
    ],
)
def test_every_number_changes_and_nothing_else(text: str) -> None:
    """Names and citations stay, and so does the form of the numbers."""
    import re

    for seed in range(20):
        changed = other_numbers(text, random.Random(seed))
        assert re.sub(r"\d+", "#", changed) == re.sub(r"\d+", "#", text)
        before, after = (re.findall(r"[\d.,]*\d", part) for part in (text, changed))
        kept = [one for one, other in zip(before, after, strict=True) if one == other]
        assert [one for one in kept if one not in ("1", "2", "3")] == []
        assert changed[-4:] == text[-4:]
    assert other_numbers("No number but CCS2 [1].", random.Random(1)) == ""


def test_answers_with_numbers_get_other_ones(base_dir: Path) -> None:
    """Of forty about half do."""
    train, _ = _pairs(base_dir, train_config())
    first = train.pairs[0]
    pairs = tuple(
        TrainingPair(
            f"q{n}",
            first.prompt,
            [{"role": "assistant", "content": f"{PLANTS[n % 8]} {NEEDS[n % 8]} {n + 2} m [1]"}],
            100,
        )
        for n in range(40)
    )
    kinds = [p.kind for p in _preferences(base_dir, Prepared(pairs, ())).pairs]
    assert 10 <= kinds.count("numbers") <= 30
    assert kinds.count("numbers") + kinds.count("near_miss") == 40


def test_margin_rises(whole: tuple[Tuned, Path]) -> None:
    """The grounded answers gain on the others, in training and in looks at what is watched."""
    rows = [row for row in whole[0].history if "reward_margin" in row]
    assert [row["step"] for row in rows] == [4, 6, 8, 10, 12, 14]
    assert rows[-1]["reward_margin"] > rows[0]["reward_margin"] + 0.05
    assert rows[-1]["eval_reward_margin"] > 0
    assert rows[-1]["preference_loss"] < rows[0]["preference_loss"]
    assert rows[-1]["reward_accuracy"] > 0.7
    assert "loss" in whole[0].history[1]


def test_two_processes_tune_together(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """The margin rises as in one."""
    tuned = _tune(base_dir, tmp_path / "key", processes=2)
    rows = [row for row in tuned.history if "reward_margin" in row]
    assert [set(row) for row in tuned.history] == [set(row) for row in whole[0].history]
    assert rows[-1]["reward_margin"] > 0.1


def test_only_the_adapter_is_left(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """The reference goes, and what is saved is of the same form as without preferences."""
    assert list(whole[0].model.peft_config) == ["default"]
    assert whole[0].trainable == 2 * 2 * 4 * 128
    kinds = {path.suffix for path in whole[1].rglob("*") if path.is_file()}
    assert kinds == {".json", ".safetensors"}
    config = train_config(max_steps=2)
    train, validation = _pairs(base_dir, config)
    plain = tune(
        base_dir, train=train, validation=validation, config=config, work_dir=tmp_path / "plain"
    )
    with_them, without = (
        _saved(tuned, base_dir, tmp_path / name) for tuned, name in ((whole[0], "a"), (plain, "b"))
    )
    assert with_them["adapter_config.json"] == without["adapter_config.json"]
    assert with_them["adapter_model.safetensors"] != without["adapter_model.safetensors"]


def test_tuning_begins_with_what_was_trained(base_dir: Path, tmp_path: Path) -> None:
    """At a rate of almost nought the weights are those of the training, not rounded to bfloat16."""
    from peft import get_peft_model_state_dict

    config = train_config(max_steps=2)
    train, validation = _pairs(base_dir, config)
    plain = tune(
        base_dir, train=train, validation=validation, config=config, work_dir=tmp_path / "plain"
    )
    still = _tune(base_dir, tmp_path / "still", learning_rate=1e-12, max_steps=2)
    one, other = (get_peft_model_state_dict(tuned.model) for tuned in (plain, still))
    assert max(float((one[key] - other[key]).abs().max()) for key in one) < 1e-9


def test_tuning_goes_on_where_it_stopped(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """From a checkpoint amid the preferences: the same bytes and the whole history."""
    work_dir = Path(shutil.copytree(whole[1], tmp_path / "key"))
    shutil.rmtree(work_dir / "preference" / "checkpoint-12")
    resumed = _tune(base_dir, work_dir)
    assert _saved(resumed, base_dir, tmp_path / "b") == _saved(whole[0], base_dir, tmp_path / "a")
    assert resumed.history == whole[0].history


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {here!r}]
from test_train_preferences import _tune
_tune(Path({base!r}), Path({work!r}), max_steps=16)
"""


def test_killed_tuning_ends_with_the_same_bytes(base_dir: Path, tmp_path: Path) -> None:
    """A real process, killed without warning once the preferences have a checkpoint."""
    here = Path(__file__).parent
    work_dir = tmp_path / "killed"
    script = KILLED.format(
        tests=str(here.parent), here=str(here), base=str(base_dir), work=str(work_dir)
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    give_up = time.monotonic() + 300
    while newest_checkpoint(work_dir / "preference") is None:
        assert process.poll() is None, "the tuning ended before it could be killed"
        assert time.monotonic() < give_up
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert newest_checkpoint(work_dir / "preference") != work_dir / "preference/checkpoint-16"
    resumed, whole = (
        _tune(base_dir, folder, max_steps=16) for folder in (work_dir, tmp_path / "whole")
    )
    assert resumed.history == whole.history
    assert _saved(resumed, base_dir, tmp_path / "a") == _saved(whole, base_dir, tmp_path / "b")

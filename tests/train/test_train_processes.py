"""One training in two processes: it learns what one process learns, and always the same bytes."""

import os
import shutil
import signal
from pathlib import Path

import psutil
import pytest
from test_train_tuning import _saved, _tune, begin_killable
from tiny_base import lora_section, write_base

from groundwork.errors import ConfigError, EngineError
from groundwork.train import Tuned, adapter_tensors
from groundwork.train.processes import companions, is_first

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model."""
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def whole(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tuned, Path]:
    """An uninterrupted training of two processes, and its work folder."""
    work_dir = tmp_path_factory.mktemp("whole") / "key"
    return _tune(base_dir, work_dir, processes=2), work_dir


def test_two_processes_learn_what_one_does(base_dir: Path, tmp_path: Path) -> None:
    """Without dropout the steps have the same pairs and differ by rounding alone."""
    import torch

    still = lora_section(dropout=0.0)
    one = _tune(base_dir, tmp_path / "one", lora=still)
    two = _tune(base_dir, tmp_path / "two", lora=still, processes=2)
    before = _tune(base_dir, tmp_path / "less", lora=still, max_steps=1)
    expected, found, first = (adapter_tensors(t.model) for t in (one, two, before))
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, atol=1e-5, rtol=1e-3)
    assert any((first[name] - expected[name]).abs().max() > 1e-4 for name in expected)
    for row, other in zip(one.history, two.history, strict=True):
        assert other == pytest.approx(row, rel=1e-3)


def test_same_inputs_give_the_same_bytes(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """Adapter and history, each process with its own dropout."""
    again = _tune(base_dir, tmp_path / "work", processes=2)
    assert _saved(again, base_dir, tmp_path / "a") == _saved(whole[0], base_dir, tmp_path / "b")
    assert again.history == whole[0].history


def test_shared_out_base_gives_the_same_bytes(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """Each process holds half of the frozen layers (FSDP); with checkpoints, looks and the end."""
    sharded = _tune(base_dir, tmp_path / "key", processes=2, sharded=True)
    held = [p for p in sharded.model.parameters() if hasattr(p, "to_local")]
    assert held
    assert all(2 * p.to_local().numel() == p.numel() for p in held)
    assert _saved(sharded, base_dir, tmp_path / "a") == _saved(whole[0], base_dir, tmp_path / "b")
    assert sharded.history == whole[0].history


def test_sharing_takes_two(base_dir: Path, tmp_path: Path) -> None:
    """A model that nobody shares is whole."""
    with pytest.raises(ConfigError, match=r"train\.sharded=true.*train\.processes=1"):
        _tune(base_dir, tmp_path / "key", sharded=True)


def test_training_goes_on_where_it_stopped(
    whole: tuple[Tuned, Path], base_dir: Path, tmp_path: Path
) -> None:
    """Each process takes its own generators from the checkpoint."""
    shutil.copytree(whole[1] / "checkpoint-2", tmp_path / "key" / "checkpoint-2")
    names = {path.name for path in (tmp_path / "key" / "checkpoint-2").iterdir()}
    assert {"generators-0.safetensors", "generators-1.safetensors"} < names
    resumed = _tune(base_dir, tmp_path / "key", processes=2)
    assert _saved(resumed, base_dir, tmp_path / "a") == _saved(whole[0], base_dir, tmp_path / "b")
    assert resumed.history == whole[0].history


def test_killed_training_leaves_no_process_and_ends_with_the_same_bytes(
    base_dir: Path, tmp_path: Path
) -> None:
    """The first of two is killed without warning; the other ends by itself."""
    work_dir = tmp_path / "killed"
    changes = {"epochs": 10, "max_steps": 12, "save_steps": 2, "eval_steps": 40, "processes": 2}
    process = begin_killable(base_dir, work_dir, processes=2, steps=12)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert psutil.wait_procs(children, timeout=30)[1] == []
    resumed = _tune(base_dir, work_dir, **changes)
    whole = _tune(base_dir, tmp_path / "whole", **changes)
    assert resumed.notes[0].startswith("going on from checkpoint-")
    assert _saved(resumed, base_dir, tmp_path / "a") == _saved(whole, base_dir, tmp_path / "b")


def test_best_look_is_kept(base_dir: Path, tmp_path: Path) -> None:
    """The first process writes it, both take it."""
    changes = {"patience": 1, "learning_rate": 0.5, "max_steps": 20, "epochs": 10}
    tuned = _tune(base_dir, tmp_path / "key", processes=2, **changes)
    steps = [row["step"] for row in tuned.history if "eval_loss" in row]
    assert steps[-1] < 20


def _end_too_early() -> None:
    import torch

    if not is_first():
        os._exit(3)
    torch.distributed.barrier()


def test_process_that_ends_too_early_is_told() -> None:
    """Not a wait of hours."""
    with (
        pytest.raises(EngineError, match=r"process 1 .* ended with 3.*train\.processes=1"),
        companions(_end_too_early, processes=2, threads=1),
    ):
        _end_too_early()
    assert "RANK" not in os.environ


def test_pairs_of_a_step_are_shared_evenly(base_dir: Path, tmp_path: Path) -> None:
    """Three processes cannot share two forward passes."""
    with pytest.raises(ConfigError, match=r"train\.processes=3.*gradient_accumulation=2"):
        _tune(base_dir, tmp_path / "key", processes=3)

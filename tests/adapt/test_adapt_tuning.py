"""Training the encoder's adapter: it learns, it is reproducible, and bad input is named."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_base import make_chunks, make_questions
from tiny_encoder import adapt_config, write_encoder

from groundwork.adapt import (
    Adapted,
    Pair,
    Watched,
    adapt_encoder,
    answered,
    make_pairs,
    save_encoder_adapter,
    tuning,
    watch,
)
from groundwork.adapt.looks import evaluator, mean_ndcg
from groundwork.adapt.trainer import (
    load_quantised,
    make_plan,
    make_trainer,
    training_arguments,
)
from groundwork.artifacts import read_json, sha256_file
from groundwork.errors import ConfigError, InputError
from groundwork.index import ADAPTER, ADAPTER_CONFIG, ADAPTER_FILES, Encoder, embed_passages

pytestmark = pytest.mark.slow
CHUNKS = make_chunks()


@pytest.fixture(scope="module")
def encoder_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny encoder."""
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def _pairs(encoder_dir: Path, *, negatives: int = 0) -> list[Pair]:
    encoder = Encoder.load(encoder_dir)
    vectors_ND = embed_passages(CHUNKS, encoder)
    pairs, rejects = make_pairs(
        make_questions(), CHUNKS, encoder=encoder, vectors_ND=vectors_ND,
        negatives=negatives, ceiling=2.0,
    )  # fmt: skip
    assert rejects == []
    return pairs


def _watched(numbers: range = range(8)) -> Watched:
    kept, relevant, _ = answered(make_questions("validation", numbers), CHUNKS)
    return watch(kept, relevant, CHUNKS, passages=8)


def _adapt(encoder_dir: Path, work_dir: Path, *, negatives: int = 0, **changes: Any) -> Adapted:
    return adapt_encoder(
        encoder_dir,
        pairs=_pairs(encoder_dir, negatives=negatives),
        watched=_watched(),
        config=adapt_config(**changes),
        work_dir=work_dir,
    )


def _hashes(adapted: Adapted, folder: Path) -> dict[str, str]:
    return {name: sha256_file(folder / name) for name in save_encoder_adapter(adapted, folder)}


@pytest.fixture(scope="module")
def whole(encoder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Adapted, Path]:
    """An undisturbed training, and the folder of its adapter."""
    folder = tmp_path_factory.mktemp("whole")
    adapted = _adapt(encoder_dir, folder / "work" / "key")
    save_encoder_adapter(adapted, folder)
    return adapted, folder


def test_history_holds_losses_and_looks(whole: tuple[Adapted, Path]) -> None:
    """Every step's loss, a look every second one; nothing of the clock."""
    history = whole[0].history
    assert [row["step"] for row in history] == [1, 2, 3, 4]
    assert [row["step"] for row in history if "eval_ndcg_at_10" in row] == [2, 4]
    known = {"step", "epoch", "loss", "learning_rate", "grad_norm", "eval_ndcg_at_10"}
    assert set().union(*history) == known
    assert whole[0].steps == 4


def test_the_best_look_is_what_is_saved(encoder_dir: Path, whole: tuple[Adapted, Path]) -> None:
    """The saved adapter, merged as it serves, searches as well as the best look says."""
    adapted, folder = whole
    looks = {r["step"]: r["eval_ndcg_at_10"] for r in adapted.history if "eval_ndcg_at_10" in r}
    served = Encoder.load(encoder_dir, adapter_dir=folder)
    assert looks[adapted.best_step] == max(looks.values())
    assert mean_ndcg(served, _watched()) == max(looks.values())


def test_it_learns(encoder_dir: Path, tmp_path: Path) -> None:
    """Asked of each plant, it comes to find the next one's passage, as it was shown."""
    pairs, watched = _pairs(encoder_dir), _watched()
    shifted = [
        replace(pair, passage=other.passage)
        for pair, other in zip(pairs, [*pairs[1:], pairs[0]], strict=True)
    ]
    watched = replace(watched, relevant=(*watched.relevant[1:], watched.relevant[0]))
    config = adapt_config(max_steps=None, epochs=6, patience=9)
    adapted = adapt_encoder(
        encoder_dir, pairs=shifted, watched=watched, config=config, work_dir=tmp_path / "work"
    )
    save_encoder_adapter(adapted, tmp_path)
    before = mean_ndcg(Encoder.load(encoder_dir), watched)
    after = mean_ndcg(Encoder.load(encoder_dir, adapter_dir=tmp_path), watched)
    assert after > before + 0.1


def test_the_adapter_lies_in_pefts_layout(whole: tuple[Adapted, Path]) -> None:
    """Only the layers asked for, never the pooler, in float32; settings without paths."""
    from safetensors.torch import load_file

    tensors = load_file(whole[1] / ADAPTER)
    assert {name.split(".lora_")[0].rpartition(".")[2] for name in tensors} == {"query", "dense"}
    assert not any("pooler" in name for name in tensors)
    assert {str(tensor.dtype) for tensor in tensors.values()} == {"torch.float32"}
    settings = read_json(whole[1] / ADAPTER_CONFIG)
    assert (settings["r"], settings["lora_alpha"]) == (4, 8)
    assert settings["base_model_name_or_path"] == "all-MiniLM-L6-v2"
    assert str(whole[1]) not in (whole[1] / ADAPTER_CONFIG).read_text(encoding="utf-8")


def test_the_same_work_gives_the_same_bytes(
    encoder_dir: Path, whole: tuple[Adapted, Path], tmp_path: Path
) -> None:
    """In another folder, in a process that drew other numbers before; another seed differs."""
    import torch

    torch.rand(7)
    expected = {name: sha256_file(whole[1] / name) for name in ADAPTER_FILES}
    assert _hashes(_adapt(encoder_dir, tmp_path / "a"), tmp_path / "a1") == expected
    other = _hashes(_adapt(encoder_dir, tmp_path / "b", seed=6), tmp_path / "b1")
    assert other[ADAPTER] != expected[ADAPTER]


def test_a_killed_training_ends_with_the_same_bytes(
    encoder_dir: Path,
    whole: tuple[Adapted, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped in step 3, it goes on from checkpoint 2; nothing in the checkpoint is a pickle."""
    from transformers import TrainerCallback

    class Kill(TrainerCallback):
        def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 3:
                raise KeyboardInterrupt

    work_dir, keeper = tmp_path / "work" / "key", tuning.keeper
    with monkeypatch.context() as patched:

        def killing(work_dir: Path, config: Any) -> Any:
            found = keeper(work_dir, config)
            found.on_step_begin = Kill().on_step_begin
            return found

        patched.setattr(tuning, "keeper", killing)
        with pytest.raises(KeyboardInterrupt):
            _adapt(encoder_dir, work_dir)
    checkpoint_dir = work_dir / "checkpoint-2"
    assert {path.suffix for path in checkpoint_dir.iterdir()} == {".json", ".safetensors"}
    adapted = _adapt(encoder_dir, work_dir)
    assert adapted.notes == ("going on from checkpoint-2",)
    assert adapted.history == whole[0].history
    assert _hashes(adapted, tmp_path / "out")[ADAPTER] == sha256_file(whole[1] / ADAPTER)


def test_a_training_killed_after_its_last_checkpoint_takes_no_further_step(
    encoder_dir: Path, tmp_path: Path
) -> None:
    """The end may fall into the midst of an epoch; what is saved is what the last step left."""
    first = _adapt(encoder_dir, tmp_path / "work", max_steps=2)
    again = _adapt(encoder_dir, tmp_path / "work", max_steps=2)
    assert again.notes == ("going on from checkpoint-2",)
    assert (again.steps, again.history) == (2, first.history)
    assert _hashes(again, tmp_path / "b") == _hashes(first, tmp_path / "a")


def test_checkpoints_of_another_configuration_are_ignored_and_named(
    encoder_dir: Path, tmp_path: Path
) -> None:
    """They lie beside, under the key of their own work."""
    (tmp_path / "other" / "checkpoint-2").mkdir(parents=True)
    adapted = _adapt(encoder_dir, tmp_path / "key", max_steps=2)
    (note,) = adapted.notes
    assert note.startswith("1 checkpoints below")
    assert "configuration and were ignored" in note


def test_training_stops_when_looks_get_no_better(
    encoder_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a rate of next to nothing no look beats the first: two more, then it ends."""
    adapted = _adapt(
        encoder_dir, tmp_path / "work", learning_rate=1e-12, epochs=8, max_steps=16, patience=2
    )
    assert (adapted.best_step, adapted.steps) == (2, 6)


def test_hard_negatives_change_what_is_learned(
    encoder_dir: Path, whole: tuple[Adapted, Path], tmp_path: Path
) -> None:
    """They reach the loss."""
    adapted = _adapt(encoder_dir, tmp_path / "work", negatives=1)
    assert adapted.history[0]["loss"] > whole[0].history[0]["loss"]


def test_no_batch_holds_a_passage_twice(encoder_dir: Path, tmp_path: Path) -> None:
    """A passage that answers two questions of a batch would be its own negative."""
    seen: list[Sequence[str]] = []
    pairs = _pairs(encoder_dir)
    doubled = [*pairs, *(Pair(f"{p.question_id}b", f"{p.question}?", p.passage, ()) for p in pairs)]
    config = adapt_config(batch_size=4, max_steps=None)
    plan = make_plan(config, pairs=len(doubled))
    model = load_quantised(encoder_dir, config, bf16=False)
    arguments = training_arguments(config, plan, work_dir=tmp_path)
    look = evaluator(Encoder.load(encoder_dir), _watched(), config)
    trainer = make_trainer(model, arguments=arguments, pairs=doubled, evaluator=look, scale=20.0)
    for batch in trainer.get_train_dataloader().batch_sampler:
        seen.append([doubled[n].passage for n in batch])
    assert sum(map(len, seen)) == 16
    assert all(len(set(batch)) == len(batch) for batch in seen)


def test_missing_modules_are_named_with_those_that_exist(encoder_dir: Path, tmp_path: Path) -> None:
    """The key, what is missing, what the encoder has."""
    from groundwork.adapt.config import AdapterSection

    lora = AdapterSection(rank=4, alpha=8, dropout=0.0, target_modules=["query", "q_proj"])
    with pytest.raises(ConfigError, match=r"adapt.lora.target_modules=.*q_proj not in the encoder"):
        _adapt(encoder_dir, tmp_path, lora=lora)


def test_empty_splits_are_named(encoder_dir: Path, tmp_path: Path) -> None:
    """Neither nothing to learn from nor nothing to look at passes in silence."""
    nothing = Watched((), (), ())
    for name, pairs, watched in (("train", [], _watched()), ("validation", ["x"], nothing)):
        with pytest.raises(InputError, match=rf"artifacts/qa/{name}.jsonl.*at least one"):
            adapt_encoder(
                encoder_dir, pairs=pairs, watched=watched, config=adapt_config(), work_dir=tmp_path
            )


def test_steps_that_do_not_go_together_are_refused(encoder_dir: Path, tmp_path: Path) -> None:
    """A checkpoint between two looks would make a resumed run log otherwise."""
    with pytest.raises(ConfigError, match=r"adapt.save_steps=3.*adapt.eval_steps=2"):
        _adapt(encoder_dir, tmp_path, save_steps=3)


@pytest.mark.parametrize(
    ("pairs", "changes", "steps", "warmup"),
    [(635, {}, 20, 2), (635, {"epochs": 2}, 40, 4), (635, {"max_steps": 7}, 7, 1), (1, {}, 1, 1)],
)
def test_the_plan(pairs: int, changes: dict[str, Any], steps: int, warmup: int) -> None:
    """ceil(635 / 32) = 20 steps an epoch; a tenth of them warms up, rounded up."""
    config = adapt_config(**({"batch_size": 32, "max_steps": None} | changes))
    plan = make_plan(config, pairs=pairs)
    assert (plan.steps, plan.warmup_steps) == (steps, warmup)

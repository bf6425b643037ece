"""Training adapter and head: it learns, it is reproducible, and bad input is named."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_base import PLANTS, make_questions
from tiny_encoder import classify_config, write_encoder

from groundwork.adapt import AdapterSection, load_quantised
from groundwork.artifacts import sha256_file
from groundwork.classify import HEAD, Head, Learned, Utterance, learn, save_learned, tuning
from groundwork.classify.trainer import Plan, collate, make_learner, make_plan, schedule
from groundwork.errors import ConfigError, InputError
from groundwork.index import ADAPTER, ADAPTER_CONFIG

pytestmark = pytest.mark.slow
TREES = ("oak", "pine", "elm", "fir")
WORDS = ("like", "need", "want")
FILES = {f"adapter/{ADAPTER}", f"adapter/{ADAPTER_CONFIG}", HEAD, "words.jsonl"}


@pytest.fixture(scope="module")
def encoder_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny encoder."""
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def _texts() -> list[Utterance]:
    """Trees and other plants, each asked about in three ways."""
    found = []
    for question, plant in zip(make_questions(), PLANTS, strict=True):
        label = "trees" if plant in TREES else "herbs"
        found += [
            Utterance(f"{plant}{n}", question.question.replace("like", word), label)
            for n, word in enumerate(WORDS)
        ]
    return found


def _learn(encoder_dir: Path, work_dir: Path, **changes: Any) -> Learned:
    texts = _texts()
    return learn(
        encoder_dir,
        texts=[item for n, item in enumerate(texts) if n % 3],
        held=texts[::3],
        config=classify_config(**changes),
        work_dir=work_dir,
    )


def _hashes(learned: Learned, folder: Path) -> dict[str, str]:
    return {name: sha256_file(folder / name) for name in save_learned(learned, folder)}


@pytest.fixture(scope="module")
def whole(encoder_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Learned, Path]:
    """An undisturbed training, and the folder of what it wrote."""
    folder = tmp_path_factory.mktemp("whole")
    learned = _learn(encoder_dir, folder / "work" / "key")
    save_learned(learned, folder)
    return learned, folder


def test_history_holds_losses_and_looks(whole: tuple[Learned, Path]) -> None:
    """Every step's loss, a look every second one; nothing of the clock."""
    history = whole[0].history
    assert [row["step"] for row in history] == [1, 2, 3, 4]
    assert [row["step"] for row in history if tuning.LOOK in row] == [2, 4]
    known = {"step", "epoch", "loss", "learning_rate", "grad_norm", tuning.LOOK, "eval_accuracy"}
    assert set().union(*history) == known


def test_what_is_trained_is_what_serves(encoder_dir: Path) -> None:
    """The scores in training are those that a head of the same numbers gives the same vectors."""
    import torch

    config = classify_config(token_dropout=0.0)
    prototypes_CKD = np.random.default_rng(1).normal(size=(2, 3, 384)).astype(np.float32)
    quantised = load_quantised(encoder_dir, config, bf16=False, stage="classify")
    learner = make_learner(quantised, prototypes_CKD, config).eval()
    learner.bias.data += torch.arange(6.0).reshape(2, 3)
    rows = [{"ids": [2, 5, 6, 3], "label": 0}, {"ids": [2, 7, 3], "label": 1}]
    batch = collate(rows)
    with torch.no_grad():
        logits_BC = learner(**batch)["logits"].numpy()
        states_BTD = learner.encoder(batch["input_ids"], batch["attention_mask"])[0]
    mask_BT1 = batch["attention_mask"].unsqueeze(-1)
    mean_BD = ((states_BTD * mask_BT1).sum(1) / mask_BT1.sum(1)).numpy()
    unit_BD = mean_BD / np.linalg.norm(mean_BD, axis=1, keepdims=True)
    bias_CK = learner.bias.detach().numpy()
    head = Head(("a", "b"), prototypes_CKD, bias_CK, config.scale)
    assert logits_BC == pytest.approx(head.logits(unit_BD), abs=1e-4)


def test_it_learns(encoder_dir: Path, tmp_path: Path) -> None:
    """In twelve epochs it comes to tell trees from herbs in words that it was not shown."""
    changes = {"max_steps": None, "epochs": 12, "patience": 99, "learning_rate": 1e-3}
    learned = _learn(encoder_dir, tmp_path / "work", **changes)
    looks = [row[tuning.LOOK] for row in learned.history if tuning.LOOK in row]
    assert max(looks) > looks[0] + 0.05
    held = _texts()[::3]
    logits_BC = learned.ensemble.scores([item.text for item in held]).head_BC
    guessed = [learned.ensemble.head.labels[n] for n in logits_BC.argmax(axis=1)]
    assert guessed == [item.label for item in held]


def test_the_same_work_gives_the_same_bytes(
    encoder_dir: Path, whole: tuple[Learned, Path], tmp_path: Path
) -> None:
    """In another folder, in a process that drew other numbers before; another seed differs."""
    import torch

    torch.rand(7)
    expected = {name: sha256_file(whole[1] / name) for name in FILES}
    assert _hashes(_learn(encoder_dir, tmp_path / "a"), tmp_path / "a1") == expected
    other = _hashes(_learn(encoder_dir, tmp_path / "b", seed=6), tmp_path / "b1")
    assert other[f"adapter/{ADAPTER}"] != expected[f"adapter/{ADAPTER}"]
    assert other[HEAD] != expected[HEAD]


def test_a_killed_training_ends_with_the_same_bytes(
    encoder_dir: Path,
    whole: tuple[Learned, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped in step 3, it goes on from checkpoint 2; nothing in the checkpoint is a pickle."""
    work_dir, make = tmp_path / "work" / "key", tuning.keeper

    def killing(*arguments: Any, **options: Any) -> Any:
        found = make(*arguments, **options)

        def on_step_begin(args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step == 3:
                raise KeyboardInterrupt

        found.on_step_begin = on_step_begin
        return found

    with monkeypatch.context() as patched:
        patched.setattr(tuning, "keeper", killing)
        with pytest.raises(KeyboardInterrupt):
            _learn(encoder_dir, work_dir)
    checkpoint_dir = work_dir / "checkpoint-2"
    assert {path.suffix for path in checkpoint_dir.iterdir()} == {".json", ".safetensors"}
    learned = _learn(encoder_dir, work_dir)
    assert learned.notes == ("going on from checkpoint-2",)
    assert learned.history == whole[0].history
    assert _hashes(learned, tmp_path / "out") == {n: sha256_file(whole[1] / n) for n in FILES}


def test_a_training_killed_after_its_last_checkpoint_takes_no_further_step(
    encoder_dir: Path, tmp_path: Path
) -> None:
    """The end may fall into the midst of an epoch; what is saved is what the last step left."""
    first = _learn(encoder_dir, tmp_path / "work", max_steps=2)
    again = _learn(encoder_dir, tmp_path / "work", max_steps=2)
    assert again.notes == ("going on from checkpoint-2",)
    assert (again.steps, again.history) == (2, first.history)
    assert _hashes(again, tmp_path / "b") == _hashes(first, tmp_path / "a")


def test_checkpoints_of_another_configuration_are_ignored_and_named(
    encoder_dir: Path, tmp_path: Path
) -> None:
    """They lie beside, under the key of their own work."""
    (tmp_path / "other" / "checkpoint-2").mkdir(parents=True)
    (note,) = _learn(encoder_dir, tmp_path / "key", max_steps=2).notes
    assert "configuration and were ignored" in note


def test_without_averaging_the_last_weights_serve(
    encoder_dir: Path, whole: tuple[Learned, Path], tmp_path: Path
) -> None:
    """The running mean lags behind them."""
    last = _learn(encoder_dir, tmp_path / "work", averaging=0)
    assert last.history[0]["loss"] == whole[0].history[0]["loss"]
    assert (last.ensemble.head.prototypes_CKD != whole[0].ensemble.head.prototypes_CKD).any()


def test_missing_modules_are_named_with_those_that_exist(encoder_dir: Path, tmp_path: Path) -> None:
    """The key of this stage, what is missing, what the encoder has."""
    lora = AdapterSection(rank=4, alpha=8, dropout=0.0, target_modules=["query", "q_proj"])
    with pytest.raises(ConfigError, match=r"classify.lora.target_modules=.*q_proj not in"):
        _learn(encoder_dir, tmp_path, lora=lora)


def test_empty_splits_and_a_single_label_are_named(encoder_dir: Path, tmp_path: Path) -> None:
    """Neither passes in silence."""
    texts = _texts()
    alike = [replace(item, label="plants") for item in texts]
    for learned, held, message in (
        ([], texts, "no text to learn from"),
        (texts, [], "no text held out"),
        (alike, alike, "all 24 texts have the label 'plants'"),
    ):
        with pytest.raises(InputError, match=message):
            learn(
                encoder_dir, texts=learned, held=held, config=classify_config(), work_dir=tmp_path
            )


def test_steps_that_do_not_go_together_are_refused(encoder_dir: Path, tmp_path: Path) -> None:
    """A checkpoint between two looks would make a resumed run log otherwise."""
    with pytest.raises(ConfigError, match=r"classify.save_steps=3.*classify.eval_steps=2"):
        _learn(encoder_dir, tmp_path, save_steps=3)


def test_every_text_is_shown_in_every_epoch_beside_texts_of_like_length() -> None:
    """Two epochs of 64 texts in batches of 4: each text twice, a batch spans few lengths."""
    config = classify_config(batch_size=4, epochs=2, max_steps=None)
    plan = make_plan(config, texts=64)
    assert plan == Plan(32, 4, bf16=False)
    lengths = [n % 16 for n in range(64)]
    order = schedule(lengths, plan, config)
    assert sorted(order[:64]) == list(range(64))
    assert sorted(order) == sorted(2 * list(range(64)))
    batches = [order[at : at + 4] for at in range(0, 128, 4)]
    assert all(max(lengths[n] for n in b) - min(lengths[n] for n in b) <= 1 for b in batches)

"""Trains adapter and head, going on from a checkpoint when there is one of the same work.

In: texts to learn and texts held out. Out: the adapter and the head of the best look, and the
words beside them. The same seeds, data, configuration and processor type give the same bytes,
interrupted or not.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.adapt import keeper, load_quantised
from groundwork.base import reproducible
from groundwork.classify.calibration import likelihood
from groundwork.classify.config import ClassifyConfig
from groundwork.classify.ensemble import Ensemble
from groundwork.classify.head import HEAD as HEAD_FILE
from groundwork.classify.head import Head, save_head, starts
from groundwork.classify.trainer import (
    ADAPTER,
    HEAD,
    make_learner,
    make_plan,
    make_trainer,
    schedule,
    training_arguments,
)
from groundwork.classify.utterances import Utterance, some_of_each
from groundwork.classify.words import WORDS, fit_words, save_words
from groundwork.errors import InputError
from groundwork.index import Encoder, Lora
from groundwork.train import (
    BEST,
    history_rows,
    meter_class,
    notes_on_checkpoints,
    train_to_end,
    write_adapter,
)

START_TEXTS = 64
"""Texts of a label that its prototypes start from; training moves them anyway."""
LOOK = "eval_log_likelihood"
"""Mean over the labels' texts held out: unlike accuracy it also moves when nothing flips."""
COLUMNS = ("epoch", "loss", "learning_rate", "grad_norm", LOOK, "eval_accuracy")


@dataclass(frozen=True, slots=True)
class Learned:
    """A trained adapter and head."""

    model: Any
    """PEFT's model with the best look's matrices."""
    tensors: Mapping[str, Any]
    """The best look's: `adapter.*` and `head.*`."""
    ensemble: Ensemble
    history: list[dict[str, float]]
    best_step: int
    steps: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """Measures the model on texts held out, merged and in float32, as it would serve."""

    encoder: Encoder
    held: Sequence[Utterance]
    labels: tuple[str, ...]
    config: ClassifyConfig

    def __call__(self, learner: Any) -> dict[str, float]:
        encoder, head = self.served(learner.snapshot())
        logits_BC = head.logits(encoder.encode([item.text for item in self.held]))
        right_B = np.array([self.labels.index(str(item.label)) for item in self.held])
        accuracy = float((logits_BC.argmax(axis=1) == right_B).mean())
        return {
            LOOK: round(likelihood(logits_BC, right_B), 6),
            "eval_accuracy": round(accuracy, 6),
        }

    def served(self, tensors: Mapping[str, Any]) -> tuple[Encoder, Head]:
        """Encoder and head of a snapshot."""
        lora = {n.removeprefix(ADAPTER): t for n, t in tensors.items() if n.startswith(ADAPTER)}
        scale = self.config.lora.alpha / self.config.lora.rank
        prototypes_CKD, bias_CK = (tensors[HEAD + n].numpy() for n in ("prototypes", "bias"))
        head = Head(self.labels, prototypes_CKD, bias_CK, self.config.scale)
        return self.encoder.merged(Lora(lora, scale)), head


def learn(
    encoder_dir: Path,
    *,
    texts: Sequence[Utterance],
    held: Sequence[Utterance],
    config: ClassifyConfig,
    work_dir: Path,
) -> Learned:
    """Train on `texts`; checkpoints lie in `work_dir`.

    Labels of `held` that `texts` lacks must have been left out before. Raises: `InputError` when a
    split is empty or has a single label; `ConfigError` when a target module is missing.
    """
    _check(texts, held)
    encoder = Encoder.load(encoder_dir)
    names = [str(item.label) for item in texts]
    plan = make_plan(config, texts=len(texts))
    notes = notes_on_checkpoints(work_dir)
    if config.precision == "bf16" and not plan.bf16:
        notes = ["classify.precision=bf16: this processor has no bfloat16, so fp32 is used", *notes]
    with reproducible(seed=config.seed, threads=config.threads):
        labels, means_CKD = _starts(encoder, texts, config)
        quantised = load_quantised(encoder_dir, config, bf16=plan.bf16, stage="classify")
        learner = make_learner(quantised, means_CKD, config)
        ids = _tokens(encoder_dir, texts, config)
        rows = [
            {"ids": ids[n], "label": labels.index(names[n])}
            for n in schedule([len(i) for i in ids], plan, config)
        ]
        look = _Look(encoder, held, labels, config)
        arguments = training_arguments(config, plan, work_dir=work_dir)
        trainer = make_trainer(learner, arguments=arguments, rows=rows, look=look)
        trainer.add_callback(keeper(work_dir, config, look=LOOK, kept=lambda m: m.snapshot()))
        trainer.add_callback(meter_class()("classify: QLoRA"))
        train_to_end(trainer, work_dir)
        state = trainer.state
        if not any(e.get("step") == state.global_step and LOOK in e for e in state.log_history):
            trainer.evaluate()
        return _learned(learner, look, state, texts=texts, work_dir=work_dir, notes=notes)


def _starts(
    encoder: Encoder, texts: Sequence[Utterance], config: ClassifyConfig
) -> tuple[tuple[str, ...], np.ndarray]:
    """The labels in order, and where their prototypes start, (C, K, D)."""
    first = some_of_each(texts, START_TEXTS, seed=config.seed)
    return starts(
        encoder.encode([item.text for item in first]),
        [str(item.label) for item in first],
        prototypes=config.prototypes,
        seed=config.seed,
    )


def _learned(
    learner: Any,
    look: _Look,
    state: Any,
    *,
    texts: Sequence[Utterance],
    work_dir: Path,
    notes: Sequence[str],
) -> Learned:
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    history = history_rows(state.log_history, stage="classify", columns=COLUMNS)
    looks = {row["step"]: row[LOOK] for row in history if LOOK in row}
    best = load_file(work_dir / BEST)
    adapter = {n.removeprefix(ADAPTER): t for n, t in best.items() if n.startswith(ADAPTER)}
    set_peft_model_state_dict(learner.encoder, adapter)
    encoder, head = look.served(best)
    words = fit_words(
        [item.text for item in texts],
        [str(item.label) for item in texts],
        head.labels,
        seed=look.config.seed,
    )
    return Learned(
        model=learner.encoder,
        tensors=best,
        ensemble=Ensemble(encoder, head, words),
        history=history,
        best_step=int(max(looks, key=lambda step: (looks[step], -step))),
        steps=int(state.global_step),
        notes=tuple(notes),
    )


def save_learned(learned: Learned, folder: Path) -> list[str]:
    """Write all of it; return the names written."""
    names = write_adapter(
        learned.model, folder / "adapter", base_name="all-MiniLM-L6-v2", revision=None
    )
    save_head(folder, {n: learned.tensors[HEAD + n] for n in ("bias", "prototypes")})
    save_words(folder, learned.ensemble.words)
    return [*(f"adapter/{name}" for name in names), HEAD_FILE, WORDS]


def _tokens(
    encoder_dir: Path, texts: Sequence[Utterance], config: ClassifyConfig
) -> list[list[int]]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(encoder_dir / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(config.max_tokens)
    return [found.ids for found in tokenizer.encode_batch([item.text for item in texts])]


def _check(texts: Sequence[Utterance], held: Sequence[Utterance]) -> None:
    for name, found in (("to learn from", texts), ("held out", held)):
        if not found:
            raise InputError(
                f"classify: no text {name}; expected at least one of each label: add questions or "
                "utterances (domain.intents_path), or set classify.enabled=false"
            )
    counts = Counter(item.label for item in texts)
    if len(counts) < 2:
        raise InputError(
            f"classify: all {len(texts)} texts have the label {texts[0].label!r}; expected at "
            "least two labels, or classify.enabled=false"
        )
    unknown = sorted({str(item.label) for item in held} - {str(label) for label in counts})
    assert not unknown, f"held out without a text to learn from: {unknown[:3]}"

"""The embedded base model: a small Llama, pretrained on the documents in a fixed number of steps.

In: documents. Out: model and tokenizer. Nothing is downloaded, and no clock decides: the same
documents, configuration and processor type give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from groundwork.artifacts import write_bytes
from groundwork.base.config import BaseConfig
from groundwork.base.induction import HEADS, ROPE_THETA, initialise
from groundwork.base.mixture import Example, Mixture
from groundwork.base.reproducible import reproducible
from groundwork.base.tokens import train_tokenizer
from groundwork.errors import InputError
from groundwork.records import Document

LOSS_STEPS = 25
"""Steps whose mean loss is one row of the history."""
WARMUP = 0.05
CLIP = 1.0


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A pretrained model with its tokenizer and the losses on the way."""

    model: Any
    tokenizer: Any
    history: list[dict[str, float]]
    """Rows of `step` and `loss`: the mean since the row before."""


def build_embedded(documents: Sequence[Document], config: BaseConfig) -> EmbeddedModel:
    """Train a tokenizer and pretrain a model on `documents`.

    Raises: `InputError` when there are no documents with sentences.
    """
    if not documents:
        raise InputError("no documents: expected at least one; see artifacts/clean/rejects.jsonl")
    with reproducible(seed=config.seed, threads=config.threads):
        tokenizer = train_tokenizer(
            (f"{document.title}\n{document.text}" for document in documents),
            vocabulary=config.vocabulary,
            positions=config.positions,
        )
        mixture = Mixture(
            documents,
            encode=lambda text: list(tokenizer.encode(text, add_special_tokens=False)),
            vocabulary=len(tokenizer),
            config=config,
        )
        model = _new_model(tokenizer, config)
        history = _pretrain(model, mixture, config)
    return EmbeddedModel(model.eval(), tokenizer, history)


def _new_model(tokenizer: Any, config: BaseConfig) -> Any:
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=HEADS * config.head_size,
            intermediate_size=config.feed_forward,
            num_hidden_layers=config.layers,
            num_attention_heads=HEADS,
            num_key_value_heads=HEADS,
            max_position_embeddings=config.positions,
            rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
            tie_word_embeddings=False,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=None,
        )
    )
    model.generation_config = GenerationConfig(
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, do_sample=False
    )
    initialise(model, seed=config.seed)
    return model


def _pretrain(model: Any, mixture: Mixture, config: BaseConfig) -> list[dict[str, float]]:
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), config.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: _rate(s, config.steps))
    history: list[dict[str, float]] = []
    losses: list[float] = []
    batches = tqdm(mixture.batches(), total=config.steps, desc="base: pretraining", unit="step")
    for step, batch in enumerate(batches, start=1):
        loss = _loss(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if step % LOSS_STEPS == 0 or step == config.steps:
            history.append({"step": step, "loss": sum(losses) / len(losses)})
            losses.clear()
    return history


def _rate(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / (WARMUP * steps), (steps - step) / steps)


def _loss(model: Any, batch: Sequence[Example]) -> Any:
    """Weighted mean of the next-token losses; only tokens with a weight reach the wide head."""
    import torch

    ids_BT = torch.tensor([example.ids for example in batch])
    weights = torch.tensor([example.weights for example in batch])[:, 1:].flatten()
    wanted = weights > 0
    states = model.model(input_ids=ids_BT, use_cache=False).last_hidden_state[:, :-1]
    logits = model.lm_head(states.flatten(0, 1)[wanted])
    targets = ids_BT[:, 1:].flatten()[wanted]
    losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    return (losses * weights[wanted]).sum() / weights[wanted].sum()


def save_embedded(built: EmbeddedModel, folder: Path) -> list[str]:
    """Write weights (safetensors), configuration and tokenizer; return the names written."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    built.model.config.architectures = [type(built.model).__name__]
    built.model.config.save_pretrained(folder)
    built.model.generation_config.save_pretrained(folder)
    built.tokenizer.save_pretrained(folder)
    weights = {name: w.contiguous() for name, w in sorted(built.model.state_dict().items())}
    write_bytes(folder / "model.safetensors", save(weights, metadata={"format": "pt"}))
    return sorted(path.name for path in folder.iterdir())

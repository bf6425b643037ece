"""The one place that speaks sentence-transformers', PEFT's and transformers' argument names.

In: our configuration and pairs. Out: their objects: the encoder in 4-bit NF4 with LoRA matrices,
the loss, and a trainer whose checkpoints hold no pickle.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.adapt.config import AdaptConfig, Tunable
from groundwork.adapt.pairs import Pair
from groundwork.base import (
    device_type,
    keep_packing,
    older_names,
    quantization,
    quiet_loading,
)
from groundwork.errors import ConfigError
from groundwork.index import DIMENSION
from groundwork.train import without_pickle


@dataclass(frozen=True, slots=True)
class Plan:
    """How long the training is, and with which arithmetic."""

    steps: int
    warmup_steps: int
    bf16: bool


def make_plan(config: AdaptConfig, *, pairs: int) -> Plan:
    """Optimizer steps for that many pairs: `epochs`, but at most `max_steps`."""
    steps = max(1, math.ceil(math.ceil(pairs / config.batch_size) * config.epochs))
    steps = min(steps, config.max_steps or steps)
    return Plan(
        steps, math.ceil(config.warmup_ratio * steps), config.precision == "bf16" and has_bf16()
    )


def has_bf16() -> bool:
    """Whether the device computes in bfloat16; emulated, a step takes longer than in float32."""
    import torch

    if device_type() == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def load_quantised(folder: Path, config: Tunable, *, bf16: bool, stage: str = "adapt") -> Any:
    """The encoder in 4-bit NF4 with double quantisation, with adapters, mean pooling, unit length.

    The generators must be seeded before. Its own dropout is off: on a processor drawing the masks
    takes as long as everything else (a step of 32 passages 6.9 -> 4.4 s of processor time).
    Raises: `ConfigError` when a target module is not in the encoder.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    quiet_loading()
    device = device_type()
    transformer = Transformer(
        str(folder),
        max_seq_length=config.max_tokens,
        model_kwargs={
            "quantization_config": quantization(torch.bfloat16 if bf16 else torch.float32),
            "device_map": {"": device},
            "dtype": torch.float32,
            "attn_implementation": "eager",
            "local_files_only": True,
            "use_safetensors": True,
        },
        config_kwargs={"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0},
    )
    keep_packing(transformer.model)
    _check_targets(transformer.model, config, stage)
    transformer.model = _with_adapters(transformer.model, config)
    modules = [transformer, Pooling(DIMENSION, "mean"), Normalize()]
    return SentenceTransformer(modules=modules, device=device)


def _with_adapters(model: Any, config: Tunable) -> Any:
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(
        r=config.lora.rank,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        target_modules=sorted(config.lora.target_modules),
        exclude_modules="pooler.*",
        task_type="FEATURE_EXTRACTION",
    )
    with older_names():
        return get_peft_model(model, lora)


def _check_targets(model: Any, config: Tunable, stage: str) -> None:
    import torch

    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and not name.startswith("pooler")
    }
    missing = sorted(set(config.lora.target_modules) - linear)
    if missing:
        raise ConfigError(
            f"{stage}.lora.target_modules={config.lora.target_modules} in params.yaml: "
            f"{', '.join(missing)} not in the encoder; it has {', '.join(sorted(linear))}"
        )


def adapted_part(model: Any) -> Any:
    """PEFT's model inside sentence-transformers'."""
    return model[0].model


def training_arguments(config: AdaptConfig, plan: Plan, *, work_dir: Path) -> Any:
    """Their form of `adapt`. Raises: `ConfigError` on steps that do not go together."""
    from sentence_transformers import SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers

    return SentenceTransformerTrainingArguments(
        output_dir=str(work_dir),
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        **encoder_arguments(config, plan, stage="adapt"),
    )


def encoder_arguments(config: Tunable, plan: Plan, *, stage: str) -> dict[str, Any]:
    """What every training of the encoder tells transformers.

    Raises: `ConfigError` on steps that do not go together.
    """
    for name in ("logging_steps", "eval_steps"):
        if config.save_steps % getattr(config, name):
            raise ConfigError(
                f"{stage}.save_steps={config.save_steps} in params.yaml: expected a multiple of "
                f"{stage}.{name}={getattr(config, name)}, so that a resumed run logs alike"
            )
    device = device_type()
    return {
        "per_device_train_batch_size": config.batch_size,
        "max_steps": plan.steps,
        "learning_rate": config.learning_rate,
        "lr_scheduler_type": "linear",
        "warmup_steps": plan.warmup_steps,
        "optim": "adamw_torch",
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "logging_steps": config.logging_steps,
        "logging_nan_inf_filter": False,
        "eval_strategy": "steps",
        "eval_steps": config.eval_steps,
        "save_strategy": "steps",
        "save_steps": config.save_steps,
        "seed": config.seed,
        "data_seed": config.seed,
        "use_cpu": device == "cpu",
        "bf16": plan.bf16,
        "dataloader_pin_memory": device == "cuda",
        "disable_tqdm": True,
        "report_to": "none",
    }


def make_trainer(
    model: Any, *, arguments: Any, pairs: Sequence[Pair], evaluator: Any, scale: float
) -> Any:
    """A trainer of the contrastive loss over in-batch and hard negatives.

    The loss is the softmax over cosines (Henderson et al. 2017, arXiv:1705.00652, section 4).
    """
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar
    from sentence_transformers import SentenceTransformerTrainer
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from transformers import PrinterCallback

    disable_progress_bar()
    rows = [
        {"anchor": pair.question, "positive": pair.passage}
        | {f"negative_{n}": text for n, text in enumerate(pair.negatives, start=1)}
        for pair in pairs
    ]
    trainer = without_pickle(SentenceTransformerTrainer, adapted=adapted_part)(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(rows),
        loss=MultipleNegativesRankingLoss(model, scale=scale),
        evaluator=evaluator,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(SentenceTransformerTrainer.model_card_callback_class)
    return trainer

"""The sizes that memory and time of a model follow from, known before it is fetched or built.

In: the sections `model` and `base`. Out: its shape, from the configuration, from the recipe of the
embedded model, or from a `config.json` on this machine. Nothing is downloaded.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from groundwork.artifacts import read_json
from groundwork.base.config import BaseConfig
from groundwork.base.induction import HEADS
from groundwork.config import ModelConfig, ShapeConfig
from groundwork.errors import InputError


def model_shape(model: ModelConfig, base: BaseConfig) -> ShapeConfig:
    """Sizes of the configured base model.

    Raises: `InputError` when `model.shape` is null and no `config.json` lies on this machine.
    """
    if model.shape is not None:
        return model.shape
    if model.kind == "embedded":
        return ShapeConfig(
            layers=base.layers,
            hidden=HEADS * base.head_size,
            heads=HEADS,
            key_value_heads=HEADS,
            head_size=base.head_size,
            feed_forward=base.feed_forward,
            vocabulary=base.vocabulary,
            tied=False,
        )
    path = _config_path(model)
    try:
        return read_shape(read_json(path))
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: not the configuration of a Llama-like model ({error}); expected "
            "hidden_size, num_hidden_layers and the like: fill in model.shape"
        ) from error


def read_shape(config: Mapping[str, Any]) -> ShapeConfig:
    """Sizes in the words of transformers' `config.json`. Raises: `KeyError` on a missing one."""
    heads = config["num_attention_heads"]
    return ShapeConfig(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        heads=heads,
        key_value_heads=config.get("num_key_value_heads") or heads,
        head_size=config.get("head_dim") or config["hidden_size"] // heads,
        feed_forward=config["intermediate_size"],
        vocabulary=config["vocab_size"],
        tied=bool(config.get("tie_word_embeddings")),
    )


def _config_path(model: ModelConfig) -> Path:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    local = Path(model.hub_id or "") / "config.json"
    if model.hub_id and local.exists():
        return local
    try:
        found = try_to_load_from_cache(model.hub_id or "", "config.json", revision=model.revision)
    except HFValidationError:
        found = None
    if isinstance(found, str):
        return Path(found)
    raise InputError(
        f"model.shape is null in the configuration of {model.name!r}, and {model.hub_id} is not in "
        "the cache of this machine: fill in model.shape (its config.json has the numbers), or run "
        "stage `base` first"
    )

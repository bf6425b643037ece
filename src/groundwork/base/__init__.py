"""The base model: built from the documents, or taken from a hub and pinned."""

from groundwork.base.config import BaseConfig
from groundwork.base.embedded import EmbeddedModel, build_embedded, save_embedded
from groundwork.base.hub import find_files, resolve_hub
from groundwork.base.info import BaseInfo, describe, read_info, write_info
from groundwork.base.load import (
    compute_dtype,
    device_type,
    keep_packing,
    load_base,
    model_dir,
    older_names,
    open_tokenizer,
    quantization,
    quiet_loading,
)
from groundwork.base.reproducible import reproducible
from groundwork.base.shape import model_shape, read_shape

__all__ = [
    "BaseConfig",
    "BaseInfo",
    "EmbeddedModel",
    "build_embedded",
    "compute_dtype",
    "describe",
    "device_type",
    "find_files",
    "keep_packing",
    "load_base",
    "model_dir",
    "model_shape",
    "older_names",
    "open_tokenizer",
    "quantization",
    "quiet_loading",
    "read_info",
    "read_shape",
    "reproducible",
    "resolve_hub",
    "save_embedded",
    "write_info",
]

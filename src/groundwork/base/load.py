"""Loads a base model as it is trained and served: 4-bit NF4, never merged with an adapter.

In: the folder of `base.json`. Out: model and tokenizer. Checksums are compared before a weight is
read, and the one answer to a missing chat template or pad token is given here.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from logging import ERROR, getLogger
from pathlib import Path
from typing import Any

from groundwork.artifacts import sha256_file
from groundwork.base.hub import locate
from groundwork.base.info import MODEL, BaseInfo, read_info
from groundwork.base.tokens import CHAT_TEMPLATE
from groundwork.errors import ArtifactError, InputError


def device_type() -> str:
    """`cuda` when a GPU can be used, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def compute_dtype() -> Any:
    """Type of the arithmetic: bfloat16 on a GPU that has it, float16 on an older one.

    float32 on a processor: without AMX, bfloat16 took 2.2 times as long (256 wide, two cores).
    """
    import torch

    if device_type() == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def quantization(dtype: Any = None) -> Any:
    """NF4 with double quantisation (Dettmers et al. 2023, arXiv:2305.14314, section 3).

    `dtype` is that of the arithmetic, by default `compute_dtype`'s.
    """
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype or compute_dtype(),
    )


def model_dir(base_dir: Path) -> Path:
    """Folder with the files that `base.json` in `base_dir` names, each checked by its sha256.

    Raises: `ArtifactError` when one is missing or differs; `InputError` when a hub model cannot
    be had on this machine.
    """
    info = read_info(base_dir)
    folder = base_dir / MODEL if info.kind == "embedded" else locate(info.hub_id, info.revision)
    for file in info.files:
        _check(folder / file.name, file.sha256, info)
    return folder


def _check(path: Path, expected: str, info: BaseInfo) -> None:
    found = sha256_file(path) if path.exists() else "missing"
    if found == expected:
        return
    way_out = (
        "run `dvc checkout`, or `dvc repro --force --single-item base`"
        if info.kind == "embedded"
        else f"fetch {info.hub_id} {info.revision} again, or rebuild stage `base`"
    )
    raise ArtifactError(
        f"{path}: sha256 is {found[:12]}, base.json says {expected[:12]}: "
        f"the base model is not the one recorded; {way_out}"
    )


def open_tokenizer(folder: Path) -> tuple[Any, str]:
    """Tokenizer of the model in `folder`, and whether its chat template is `own` or `plain`.

    Without a pad token, padding uses the unknown token, or else the end token: padded positions
    carry no attention and no loss. Raises: `InputError` when there is no usable tokenizer.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError) as error:
        line = next(iter(str(error).splitlines()), "")
        raise InputError(f"{folder}: no usable tokenizer ({line})") from error
    if tokenizer.eos_token is None:
        raise InputError(f"{folder}: its tokenizer has no end token, so no answer could end")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.unk_token or tokenizer.eos_token
    if tokenizer.chat_template:
        return tokenizer, "own"
    tokenizer.chat_template = CHAT_TEMPLATE.replace("<|end|>", tokenizer.eos_token)
    return tokenizer, "plain"


def load_base(base_dir: Path, *, on: str | None = None) -> tuple[Any, Any, BaseInfo]:
    """Load the quantised model, its tokenizer and its description from `base_dir`.

    `on`: the device to hold it, by default the one that computes.

    Raises: `ArtifactError` on a wrong checksum, `InputError` when it is no causal language model.
    """
    from transformers import AutoModelForCausalLM

    folder = model_dir(base_dir)
    tokenizer, _ = open_tokenizer(folder)
    quiet_loading()
    try:
        model = AutoModelForCausalLM.from_pretrained(
            str(folder),
            local_files_only=True,
            use_safetensors=True,
            quantization_config=quantization(),
            dtype=compute_dtype(),
            device_map={"": on or device_type()},
        )
    except (OSError, ValueError) as error:
        line = next(iter(str(error).splitlines()), "")
        raise InputError(f"{folder}: no causal language model ({line})") from error
    keep_packing(model)
    return model, tokenizer, read_info(base_dir)


def quiet_loading() -> None:
    """No bar for a second's loading, and no word on kernels of the hub.

    bitsandbytes asks for a package that would fetch them; its own do the work.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()
    getLogger("bitsandbytes.backends.cpu.ops").setLevel(ERROR)


def keep_packing(model: Any) -> None:
    """Keep the 4-bit weights as they are packed.

    Repacking for AVX512-BF16 at the first evaluation changes the gradients after it, so that a
    resumed training differs from an undisturbed one (bitsandbytes 0.50).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


@contextmanager
def older_names() -> Iterator[None]:
    """Silence what PEFT 0.21 provokes by using names that transformers 5 deprecates.

    Delete when PEFT speaks of activation checkpointing.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`(is_)?gradient_checkpointing", FutureWarning)
        yield

"""Base and adapter as one model, in full precision, for programs that know no adapters."""

from pathlib import Path

from groundwork.artifacts import write_manifest
from groundwork.base import model_dir, older_names, open_tokenizer, quiet_loading


def merge_model(base_dir: Path, adapter_dir: Path, *, out_dir: Path, dtype: str) -> None:
    """Write weights, configuration and tokenizer to `out_dir`, a manifest last.

    The sum is made in float32 of the weights before 4-bit, then rounded to `dtype`.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    folder = model_dir(base_dir)
    tokenizer, _ = open_tokenizer(folder)
    quiet_loading()
    base = AutoModelForCausalLM.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    with older_names():
        adapted = PeftModel.from_pretrained(base, str(adapter_dir))
    merged = adapted.merge_and_unload(safe_merge=True)
    merged.to(getattr(torch, dtype)).save_pretrained(out_dir)
    tokenizer.save_pretrained(out_dir)
    write_manifest(out_dir, sorted(path.name for path in out_dir.iterdir()))

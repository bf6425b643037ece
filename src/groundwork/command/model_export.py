"""`groundwork export model`: the trained model as one, for programs that know no adapters.

In: artifacts/base and artifacts/train. Out: safetensors with configuration and tokenizer, or GGUF
through llama.cpp's converter. The adapter is merged into the weights as they were before 4-bit, so
that answers differ slightly from those that were evaluated: evaluate what you serve.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from groundwork.artifacts import check_manifest
from groundwork.errors import ArtifactError, InputError
from groundwork.train import merge_model

CONVERTER = "convert_hf_to_gguf.py"
TYPES = {"float16": "f16", "float32": "f32"}
NOTE = (
    "merged into the unquantised base: logits differ slightly from the 4-bit model that was "
    "evaluated, so evaluate what you serve"
)


def export_model(root: Path, out_dir: Path, *, form: str, dtype: str) -> str:
    """Write the merged model to `out_dir`, which must not exist; say what was written.

    Raises: `InputError` when the folder exists, or llama.cpp's converter is missing or fails.
    """
    if out_dir.exists():
        raise InputError(f"--out {out_dir}: it exists; expected a folder that is yet to be made")
    converter = _find_converter() if form == "gguf" else []
    base_dir, train_dir = root / "artifacts" / "base", root / "artifacts" / "train"
    for folder in (base_dir, train_dir):
        check_manifest(folder)
    if not (train_dir / "adapter").is_dir():
        raise ArtifactError(f"{train_dir / 'adapter'}: no such folder; run `dvc repro train`")
    merge_model(base_dir, train_dir / "adapter", out_dir=out_dir, dtype=dtype)
    if form == "safetensors":
        return f"{out_dir}: safetensors in {dtype}, {NOTE}"
    path = out_dir / "model.gguf"
    _convert(converter, out_dir, path, TYPES[dtype])
    return f"{path}: GGUF in {dtype} beside the safetensors that it was made from, {NOTE}"


def _find_converter() -> list[str]:
    """The command that runs llama.cpp's converter: on PATH, or in LLAMA_CPP_DIR."""
    found = shutil.which(CONVERTER)
    if found:
        return [found]
    named = os.environ.get("LLAMA_CPP_DIR")
    if named and (path := Path(named) / CONVERTER).is_file():
        return [sys.executable, str(path)]
    where = f"LLAMA_CPP_DIR={named}" if named else "LLAMA_CPP_DIR, which is not set"
    raise InputError(
        f"{CONVERTER}: not on PATH and not in {where}; get llama.cpp's source and set "
        "LLAMA_CPP_DIR to its folder, or export --format safetensors"
    )


def _convert(converter: list[str], model_dir: Path, path: Path, kind: str) -> None:
    command = [*converter, str(model_dir), "--outfile", str(path), "--outtype", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0 or not path.exists():
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise InputError(
            f"{CONVERTER} failed with {done.returncode}: {' '.join(said) or 'it wrote nothing'}; "
            f"the merged safetensors are in {model_dir}"
        )

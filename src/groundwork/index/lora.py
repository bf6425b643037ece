"""A LoRA adapter in PEFT's layout, merged into the weights of the encoder in float32.

In: a folder with `adapter_model.safetensors` and `adapter_config.json`. Out: weights that need no
adapter any more. The adapter was trained on 4-bit weights; what serves is the float32 base plus
the adapter's delta, and that sum is what evaluation measures (Hu et al. 2021, arXiv:2106.09685,
section 4.1).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.artifacts import read_json, sha256_bytes, sha256_file
from groundwork.errors import ArtifactError

ADAPTER = "adapter_model.safetensors"
ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_FILES = (ADAPTER_CONFIG, ADAPTER)
_PREFIX = "base_model.model."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
_PLAIN: dict[str, tuple[Any, ...]] = {
    "bias": ("none",),
    "use_dora": (False, None),
    "use_rslora": (False, None),
    "rank_pattern": ({}, None),
    "alpha_pattern": ({}, None),
    "modules_to_save": (None, []),
}
"""What `merge` can do: other values would be left out in silence."""


@dataclass(frozen=True, slots=True)
class Lora:
    """The matrices of an adapter by PEFT's names, and the scale of their products."""

    tensors: Mapping[str, Any]
    scale: float

    def merge(self, weights: Mapping[str, Any]) -> dict[str, Any]:
        """`weights` with the adapter's deltas added; what it does not touch is shared.

        Raises: `ArtifactError` when the adapter belongs to another encoder.
        """
        merged = dict(weights)
        for name in sorted(self.tensors):
            if not name.endswith(_DOWN):
                continue
            module = name.removeprefix(_PREFIX).removesuffix(_DOWN)
            up_name = name.removesuffix(_DOWN) + _UP
            target = weights.get(f"{module}.weight")
            if target is None or up_name not in self.tensors:
                raise ArtifactError(
                    f"{ADAPTER}: adapts {module}, which the encoder lacks or which has no "
                    "counterpart; expected an adapter of this encoder: run stage `adapt` again"
                )
            delta = self.tensors[up_name].float() @ self.tensors[name].float()
            if delta.shape != target.shape:
                raise ArtifactError(
                    f"{ADAPTER}: the delta of {module} is {tuple(delta.shape)}, the encoder's "
                    f"weight {tuple(target.shape)}; expected an adapter of this encoder: run "
                    "stage `adapt` again"
                )
            merged[f"{module}.weight"] = target + self.scale * delta
        return merged


def read_adapter(folder: Path) -> Lora:
    """Read an adapter. Raises: `ArtifactError` when it is damaged or of a kind not merged here."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    config = read_json(folder / ADAPTER_CONFIG)
    for name, known in _PLAIN.items():
        if config.get(name) not in known:
            raise ArtifactError(
                f"{folder / ADAPTER_CONFIG}: {name}={config[name]!r}; expected {known[0]!r}: "
                "only plain LoRA is merged into the encoder"
            )
    try:
        tensors = load_file(folder / ADAPTER)
    except (SafetensorError, OSError) as error:
        raise ArtifactError(
            f"{folder / ADAPTER}: damaged or missing ({error}); "
            "run `dvc repro --force --single-item adapt`"
        ) from error
    return Lora(tensors, config["lora_alpha"] / config["r"])


def adapter_sha256(folder: Path) -> str:
    """Hash of both files: names the adapter in manifests, releases and the encoder's memory."""
    return sha256_bytes("\n".join(sha256_file(folder / name) for name in ADAPTER_FILES).encode())

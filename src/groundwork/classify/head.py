"""The head: one prototype a label; a text is about the label whose prototype is nearest.

In: unit vectors of the encoder. Out: scores of the labels. A cosine head with a fixed scale starts
from the class means and so learns from few examples (Gidaris and Komodakis 2018, arXiv:1804.09458).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.artifacts import write_bytes
from groundwork.errors import ArtifactError

HEAD = "head.safetensors"


@dataclass(frozen=True, slots=True)
class Head:
    """Prototypes of the labels."""

    labels: tuple[str, ...]
    prototypes_CD: np.ndarray
    """float32; their length does not count."""
    bias_C: np.ndarray
    scale: float

    def logits(self, vectors_BD: np.ndarray) -> np.ndarray:
        """Scores (B, C) of unit vectors, before the softmax."""
        lengths_C1 = np.linalg.norm(self.prototypes_CD, axis=1, keepdims=True)
        cosines_BC = vectors_BD @ (self.prototypes_CD / np.maximum(lengths_C1, 1e-9)).T
        return np.asarray(self.scale * cosines_BC + self.bias_C, dtype=np.float32)


def class_means(
    vectors_BD: np.ndarray, labels: Sequence[str]
) -> tuple[tuple[str, ...], np.ndarray]:
    """The labels in order, and the mean vector of each, (C, D)."""
    names = sorted(set(labels))
    of = np.array(labels)
    return tuple(names), np.stack([vectors_BD[of == name].mean(0) for name in names])


def save_head(folder: Path, tensors: Mapping[str, Any]) -> None:
    """Write `prototypes` and `bias`, the same bytes for the same numbers."""
    from safetensors.torch import save

    write_bytes(folder / HEAD, save({n: tensors[n].contiguous() for n in ("bias", "prototypes")}))


def read_head(folder: Path, *, labels: Sequence[str], scale: float) -> Head:
    """Read a head. Raises: `ArtifactError` when it is damaged or has other labels."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / HEAD
    try:
        tensors = load_file(path)
        prototypes_CD, bias_C = tensors["prototypes"], tensors["bias"]
    except (SafetensorError, OSError, KeyError) as error:
        raise ArtifactError(
            f"{path}: damaged or missing ({error}); run `dvc repro --force --single-item classify`"
        ) from error
    if len(prototypes_CD) != len(labels) or len(bias_C) != len(labels):
        raise ArtifactError(
            f"{path}: {len(prototypes_CD)} prototypes for {len(labels)} labels; run "
            "`dvc repro --force --single-item classify`"
        )
    return Head(tuple(labels), prototypes_CD, bias_C, scale)

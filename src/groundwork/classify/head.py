"""The head: some prototypes a label; a text is about the label whose prototypes are near.

In: unit vectors of the encoder. Out: scores of the labels. A cosine head with a fixed scale starts
from means of its texts and so learns from few of them (Gidaris and Komodakis 2018,
arXiv:1804.09458); several a label, as in Allen et al. 2019 (arXiv:1902.04552), because what a
label covers need not lie in one place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.artifacts import write_bytes
from groundwork.errors import ArtifactError

HEAD = "head.safetensors"
AGAIN = "run `dvc repro --force --single-item classify`"
"""The way out when a file of the classifier is damaged."""


@dataclass(frozen=True, slots=True)
class Head:
    """Prototypes of the labels."""

    labels: tuple[str, ...]
    prototypes_CKD: np.ndarray
    """float32; their length does not count."""
    bias_CK: np.ndarray
    scale: float

    def logits(self, vectors_BD: np.ndarray) -> np.ndarray:
        """Scores (B, C) of unit vectors, before the softmax: log-sum-exp over a label's own."""
        lengths_CK1 = np.linalg.norm(self.prototypes_CKD, axis=2, keepdims=True)
        unit_CKD = self.prototypes_CKD / np.maximum(lengths_CK1, 1e-9)
        scores_BCK = self.scale * np.einsum("bd,ckd->bck", vectors_BD, unit_CKD) + self.bias_CK
        top_BC1 = scores_BCK.max(axis=2, keepdims=True)
        sums_BC = np.exp(scores_BCK - top_BC1).sum(axis=2)
        return np.asarray(top_BC1[:, :, 0] + np.log(sums_BC), dtype=np.float32)


def starts(
    vectors_BD: np.ndarray, labels: Sequence[str], *, prototypes: int, seed: int
) -> tuple[tuple[str, ...], np.ndarray]:
    """The labels in order, and where their prototypes start, (C, K, D): means of k-means' groups.

    A label of fewer different texts than prototypes has some of them twice.
    """
    from sklearn.cluster import KMeans

    names = sorted(set(labels))
    of = np.array(labels)
    found = []
    for name in names:
        own_ND = vectors_BD[of == name]
        groups = min(prototypes, len(np.unique(own_ND, axis=0)))
        means_GD = KMeans(groups, n_init=1, random_state=seed).fit(own_ND).cluster_centers_
        found.append(means_GD[np.arange(prototypes) % groups])
    return tuple(names), np.stack(found).astype(np.float32)


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
        prototypes_CKD, bias_CK = tensors["prototypes"], tensors["bias"]
    except (SafetensorError, OSError, KeyError) as error:
        raise ArtifactError(f"{path}: damaged or missing ({error}); {AGAIN}") from error
    if prototypes_CKD.ndim == 2:  # one a label: releases up to 0.1
        prototypes_CKD, bias_CK = prototypes_CKD[:, None], bias_CK[:, None]
    if len(prototypes_CKD) != len(labels) or bias_CK.shape != prototypes_CKD.shape[:2]:
        raise ArtifactError(
            f"{path}: prototypes of {len(prototypes_CKD)} labels, expected {len(labels)}; {AGAIN}"
        )
    return Head(tuple(labels), prototypes_CKD, bias_CK, scale)

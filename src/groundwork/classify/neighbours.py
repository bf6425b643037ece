"""The texts that were learned and lie nearest, beside the head.

In: vectors of the adapted encoder. Out: the share that each label has of the nearest texts. A
prototype stands for what is common to many texts; what is said in few of them is found here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from groundwork.artifacts import write_bytes
from groundwork.errors import ArtifactError
from groundwork.index import DIMENSION

NEIGHBOURS = "neighbours.safetensors"
NEAREST = 20
"""Texts that are asked: 10 to 30 are alike."""
TEMPERATURE = 0.05
"""A text whose cosine is this much below the nearest one's weighs 1/e; .1 is a little worse."""
UNSEEN = 0.02
"""Weight of a label that none of them has."""
SCALE = 127.0
"""Cosines are kept as int8: a quarter of the bytes."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Vectors of texts with the numbers of their labels."""

    vectors_ND: np.ndarray
    """int8, of length `SCALE`."""
    labels_N: np.ndarray
    labels: int
    """How many there are."""

    @classmethod
    def of(cls, vectors_ND: np.ndarray, labels_N: Sequence[int], *, labels: int) -> "Neighbours":
        """From unit vectors."""
        packed_ND = np.rint(vectors_ND * SCALE).astype(np.int8)
        return cls(packed_ND, np.array(labels_N, dtype=np.int64), labels)

    def shares(self, vectors_BD: np.ndarray) -> np.ndarray:
        """Shares (B, C) of the labels among the nearest texts; all alike where there are none."""
        weights_BC = np.full((len(vectors_BD), self.labels), UNSEEN)
        if len(self.labels_N):
            cosines_BN = vectors_BD @ self.vectors_ND.astype(np.float32).T / SCALE
            nearest_BK = np.argsort(-cosines_BN, axis=1, kind="stable")[:, :NEAREST]
            cosines_BK = np.take_along_axis(cosines_BN, nearest_BK, axis=1)
            kernel_BK = np.exp((cosines_BK - cosines_BK[:, :1]) / TEMPERATURE)
            rows_B1 = np.arange(len(vectors_BD))[:, None]
            np.add.at(weights_BC, (rows_B1, self.labels_N[nearest_BK]), kernel_BK)
        return np.asarray(weights_BC / weights_BC.sum(axis=1, keepdims=True))


def save_neighbours(folder: Path, neighbours: Neighbours) -> None:
    """Write vectors and numbers of labels, the same bytes for the same numbers."""
    from safetensors.numpy import save

    tensors = {"labels": neighbours.labels_N, "vectors": neighbours.vectors_ND}
    write_bytes(folder / NEIGHBOURS, save(tensors))


def read_neighbours(folder: Path, *, labels: int) -> Neighbours:
    """The inverse of `save_neighbours`; none where the file is missing: releases up to 0.1.

    Raises: `ArtifactError` when it is damaged or has other labels.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / NEIGHBOURS
    again = "run `dvc repro --force --single-item classify`"
    if not path.exists():
        return Neighbours.of(np.zeros((0, DIMENSION)), [], labels=labels)
    try:
        tensors = load_file(path)
        found = Neighbours(tensors["vectors"], tensors["labels"], labels)
    except (SafetensorError, OSError, KeyError) as error:
        raise ArtifactError(f"{path}: damaged ({error}); {again}") from error
    numbers_N = found.labels_N
    known = all(0 <= number < labels for number in numbers_N.tolist())
    if not known or len(found.vectors_ND) != len(numbers_N):
        raise ArtifactError(
            f"{path}: {len(found.vectors_ND)} vectors with {len(numbers_N)} labels up to "
            f"{max(numbers_N, default=0)}, expected as many, of {labels}; {again}"
        )
    return found

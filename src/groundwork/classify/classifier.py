"""The classifier as it serves: the encoder with the adapter merged in, the head, the calibration.

In: `adapter/`, `head.safetensors` and `labels.json` of a release or of `artifacts/classify`. Out:
a label with its probability, and whether a text is about none of the labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.artifacts import read_json
from groundwork.classify.calibration import Calibration, energy, from_json, passage_shares
from groundwork.classify.head import Head, read_head
from groundwork.errors import ArtifactError
from groundwork.index import Encoder, encoder_sha256
from groundwork.records import Retrieved

LABELS = "labels.json"
SHOWN = 5
"""Labels that a guess names."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text is about."""

    label: str
    confidence: float
    out_of_scope: bool
    scores: tuple[tuple[str, float], ...]
    """The likeliest labels with their probabilities, best first."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """Says what texts are about; deterministic on one processor type."""

    encoder: Encoder
    head: Head
    calibration: Calibration

    @classmethod
    def load(cls, folder: Path, encoder: Encoder) -> "Classifier | None":
        """The classifier in `folder`; None where no one was trained.

        Raises: `ArtifactError` when a file is damaged or belongs to another encoder.
        """
        path = folder / LABELS
        if not path.exists():
            return None
        about = read_json(path)
        try:
            labels, scale = about["labels"], float(about["scale"])
            calibration, wanted = from_json(about["calibration"]), about["encoder_sha256"]
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"{path}: unexpected content ({error}); "
                "run `dvc repro --force --single-item classify`"
            ) from error
        if wanted != encoder_sha256():
            raise ArtifactError(
                f"{path}: made for the encoder {wanted[:12]}…, this one is "
                f"{encoder_sha256()[:12]}…; run `dvc repro --force --single-item classify`"
            )
        head = read_head(folder, labels=labels, scale=scale)
        return cls(encoder.adapted(folder / "adapter"), head, calibration)

    @property
    def needs_passages(self) -> bool:
        """Whether the passages found for a text have a say."""
        return self.calibration.passages > 0

    def guess(self, text: str, retrieved: Sequence[Retrieved] = ()) -> Guess:
        """The label of one text; `retrieved` are the passages found for it."""
        logits_BC = self.head.logits(self.encoder.encode([text]))
        shares_BC = None
        if self.needs_passages and retrieved:
            shares_BC = passage_shares(retrieved, self.head.labels)[None]
        found_C = self.calibration.probabilities(logits_BC, shares_BC)[0]
        order = np.argsort(-found_C, kind="stable")[:SHOWN].tolist()
        scores = tuple((self.head.labels[n], round(float(found_C[n]), 4)) for n in order)
        outside = float(energy(logits_BC)[0]) < self.calibration.threshold
        return Guess(scores[0][0], scores[0][1], outside, scores)


def describe(
    head: Head, calibration: Calibration, counts: Mapping[str, int], source: str
) -> dict[str, Any]:
    """The content of `labels.json`."""
    return {
        "labels": list(head.labels),
        "texts": dict(sorted(counts.items())),
        "source": source,
        "scale": head.scale,
        "calibration": calibration.as_json(),
        "encoder_sha256": encoder_sha256(),
    }

"""The classifier as it serves: encoder with the adapter merged in, head, words, calibration.

In: what stage `classify` wrote, in a release or in `artifacts/classify`. Out: a label with its
probability, and whether a text is about none of the labels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.artifacts import read_json, read_jsonl, write_jsonl
from groundwork.classify.calibration import (
    Calibration,
    energy,
    from_json,
    passage_shares,
    softmax,
)
from groundwork.classify.ensemble import Ensemble
from groundwork.classify.head import AGAIN, Head, read_head
from groundwork.classify.words import read_words
from groundwork.errors import ArtifactError
from groundwork.index import Encoder, encoder_sha256, passage_text
from groundwork.records import Chunk, Retrieved

LABELS, PASSAGES = "labels.json", "passages.jsonl"
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

    ensemble: Ensemble
    calibration: Calibration
    judged: Mapping[str, np.ndarray]
    """What the head takes each passage of the index to be about, (C,) by passage id; empty where
    labels are not of passages, or there are too many of those."""

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
            raise ArtifactError(f"{path}: unexpected content ({error}); {AGAIN}") from error
        if wanted != encoder_sha256():
            raise ArtifactError(
                f"{path}: made for the encoder {wanted[:12]}…, this one is "
                f"{encoder_sha256()[:12]}…; {AGAIN}"
            )
        ensemble = Ensemble(
            encoder.adapted(folder / "adapter"),
            read_head(folder, labels=labels, scale=scale),
            read_words(folder, labels=len(labels)),
        )
        return cls(ensemble, calibration, read_judged(folder / PASSAGES, labels=len(labels)))

    @property
    def needs_passages(self) -> bool:
        """Whether the passages found for a text have a say."""
        return self.calibration.passages > 0

    def guess(self, text: str, retrieved: Sequence[Retrieved] = ()) -> Guess:
        """The label of one text; `retrieved` are the passages found for it."""
        labels, shares_BC = self.ensemble.head.labels, None
        if self.needs_passages and retrieved:
            shares_BC = passage_shares(retrieved, labels, self.judged)[None]
        scores = self.ensemble.scores([text], shares_BC)
        found_C = self.calibration.probabilities(scores)[0]
        order = np.argsort(-found_C, kind="stable")[:SHOWN].tolist()
        likely = tuple((labels[n], round(float(found_C[n]), 4)) for n in order)
        outside = float(energy(scores.head_BC)[0]) < self.calibration.threshold
        return Guess(likely[0][0], likely[0][1], outside, likely)


def judge(ensemble: Ensemble, chunks: Sequence[Chunk]) -> dict[str, np.ndarray]:
    """What the head takes passages to be about: probabilities (C,) by passage id."""
    vectors_ND = ensemble.encoder.encode([passage_text(chunk) for chunk in chunks])
    shares_NC = softmax(ensemble.head.logits(vectors_ND))
    rounded_NC = shares_NC.astype(np.float64).round(4)
    return {chunk.passage_id: row for chunk, row in zip(chunks, rounded_NC, strict=True)}


def save_judged(path: Path, judged: Mapping[str, np.ndarray]) -> None:
    """Write one line a passage."""
    write_jsonl(path, [{"passage_id": n, "shares": row.tolist()} for n, row in judged.items()])


def read_judged(path: Path, *, labels: int) -> dict[str, np.ndarray]:
    """The inverse of `save_judged`; empty without the file, which releases up to 0.1 lack.

    Raises: `ArtifactError` when it is damaged or has another number of labels.
    """
    rows = read_jsonl(path) if path.exists() else []
    try:
        judged = {row["passage_id"]: np.array(row["shares"], dtype=float) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path}: damaged ({error}); {AGAIN}") from error
    if wrong := [name for name, row in judged.items() if row.shape != (labels,)]:
        raise ArtifactError(
            f"{path}: {len(judged[wrong[0]])} shares of passage {wrong[0]}, expected {labels}; "
            f"{AGAIN}"
        )
    return judged


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

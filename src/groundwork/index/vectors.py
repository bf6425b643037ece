"""The vectors of passages and their texts, as they lie on disk.

Owns the files `vectors.faiss` and `passages.parquet`. LangChain's view of them is `store`.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from groundwork.artifacts import replacing, write_parquet
from groundwork.errors import ConfigError, InputError

if TYPE_CHECKING:
    import faiss

VECTORS = "vectors.faiss"
PASSAGES = "passages.parquet"


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A row of `passages.parquet`; its position is the number of its vector."""

    passage_id: str
    text: str
    metadata: str
    """JSON object."""

    @classmethod
    def of(cls, passage_id: str, text: str, metadata: Mapping[str, object]) -> "StoredPassage":
        """A row whose metadata is written out."""
        return cls(passage_id, text, json.dumps(metadata, sort_keys=True, ensure_ascii=False))


def make_faiss(factory: str, dimension: int, vectors_ND: np.ndarray) -> "faiss.Index":
    """Build the FAISS index that `factory` names, by inner product, trained on `vectors_ND`."""
    import faiss

    try:
        index = faiss.index_factory(dimension, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise ConfigError(
            f"index.faiss={factory!r} in params.yaml: expected a FAISS factory string such as "
            f"Flat or HNSW32,Flat ({str(error).splitlines()[0]})"
        ) from error
    if not index.is_trained:
        try:
            index.train(vectors_ND)
        except RuntimeError as error:
            raise ConfigError(
                f"index.faiss={factory!r} in params.yaml: {len(vectors_ND)} passages are too few "
                "to train it; use Flat"
            ) from error
    return index


def write_passages(folder: Path, index: "faiss.Index", rows: Sequence[StoredPassage]) -> None:
    """Write an index and its passages, in the order of the vectors.

    Raises: `InputError` when an id comes twice.
    """
    import faiss

    (first, count), *_ = Counter(row.passage_id for row in rows).most_common(1)
    if count > 1:
        raise InputError(f"passage {first} comes {count} times: expected each id once")
    with replacing(folder / VECTORS) as temporary_path:
        faiss.write_index(index, str(temporary_path))
    write_parquet(folder / PASSAGES, rows, StoredPassage)


def write_flat(path: Path, vectors_ND: np.ndarray) -> None:
    """Write vectors as a flat FAISS index, by inner product."""
    import faiss

    flat = faiss.IndexFlatIP(vectors_ND.shape[1])
    flat.add(np.ascontiguousarray(vectors_ND))
    with replacing(path) as temporary_path:
        faiss.write_index(flat, str(temporary_path))


def read_flat(path: Path) -> np.ndarray:
    """The vectors (N, D) that `write_flat` wrote."""
    import faiss

    flat = faiss.read_index(str(path))
    return np.asarray(flat.reconstruct_n(0, flat.ntotal))

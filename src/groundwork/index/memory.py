"""The encoder with a memory: what it embedded once it never embeds again.

In: the texts of one document. Out: their vectors, from the content-addressed store where it holds
them. An entry is a document's, not a text's: how long its neighbours in a batch are changes the
last bits of a vector, so only a whole call gives the same bytes again.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from json import dumps
from pathlib import Path

import numpy as np

from groundwork.artifacts import code_version
from groundwork.index.encoder import DIMENSION, TOKEN_DIMENSION, Encoder, Packed, encoder_sha256
from groundwork.store import remembered

EMBED, EMBED_TOKENS = "embed", "embed_tokens"
"""Names of the steps in the store."""
PACKAGES = ("numpy", "tokenizers", "torch")
HERE = Path(__file__).parent


class RememberingEncoder(Encoder):
    """Encodes as `load()` would, and loads it when there is something new to encode.

    What is remembered belongs to the weights, the versions of code and packages, the instructions
    of the processor and the number of threads: all that may change a bit.
    """

    def __init__(self, load: Callable[[], Encoder] = Encoder.load) -> None:
        self._load = load

    @cached_property
    def _encoder(self) -> Encoder:
        return self._load()

    @cached_property
    def _recipe(self) -> str:
        import torch

        packages = [version(name) for name in PACKAGES]
        machine = [torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()]
        code = code_version(*(HERE / name for name in ("bert.py", "encoder.py", "memory.py")))
        return dumps([encoder_sha256(), code, packages, machine])

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode `texts` -> float32 (B, D), rows of length 1, in the order given."""
        if not texts:
            return self._encoder.encode(texts)
        data = remembered(EMBED, self._key(texts), lambda: self._encoder.encode(texts).tobytes())
        return np.frombuffer(data, dtype=np.float32).reshape(len(texts), DIMENSION)

    def encode_packed(self, texts: Sequence[str], *, skip: Sequence[int]) -> Packed:
        """Encode `texts` and their tokens, as `Encoder.encode_packed` does."""

        def compute() -> bytes:
            packed = self._encoder.encode_packed(texts, skip=skip)
            parts = (packed.vectors_BD, packed.tokens_B.astype(np.int32), packed.tokens_MP)
            return b"".join(part.tobytes() for part in parts)

        count = len(texts)
        data = remembered(EMBED_TOKENS, self._key(texts, skip), compute)
        vectors_BD = np.frombuffer(data, np.float32, count * DIMENSION)
        tokens_B = np.frombuffer(data, np.int32, count, vectors_BD.nbytes)
        tokens_MP = np.frombuffer(data, np.int8, -1, vectors_BD.nbytes + tokens_B.nbytes)
        return Packed(
            vectors_BD.reshape(count, DIMENSION), tokens_B, tokens_MP.reshape(-1, TOKEN_DIMENSION)
        )

    def _key(self, texts: Sequence[str], skip: Sequence[int] | None = None) -> str:
        return sha256(dumps([self._recipe, list(texts), skip]).encode()).hexdigest()

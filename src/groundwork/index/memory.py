"""The encoder with a memory: what it embedded once it never embeds again.

In: the texts of one document. Out: their vectors, from the content-addressed store where it holds
them. An entry is a document's, not a text's: how long its neighbours in a batch are changes the
last bits of a vector, so only a whole call gives the same bytes again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from json import dumps, loads
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.artifacts import code_version
from groundwork.engine import EngineConfig, Results, Work
from groundwork.index.encoder import (
    DIMENSION,
    TOKEN_DIMENSION,
    Encoder,
    Packed,
    retriever_sha256,
)
from groundwork.store import remembered

EMBED, EMBED_TOKENS = "embed", "embed_tokens"
"""Names of the steps in the store."""
PACKAGES = ("numpy", "tokenizers", "torch")
CODE = ("bert.py", "encoder.py", "lora.py", "memory.py")
HERE = Path(__file__).parent


PRELOADED = ("groundwork.index.memory", "torch")
Group = tuple[Sequence[str], Sequence[int] | None]
"""Texts of a document; for their tokens, too, with what to skip of each."""


class RememberingEncoder(Encoder):
    """Encodes as `load()` would, and loads it when there is something new to encode.

    What is remembered belongs to the weights, the versions of code and packages, the instructions
    of the processor and the number of threads: all that may change a bit. Groups of texts are
    encoded by `engine`, by default in this process.
    """

    def __init__(
        self,
        load: Callable[[], Encoder] = Encoder.load,
        *,
        engine: EngineConfig | None = None,
        adapter_dir: Path | None = None,
    ) -> None:
        self._load = load
        self._engine = engine
        self._adapter_dir = adapter_dir

    def adapted(self, adapter_dir: Path) -> "RememberingEncoder":
        """The encoder with an adapter merged in, whose vectors are remembered apart."""
        return RememberingEncoder(
            lambda: self.inner.adapted(adapter_dir), engine=self._engine, adapter_dir=adapter_dir
        )

    @cached_property
    def inner(self) -> Encoder:
        """What encodes."""
        return self._load()

    @cached_property
    def recipe(self) -> str:
        """All that a vector depends on besides its text and the others of its document."""
        import torch

        packages = [version(name) for name in PACKAGES]
        machine = [torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()]
        code = code_version(*(HERE / name for name in CODE))
        return dumps([retriever_sha256(self._adapter_dir), code, packages, machine])

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode `texts` -> float32 (B, D), rows of length 1, in the order given."""
        if not texts:
            return self.inner.encode(texts)
        return _as_vectors(self._remembered(EMBED, (texts, None)))

    def encode_packed(self, texts: Sequence[str], *, skip: Sequence[int]) -> Packed:
        """Encode `texts` and their tokens, as `Encoder.encode_packed` does."""
        return _as_packed(self._remembered(EMBED_TOKENS, (texts, skip)), len(texts))

    def encode_groups(self, groups: Sequence[Sequence[str]], *, label: str) -> Iterator[np.ndarray]:
        """Encode each group, by the engine's workers if there is much that is new."""
        wanted: list[Group] = [(texts, None) for texts in groups if texts]
        encoded = iter(self._results(EMBED, wanted, label))
        for texts in groups:
            yield _as_vectors(next(encoded)[1] if texts else b"")

    def encode_packed_groups(
        self, groups: Sequence[tuple[Sequence[str], Sequence[int]]], *, label: str
    ) -> Iterator[Packed]:
        """As above."""
        for (texts, _), data in self._results(EMBED_TOKENS, groups, label):
            yield _as_packed(data, len(texts))

    def _remembered(self, step: str, group: Group) -> bytes:
        worker = Embedder(self)
        return remembered(step, worker.key(group), lambda: worker.compute(group))

    def _results(self, step: str, groups: Sequence[Group], label: str) -> Results[Group]:
        import torch

        threads = torch.get_num_threads()
        folder = str(self._adapter_dir.resolve()) if self._adapter_dir else None
        settings = {"threads": threads, "adapter_dir": folder}
        work = Work(step, f"{__name__}:make_embedder", settings, threads, PRELOADED)
        return Results(
            work, groups, engine=self._engine, unit="doc", label=label, worker=Embedder(self)
        )


def make_embedder(settings: Mapping[str, Any]) -> "Embedder":
    """What embeds in a worker's process, with as many threads as in the stage's own."""
    import torch

    torch.set_num_threads(settings["threads"])
    encoder = RememberingEncoder()
    folder = settings["adapter_dir"]
    return Embedder(encoder.adapted(Path(folder)) if folder else encoder)


@dataclass(frozen=True, slots=True)
class Embedder:
    """Embeds the texts of one document."""

    encoder: RememberingEncoder

    @property
    def recipe(self) -> str:
        """The encoder's."""
        return self.encoder.recipe

    def key(self, group: Group) -> str:
        """Over all texts of the document."""
        texts, skip = group
        return sha256(dumps([self.recipe, list(texts), skip]).encode()).hexdigest()

    def compute(self, group: Group) -> bytes:
        """Arrays one after the other; how many there are the texts tell."""
        texts, skip = group
        if skip is None:
            return self.encoder.inner.encode(texts).tobytes()
        packed = self.encoder.inner.encode_packed(texts, skip=skip)
        parts = (packed.vectors_BD, packed.tokens_B.astype(np.int32), packed.tokens_MP)
        return b"".join(part.tobytes() for part in parts)

    def pack(self, group: Group) -> bytes:
        """JSON."""
        return dumps(group).encode()

    def unpack(self, data: bytes) -> Group:
        """The group of `pack`."""
        texts, skip = loads(data)
        return texts, skip


def _as_vectors(data: bytes) -> np.ndarray:
    return np.frombuffer(data, dtype=np.float32).reshape(-1, DIMENSION)


def _as_packed(data: bytes, count: int) -> Packed:
    vectors_BD = np.frombuffer(data, np.float32, count * DIMENSION)
    tokens_B = np.frombuffer(data, np.int32, count, vectors_BD.nbytes)
    tokens_MP = np.frombuffer(data, np.int8, -1, vectors_BD.nbytes + tokens_B.nbytes)
    return Packed(
        vectors_BD.reshape(count, DIMENSION), tokens_B, tokens_MP.reshape(-1, TOKEN_DIMENSION)
    )

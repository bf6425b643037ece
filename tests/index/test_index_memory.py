"""The encoder's memory: the same bytes as computing anew, and nothing embedded twice."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from groundwork.artifacts import short_id
from groundwork.index import Encoder, IndexConfig, RememberingEncoder, build_index, memory
from groundwork.index.encoder import DIMENSION, TOKEN_DIMENSION
from groundwork.records import Chunk
from groundwork.store import reused

TEXTS = ["Kettle: It boils.", "Kettle: A pot of two litres needs 4 minutes and 1.2 kW.", "!"]
SKIP = [8, 8, 1]
CHUNK = Chunk(
    passage_id="p1", document_id="d1", url="https://tea.example/", title="Tea", heading="",
    text="Tea steeps.", start=0, end=11, tokens=3, category="tea", licence="",
)  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> Encoder:
    """The bundled model, which remembers nothing."""
    return Encoder.load()


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of the test's own."""
    monkeypatch.chdir(tmp_path)
    reused(memory.EMBED), reused(memory.EMBED_TOKENS)


def _refuse() -> Encoder:
    raise AssertionError("the model was loaded")


def test_vectors_are_remembered_to_the_last_bit(plain: Encoder) -> None:
    """The second time no model is loaded; float32 (B, 384) as the encoder gives them."""
    expected = plain.encode(TEXTS)
    for load in (lambda: plain, _refuse):
        found = RememberingEncoder(load).encode(TEXTS)
        assert (found.dtype, found.shape) == (np.float32, (3, DIMENSION))
        assert found.tobytes() == expected.tobytes()
    assert RememberingEncoder(lambda: plain).encode([]).shape == (0, DIMENSION)
    assert str(reused(memory.EMBED)) == "1 of 2"


def test_tokens_are_remembered_with_their_numbers(plain: Encoder) -> None:
    """A text without a token of its own has none; what is skipped is part of what is asked."""
    expected = plain.encode_packed(TEXTS, skip=SKIP)
    assert expected.tokens_B[2] == 0
    for load in (lambda: plain, _refuse):
        found = RememberingEncoder(load).encode_packed(TEXTS, skip=SKIP)
        assert found.vectors_BD.tobytes() == expected.vectors_BD.tobytes()
        assert found.tokens_B.tolist() == expected.tokens_B.tolist()
        assert found.tokens_MP.tobytes() == expected.tokens_MP.tobytes()
        assert found.tokens_MP.shape == (sum(expected.tokens_B), TOKEN_DIMENSION)
    with pytest.raises(AssertionError, match="model was loaded"):
        RememberingEncoder(_refuse).encode_packed(TEXTS, skip=[0, 8, 1])


def test_one_other_text_is_another_entry(plain: Encoder) -> None:
    """A batch gives its bytes as a whole, so a document is embedded as a whole."""
    RememberingEncoder(lambda: plain).encode(TEXTS)
    for texts in (TEXTS[:2], TEXTS[::-1], [*TEXTS[:2], "?"]):
        with pytest.raises(AssertionError, match="model was loaded"):
            RememberingEncoder(_refuse).encode(texts)


def test_other_threads_are_another_entry(plain: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may add up in another order."""
    import torch

    RememberingEncoder(lambda: plain).encode(TEXTS)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    with pytest.raises(AssertionError, match="model was loaded"):
        RememberingEncoder(_refuse).encode(TEXTS)


def test_damaged_entries_are_embedded_again(plain: Encoder, tmp_path: Path) -> None:
    """One bit of a vector is enough to be found."""
    expected = RememberingEncoder(lambda: plain).encode(TEXTS)
    (path,) = (p for p in (tmp_path / ".cache").rglob("*") if p.is_file())
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert RememberingEncoder(lambda: plain).encode(TEXTS).tobytes() == expected.tobytes()
    assert path.read_bytes() == content


class Spy(Encoder):
    """Notes which texts came together."""

    def __init__(self, inner: Encoder) -> None:
        self.inner, self.calls = inner, list[list[str]]()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """As the encoder inside."""
        self.calls.append(list(texts))
        return self.inner.encode(texts)

    def encode_packed(self, texts: Sequence[str], *, skip: Sequence[int]) -> memory.Packed:
        """As the encoder inside."""
        self.calls.append(list(texts))
        return self.inner.encode_packed(texts, skip=skip)


def test_no_batch_holds_texts_of_two_documents(plain: Encoder, tmp_path: Path) -> None:
    """So a document's vectors do not depend on what else is indexed."""
    chunks = [
        replace(CHUNK, document_id=name, passage_id=short_id(text), title=name, text=text)
        for name, text in (("a", "Tea steeps. Cups wait."), ("a", "Milk last."), ("b", "Sugar."))
    ]
    spy = Spy(plain)
    config = IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75)
    build_index(chunks, config=config, encoder=spy, folder=tmp_path / "index")
    assert spy.calls == [
        ["a. Tea steeps. Cups wait.", "a. Milk last."],
        ["b. Sugar."],
        ["a: Tea steeps.", "a: Cups wait.", "a: Milk last."],
        ["b: Sugar."],
    ]

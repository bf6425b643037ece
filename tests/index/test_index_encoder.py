"""The encoder with its real weights: shape, length, order, and the reference library's vectors."""

import numpy as np
import pytest

from groundwork.artifacts import sha256_file
from groundwork.index import Encoder, EncoderEmbeddings, encoder_dir, encoder_sha256
from groundwork.index.encoder import BATCH, DIMENSION

TEXTS = ["Charging slows down in the cold.", "Kettle", "A tandem costs 25 pounds a day. " * 4]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The bundled model."""
    return Encoder.load()


def test_rows_are_unit_vectors_in_the_order_given(encoder: Encoder) -> None:
    """float32 (B, 384); texts of unlike length keep their rows."""
    vectors_BD = encoder.encode(TEXTS)
    assert vectors_BD.shape == (3, DIMENSION)
    assert vectors_BD.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors_BD, axis=1), 1, atol=1e-5)
    for text, vector_D in zip(TEXTS, vectors_BD, strict=True):
        np.testing.assert_allclose(encoder.encode([text])[0], vector_D, atol=1e-5)


def test_no_texts_give_no_rows(encoder: Encoder) -> None:
    """(0, 384), not an error."""
    assert encoder.encode([]).shape == (0, DIMENSION)


def test_two_calls_give_the_same_bytes(encoder: Encoder) -> None:
    """More texts than one batch holds."""
    texts = [f"Socket {number}" for number in range(BATCH + 3)]
    assert encoder.encode(texts).tobytes() == encoder.encode(texts).tobytes()


def test_meaning_is_near_meaning(encoder: Encoder) -> None:
    """A paraphrase is nearer than another subject."""
    cold, paraphrase, other = encoder.encode(
        [TEXTS[0], "In winter it takes longer to fill the battery.", "Boil water for tea."]
    )
    assert cold @ paraphrase > cold @ other + 0.2


def test_what_follows_the_limit_does_not_count(encoder: Encoder) -> None:
    """Text beyond 256 tokens is cut."""
    long = "socket " * 300
    one, other = encoder.encode([long + "kettle", long + "tandem"])
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_langchain_embeddings_are_the_encoders(encoder: Encoder) -> None:
    """Lists of floats, the same for a query and a document."""
    embeddings = EncoderEmbeddings(encoder)
    vector = embeddings.embed_query("Kettle")
    assert embeddings.embed_documents(["Kettle"]) == [vector]
    np.testing.assert_allclose(vector, encoder.encode(["Kettle"])[0], atol=1e-6)


def test_hash_names_the_weights() -> None:
    """Of the safetensors file and nothing else."""
    assert encoder_sha256() == sha256_file(encoder_dir() / "model.safetensors")


@pytest.mark.slow
def test_vectors_equal_those_of_sentence_transformers(encoder: Encoder) -> None:
    """The reference library on the same weights."""
    library = pytest.importorskip("sentence_transformers")
    reference = library.SentenceTransformer(str(encoder_dir()), device="cpu")
    expected_BD = reference.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    np.testing.assert_allclose(encoder.encode(TEXTS), expected_BD, atol=1e-5)

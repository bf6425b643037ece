"""The encoder with its real weights: shape, length, order, and the reference library's vectors."""

import numpy as np
import pytest

from groundwork.artifacts import sha256_file
from groundwork.index import TOKEN_SCALE, Encoder, encoder_dir, encoder_sha256
from groundwork.index.encoder import (
    BATCH,
    DIMENSION,
    TOKEN_DIMENSION,
    _projection,
    pack_tokens,
)
from groundwork.index.store import EncoderEmbeddings

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


SUBJECT = "Winter: Charging: "
"""Put in front of a sentence; its tokens are not the sentence's."""


def test_tokens_come_with_the_same_vector(encoder: Encoder) -> None:
    """The whole text's is that of `encode`, whatever is skipped."""
    texts = [SUBJECT + text for text in TEXTS]
    encoded = encoder.encode_tokens(texts, skip=[len(SUBJECT), 0, len(SUBJECT)])
    np.testing.assert_array_equal(encoded.vectors_BD, encoder.encode(texts))


def test_tokens_are_unit_vectors_with_their_places(encoder: Encoder) -> None:
    """(T, 128) of length 1; the spans cover every letter once, special tokens have none."""
    encoded = encoder.encode_tokens(TEXTS, skip=[0, 0, 0])
    for text, tokens_TP, spans in zip(TEXTS, encoded.tokens, encoded.spans, strict=True):
        assert tokens_TP.shape == (len(spans), TOKEN_DIMENSION)
        assert tokens_TP.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(tokens_TP, axis=1), 1, atol=1e-5)
        assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    assert [TEXTS[1][a:b] for a, b in encoded.spans[1]] == ["Kettle"]


@pytest.mark.parametrize(
    ("skip", "expected"),
    [(0, ["Winter", ":", "Cold", "car"]), (8, ["Cold", "car"]), (9, ["car"]), (99, [])],
    ids=["all", "from its start", "from inside a token", "nothing left"],
)
def test_tokens_that_begin_before_the_limit_are_skipped(
    encoder: Encoder, skip: int, expected: list[str]
) -> None:
    """Text by text: the other one keeps its tokens."""
    text = "Winter: Cold car"
    encoded = encoder.encode_tokens([text, text], skip=[skip, 0])
    assert [text[a:b] for a, b in encoded.spans[0]] == expected
    assert encoded.tokens[0].shape == (len(expected), TOKEN_DIMENSION)
    assert len(encoded.tokens[1]) == 4


def test_what_is_skipped_still_colours_the_rest(encoder: Encoder) -> None:
    """A token's vector depends on its text: that is what the subject is there for."""
    river, money = encoder.encode_tokens(
        ["River: The bank is steep.", "Money: The bank is steep."], skip=[7, 7]
    ).tokens
    assert (np.sum(river * money, axis=1) < 0.999).all()


def test_order_of_texts_is_kept_across_batches(encoder: Encoder) -> None:
    """Texts go through the model by length and come back in their places."""
    texts = [f"{'socket ' * (n % 7)}number {n}" for n in range(BATCH + 3)]
    encoded = encoder.encode_tokens(texts, skip=[0] * len(texts))
    assert [texts[n][a:b] for n, spans in enumerate(encoded.spans) for a, b in spans[-1:]] == [
        str(n) for n in range(len(texts))
    ]
    alone = encoder.encode_tokens(texts[-1:], skip=[0])
    np.testing.assert_allclose(encoded.tokens[-1], alone.tokens[0], atol=1e-5)


def test_no_texts_have_no_tokens(encoder: Encoder) -> None:
    """Nor does a text without a character that counts."""
    assert encoder.encode_tokens([], skip=[]).tokens == ()
    encoded = encoder.encode_tokens(["", " "], skip=[0, 0])
    assert [tokens_TP.shape for tokens_TP in encoded.tokens] == [(0, TOKEN_DIMENSION)] * 2


def test_projection_keeps_cosines(encoder: Encoder) -> None:
    """384 dimensions in 128: a cosine moves by some .09 = 1 / sqrt(128), seldom by .3."""
    states_TD = np.random.default_rng(1).normal(size=(60, DIMENSION))
    states_TD[1::2] += 2 * states_TD[::2]
    before_TT, after_TT = (
        rows / np.linalg.norm(rows, axis=1, keepdims=True)
        for rows in (states_TD, states_TD @ _projection())
    )
    moved_TT = np.abs(before_TT @ before_TT.T - after_TT @ after_TT.T)
    assert np.sqrt((moved_TT**2).mean()) < 0.1
    assert moved_TT.max() < 0.4


def test_packed_tokens_by_hand() -> None:
    """TOKEN_SCALE = 127 * sqrt(128) / 4 = 359.21: .1 -> 35.92 -> 36, -.1 -> -36, 0 -> 0.

    Beyond 127 / 359.21 = .3536 it is cut, below -.3536 as well.
    """
    assert pytest.approx(359.21, abs=0.01) == TOKEN_SCALE
    packed = pack_tokens(np.array([[0.1, -0.1, 0.0, 0.353, 0.36, 1.0, -1.0]], dtype=np.float32))
    assert packed.dtype == np.int8
    assert packed.tolist() == [[36, -36, 0, 127, 127, 127, -127]]


def test_packing_hardly_moves_a_cosine(encoder: Encoder) -> None:
    """By less than .01, for every pair of tokens."""
    tokens_TP = np.concatenate(encoder.encode_tokens(TEXTS, skip=[0, 0, 0]).tokens)
    packed_TP = pack_tokens(tokens_TP).astype(np.float32) / TOKEN_SCALE
    np.testing.assert_allclose(tokens_TP @ packed_TP.T, tokens_TP @ tokens_TP.T, atol=0.01)


def test_states_are_those_of_transformers_to_the_last_bit(encoder: Encoder) -> None:
    """The library's BERT on the same ids, alone and in a padded batch."""
    import torch
    from transformers import BertModel

    reference = BertModel.from_pretrained(
        str(encoder_dir()),
        local_files_only=True,
        add_pooling_layer=False,
        attn_implementation="eager",
    ).eval()
    for texts in (TEXTS[:1], TEXTS, TEXTS * 11):
        encodings = encoder._tokenize(list(texts))
        ids_BT = torch.tensor([encoding.ids for encoding in encodings])
        mask_BT = torch.tensor([encoding.attention_mask for encoding in encodings])
        with torch.inference_mode():
            expected = reference(input_ids=ids_BT, attention_mask=mask_BT).last_hidden_state
            found = encoder._model(ids_BT, mask_BT)
        assert found.numpy().tobytes() == expected.numpy().tobytes()

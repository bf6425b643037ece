"""BM25 and its words: what counts as a word, the scores by hand, files without pickle."""

import json
from math import log
from pathlib import Path

import numpy as np
import pytest

from groundwork.errors import ArtifactError, InputError
from groundwork.index import Lexicon, terms

TEXTS = ["Pumps hum. Pumps leak.", "The valve leaks", "Clean the filter of the pump in spring"]


@pytest.fixture
def lexicon() -> Lexicon:
    """Three texts of 4, 2 and 4 terms."""
    return Lexicon.build(TEXTS, k1=1.5, b=0.75)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Charging chargers charged", ["charg", "charger", "charg"]),
        ("the of and is", []),
        ("7.4 kW, 1,000 V.", ["7.4", "kw", "1,000", "v"]),
        ("non\u2011slip non-slip", ["non", "slip", "non", "slip"]),
        ("CCS2 & CHAdeMO", ["ccs2", "chademo"]),
        ("", []),
    ],
)
def test_words_are_stemmed_and_stop_words_left_out(text: str, expected: list[str]) -> None:
    """Lower case, numbers with their decimals, hyphens of both kinds."""
    assert terms(text) == expected


def test_score_is_bm25_by_hand(lexicon: Lexicon) -> None:
    """Lucene's BM25 (Kamphuis et al. 2020) for "leak", which two of the three texts hold once.

    idf = ln(1 + (3 - 2 + .5) / (2 + .5)) = ln 1.6; lengths 4, 2, 4; mean 10/3.
    tf part = 1 / (1 + 1.5 * (.25 + .75 * length / mean)): length 4 -> 1.15, length 2 -> .7.
    """
    expected = [log(1.6) / (1 + 1.5 * 1.15), log(1.6) / (1 + 1.5 * 0.7), 0.0]
    np.testing.assert_allclose(lexicon.scores("Do leaks leak?")[:3] / 2, expected, rtol=1e-5)


def test_unknown_words_score_zero(lexicon: Lexicon) -> None:
    """Neither a stop word nor a word of no passage finds anything."""
    assert lexicon.scores("What of the zebra?").tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_array_equal(lexicon.scores("zebra valve"), lexicon.scores("valve"))


def test_rarer_words_weigh_more(lexicon: Lexicon) -> None:
    """ln((3 + 1) / (passages + .5)) for two, one and no passage."""
    weights = [lexicon.idf(term) for term in ("pump", "valv", "zebra")]
    np.testing.assert_allclose(weights, [log(4 / 2.5), log(4 / 1.5), log(4 / 0.5)])
    assert lexicon.knows("valv")
    assert not lexicon.knows("zebra")


def test_loaded_index_scores_the_same(lexicon: Lexicon, tmp_path: Path) -> None:
    """Arrays and vocabulary only; scores, weights and vocabulary survive."""
    lexicon.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".npy", ".json"}
    loaded = Lexicon.load(tmp_path, size=3)
    for question in ("pump in spring", "leaking valve", "zebra"):
        np.testing.assert_array_equal(loaded.scores(question), lexicon.scores(question))
    assert loaded.idf("pump") == lexicon.idf("pump")


@pytest.mark.parametrize("name", ["vocab.index.json", "data.csc.index.npy", "params.index.json"])
@pytest.mark.parametrize("damage", [None, b"{"])
def test_damaged_file_is_an_artifact_error(
    lexicon: Lexicon, tmp_path: Path, name: str, damage: bytes | None
) -> None:
    """A missing and a broken file; the message says how to build it anew."""
    lexicon.save(tmp_path)
    (tmp_path / name).unlink()
    if damage is not None:
        (tmp_path / name).write_bytes(damage)
    with pytest.raises(ArtifactError, match=r"damaged BM25 index.*dvc repro"):
        Lexicon.load(tmp_path, size=3)


def test_pickled_arrays_are_not_read(lexicon: Lexicon, tmp_path: Path) -> None:
    """An object array in a .npy file is pickle in disguise."""
    lexicon.save(tmp_path)
    np.save(tmp_path / "data.csc.index.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match="allow_pickle=False"):
        Lexicon.load(tmp_path, size=3)


def test_vocabulary_is_in_order_of_appearance(lexicon: Lexicon, tmp_path: Path) -> None:
    """No set and no hash order: the same texts give the same file."""
    lexicon.save(tmp_path)
    vocabulary = json.loads((tmp_path / "vocab.index.json").read_text(encoding="utf-8"))
    expected = ["pump", "hum", "leak", "valv", "clean", "filter", "spring"]
    assert [word for word in vocabulary if word] == expected


def test_texts_without_words_are_refused() -> None:
    """Another script than Latin: the lexical half could find nothing."""
    with pytest.raises(InputError, match="2 passages hold no word in Latin letters"):
        Lexicon.build(["充电", "the"], k1=1.5, b=0.75)

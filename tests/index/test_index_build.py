"""The index on disk: complete, the same bytes for the same chunks, checked when it is opened."""

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from groundwork.artifacts import (
    read_json,
    read_parquet,
    short_id,
    write_json,
    write_manifest,
    write_parquet,
)
from groundwork.chunk import split_sentences
from groundwork.errors import ArtifactError, InputError
from groundwork.index import (
    Encoder,
    IndexConfig,
    Sentence,
    build_index,
    encoder_sha256,
    load_index,
    passage_text,
)
from groundwork.index.encoder import DIMENSION, TOKEN_DIMENSION, Encoded, pack_tokens
from groundwork.index.texts import subject_of
from groundwork.index.vectors import StoredPassage
from groundwork.records import Chunk

FLAT = IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75)
HNSW = replace(FLAT, faiss="HNSW32,Flat")
FILES = [
    "bm25/data.csc.index.npy",
    "bm25/indices.csc.index.npy",
    "bm25/indptr.csc.index.npy",
    "bm25/params.index.json",
    "bm25/vocab.index.json",
    "passages.parquet",
    "sentences.faiss",
    "sentences.parquet",
    "tokens.npy",
    "vectors.faiss",
]
PROSE = (
    "The pump hums at night. It stops at 5.30 in the morning, e.g. for cleaning. Do not open it!"
)
TABLE = "Parts and prices:\n\n| Part | Price |\n|---|---|\n| Valve | £4 |\n| Filter | £9 |"
STEPS = "- Close the valve.\n- Clean the filter."


class Hashing(Encoder):
    """Unit vectors out of a hash: fast, and the same everywhere. A token is a word."""

    def __init__(self) -> None:
        super().__init__(None, None)
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """float32 (B, 384)"""
        self.seen += texts
        return _hashed(texts, DIMENSION)

    def encode_tokens(self, texts: Sequence[str], *, skip: Sequence[int]) -> Encoded:
        """Words that begin at `skip` or later."""
        words = [
            [word for word in re.finditer(r"\w+", text) if word.start() >= first]
            for text, first in zip(texts, skip, strict=True)
        ]
        return Encoded(
            self.encode(texts),
            tuple(_hashed([word[0] for word in found], TOKEN_DIMENSION) for found in words),
            tuple(tuple(word.span() for word in found) for found in words),
        )


def _hashed(texts: Sequence[str], width: int) -> np.ndarray:
    digests = [np.frombuffer(sha256(text.encode()).digest(), dtype=np.uint8) for text in texts]
    rows = np.array(digests, dtype=np.float32).reshape(len(texts), 32) / 128 - 1
    vectors_BD = np.tile(rows, width // 32)
    return np.asarray(vectors_BD / np.linalg.norm(vectors_BD, axis=1, keepdims=True))


def _chunk(text: str, *, heading: str = "") -> Chunk:
    return Chunk(
        passage_id=short_id("d1", 0, text),
        document_id="d1",
        url="https://pumps.example/care/",
        title="Pump care",
        heading=heading,
        text=text,
        start=0,
        end=len(text),
        tokens=20,
        category="care",
        licence="CC-BY-4.0",
    )


CHUNKS = [_chunk(PROSE), _chunk(TABLE, heading="Spare parts > Prices"), _chunk(STEPS)]


def _build(folder: Path, chunks: Sequence[Chunk] = CHUNKS, config: IndexConfig = FLAT) -> Path:
    build_index(chunks, config=config, encoder=Hashing(), folder=folder)
    return folder


@pytest.fixture(scope="module")
def shared_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the three chunks, to be read only: the encoder's hash takes a while."""
    return _build(tmp_path_factory.mktemp("shared") / "index")


@pytest.fixture
def built_dir(shared_dir: Path, tmp_path: Path) -> Path:
    """The same index, to be damaged."""
    return Path(shutil.copytree(shared_dir, tmp_path / "index"))


def test_manifest_names_every_file_encoder_and_sizes(built_dir: Path) -> None:
    """What is on disk is what the manifest lists, and the counts are those of the chunks."""
    manifest = read_json(built_dir / "manifest.json")
    assert sorted(manifest["files"]) == FILES
    on_disk = {p.relative_to(built_dir).as_posix() for p in built_dir.rglob("*") if p.is_file()}
    assert on_disk == {*FILES, "manifest.json"}
    del manifest["files"]
    assert manifest == {
        "encoder": {"name": "all-MiniLM-L6-v2", "sha256": encoder_sha256()},
        "retriever": {"sha256": encoder_sha256(), "adapter_sha256": None},
        "faiss": "Flat",
        "passages": 3,
        "sentences": 8,
    }


@pytest.mark.parametrize("config", [FLAT, HNSW], ids=["Flat", "HNSW"])
def test_two_builds_are_equal_byte_for_byte(tmp_path: Path, config: IndexConfig) -> None:
    """Every file of the two folders."""
    one, other = (_build(tmp_path / name, config=config) for name in ("one", "other"))
    for name in [*FILES, "manifest.json"]:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def _embedded(chunk: Chunk, sentence: Sentence) -> str:
    return subject_of(chunk) + chunk.text[sentence.start : sentence.end]


@pytest.mark.parametrize("config", [FLAT, HNSW], ids=["Flat", "HNSW"])
def test_loaded_index_holds_what_was_indexed(tmp_path: Path, config: IndexConfig) -> None:
    """Chunks with their types, vectors of passages and sentences, and a working search."""
    encoder = Hashing()
    index = load_index(_build(tmp_path / "index", config=config), encoder)
    assert index.chunks == tuple(CHUNKS)
    np.testing.assert_array_equal(
        index.vectors_ND, encoder.encode([passage_text(c) for c in CHUNKS])
    )
    sentences = [_embedded(CHUNKS[s.passage], s) for s in index.sentences]
    np.testing.assert_array_equal(index.sentence_vectors_SD, encoder.encode(sentences))
    number, score = index.store.search_vector(index.vectors_ND[1], 1)[0]
    assert number == 1
    assert score == pytest.approx(1.0, abs=1e-6)
    assert int(index.lexicon.scores("valve prices").argmax()) == 1


def test_sentences_are_spans_of_their_passage(built_dir: Path) -> None:
    """`first_sentence_N` cuts the sentences into those of each passage."""
    index = load_index(built_dir, Hashing())
    assert index.first_sentence_N.tolist() == [0, 3, 6, 8]
    for number, chunk in enumerate(CHUNKS):
        first, last = index.first_sentence_N[number : number + 2]
        found = [(s.passage, s.start, s.end) for s in index.sentences[first:last]]
        assert found == [(number, start, end) for start, end in split_sentences(chunk.text)]
    spans = [index.chunks[s.passage].text[s.start : s.end] for s in index.sentences]
    assert spans == [
        "The pump hums at night.",
        "It stops at 5.30 in the morning, e.g. for cleaning.",
        "Do not open it!",
        "Parts and prices:",
        "| Valve | £4 |",
        "| Filter | £9 |",
        "Close the valve.",
        "Clean the filter.",
    ]


def test_tokens_of_a_sentence_are_its_own_words(built_dir: Path) -> None:
    """`first_token_S` cuts the tokens: 5, 12, 4, 3 words and so on; title and heading have none."""
    index = load_index(built_dir, Hashing())
    counts = [5, 12, 4, 3, 2, 2, 3, 3]
    assert [s.tokens for s in index.sentences] == counts
    assert index.first_token_S.tolist() == [0, *np.cumsum(counts).tolist()]
    assert index.tokens_MP.shape == (34, TOKEN_DIMENSION)
    assert index.tokens_MP.dtype == np.int8
    first, last = index.first_token_S[4:6]
    expected_TP = pack_tokens(_hashed(["Valve", "4"], TOKEN_DIMENSION))
    np.testing.assert_array_equal(index.tokens_MP[first:last], expected_TP)


def test_tokens_are_mapped_not_read(built_dir: Path) -> None:
    """They are most of the index; what is not asked for stays on disk."""
    assert isinstance(load_index(built_dir, Hashing()).tokens_MP, np.memmap)


def test_title_and_headings_are_embedded_too(tmp_path: Path) -> None:
    """A passage carries all its headings, a sentence the last one; without one, the title."""
    encoder = Hashing()
    build_index(CHUNKS, config=FLAT, encoder=encoder, folder=tmp_path)
    assert encoder.seen[0] == f"Pump care. {PROSE}"
    assert encoder.seen[1] == f"Pump care. Spare parts > Prices. {TABLE}"
    assert encoder.seen[3] == "Pump care: The pump hums at night."
    assert encoder.seen[7] == "Pump care: Prices: | Valve | £4 |"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flipped", "shortened", "missing"])
def test_damage_is_found_by_checksum_and_named(built_dir: Path, name: str, damage: str) -> None:
    """One bit, one byte or the whole file: the file is named."""
    path = built_dir / name
    body = path.read_bytes()
    match damage:
        case "flipped":
            path.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
        case "shortened":
            path.write_bytes(body[:-1])
        case "missing":
            path.unlink()
    expected = "no such file" if damage == "missing" else "damaged or edited"
    with pytest.raises(ArtifactError, match=f"{name}.*{expected}"):
        load_index(built_dir, Hashing())


def test_interrupted_build_is_no_index(built_dir: Path) -> None:
    """The manifest is written last: without it nothing is read."""
    (built_dir / "manifest.json").unlink()
    with pytest.raises(ArtifactError, match=r"manifest\.json: no such file"):
        load_index(built_dir, Hashing())


def test_index_of_another_encoder_is_refused(built_dir: Path) -> None:
    """Its vectors would mean something else."""
    manifest = read_json(built_dir / "manifest.json")
    manifest["encoder"]["sha256"] = "0" * 64
    write_json(built_dir / "manifest.json", manifest)
    with pytest.raises(ArtifactError, match=r"built with encoder 000000000000….*requirements"):
        load_index(built_dir, Hashing())


def test_matching_checksums_do_not_hide_a_wrong_vector_file(built_dir: Path) -> None:
    """Files that fit the manifest but not each other are refused as well."""
    manifest = read_json(built_dir / "manifest.json")
    other = _build(built_dir.parent / "other", CHUNKS[:2])
    (built_dir / "vectors.faiss").write_bytes((other / "vectors.faiss").read_bytes())
    extra = {key: value for key, value in manifest.items() if key != "files"}
    write_manifest(built_dir, FILES, **extra)
    with pytest.raises(ArtifactError, match="2 vectors but 3 passages"):
        load_index(built_dir, Hashing())


def test_no_chunks_are_refused(tmp_path: Path) -> None:
    """An empty corpus has no index; nothing is written."""
    with pytest.raises(InputError, match="no passages; expected at least one"):
        _build(tmp_path / "index", [])
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    "chunks", [[_chunk("```\nrun()\n```")], [_chunk("```\nrun()\n```"), *CHUNKS]]
)
def test_passage_without_a_sentence_is_indexed(tmp_path: Path, chunks: list[Chunk]) -> None:
    """Code alone has no sentence, also when it is the only passage."""
    index = load_index(_build(tmp_path / "index", chunks), Hashing())
    assert index.first_sentence_N[:2].tolist() == [0, 0]
    assert len(index.chunks) == len(chunks)
    assert len(index.sentence_vectors_SD) == len(index.sentences)
    assert len(index.tokens_MP) == sum(s.tokens for s in index.sentences)
    assert len(index.first_token_S) == len(index.sentences) + 1


def test_metadata_on_disk_is_json(built_dir: Path) -> None:
    """What a release ships can be read with any tool."""
    import pyarrow.parquet as pq

    rows = pq.read_table(built_dir / "passages.parquet").to_pylist()
    assert [row["passage_id"] for row in rows] == [chunk.passage_id for chunk in CHUNKS]
    assert json.loads(rows[1]["metadata"]) == {
        "category": "care",
        "document_id": "d1",
        "end": len(TABLE),
        "heading": "Spare parts > Prices",
        "licence": "CC-BY-4.0",
        "parent_end": 0,
        "parent_id": "",
        "parent_start": 0,
        "start": 0,
        "title": "Pump care",
        "tokens": 20,
        "url": "https://pumps.example/care/",
    }


def test_an_index_older_than_parents_opens(built_dir: Path) -> None:
    """A release whose passages know no parent still serves."""
    rows = read_parquet(built_dir / "passages.parquet", StoredPassage)
    older = []
    for row in rows:
        known = json.loads(row.metadata)
        kept = {name: value for name, value in known.items() if not name.startswith("parent_")}
        assert len(kept) == len(known) - 3
        older.append(replace(row, metadata=json.dumps(kept)))
    write_parquet(built_dir / "passages.parquet", older, StoredPassage)
    manifest = read_json(built_dir / "manifest.json")
    names = manifest.pop("files")
    write_manifest(built_dir, names, **manifest)
    assert load_index(built_dir, Hashing()).chunks == tuple(CHUNKS)

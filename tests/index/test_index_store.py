"""The vector store: LangChain's own standard, files without pickle, and clear refusals."""

from pathlib import Path

import numpy as np
import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from groundwork.artifacts import read_parquet, write_parquet
from groundwork.errors import ArtifactError, ConfigError, InputError
from groundwork.index.store import PassageStore
from groundwork.index.vectors import PASSAGES, VECTORS, StoredPassage

EMBEDDINGS = DeterministicFakeEmbedding(size=6)
TEXTS = ["The pump hums.", "Valves leak.", "Filters clog in spring."]
METADATAS = [
    {"title": "Pumps – Ä", "start": 3, "share": 0.25},
    {"title": "Valves", "start": 0, "share": 1.0},
    {"title": "Filters", "start": 7, "share": 0.5},
]


@pytest.mark.anyio
class TestStandard(VectorStoreIntegrationTests):
    """LangChain's standard for vector stores, sync and async, for two kinds of FAISS index."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        """LangChain's async methods run on asyncio."""
        return "asyncio"

    @pytest.fixture(params=["Flat", "HNSW32,Flat"])
    def vectorstore(self, request: pytest.FixtureRequest) -> PassageStore:
        """An empty store."""
        return PassageStore(self.get_embeddings(), factory=request.param)


@pytest.fixture
def store() -> PassageStore:
    """Three passages with the ids a, b and c."""
    return PassageStore.from_texts(TEXTS, EMBEDDINGS, METADATAS, ids=["a", "b", "c"])


@pytest.fixture
def saved_dir(store: PassageStore, tmp_path: Path) -> Path:
    """The store on disk."""
    store.save(tmp_path)
    return tmp_path


def test_saved_store_is_two_files_and_no_litter(saved_dir: Path) -> None:
    """FAISS and Parquet, nothing else."""
    assert sorted(path.name for path in saved_dir.iterdir()) == [PASSAGES, VECTORS]


@pytest.mark.parametrize("factory", ["Flat", "HNSW32,Flat"])
def test_what_is_loaded_equals_what_was_saved(tmp_path: Path, factory: str) -> None:
    """Ids, texts, metadata with their types, order, vectors and search results."""
    store = PassageStore.from_texts(
        TEXTS, EMBEDDINGS, METADATAS, ids=["c", "a", "b"], factory=factory
    )
    store.save(tmp_path)
    loaded = PassageStore.load(tmp_path, EMBEDDINGS, factory=factory)
    assert loaded.documents == store.documents
    assert [document.id for document in loaded.documents] == ["c", "a", "b"]
    np.testing.assert_array_equal(loaded.vectors(), store.vectors())
    found = loaded.similarity_search_with_score(TEXTS[1], k=3)
    assert found == store.similarity_search_with_score(TEXTS[1], k=3)


def test_score_is_the_inner_product(store: PassageStore) -> None:
    """Best first, each score the product of the two vectors."""
    query = EMBEDDINGS.embed_query("How do pumps sound?")
    expected = store.vectors() @ np.asarray(query, dtype=np.float32)
    found = store.similarity_search_with_score("How do pumps sound?", k=3)
    order = np.argsort(-expected)
    assert [document.id for document, _ in found] == ["abc"[n] for n in order]
    np.testing.assert_allclose([score for _, score in found], expected[order], rtol=1e-5)
    by_vector = store.similarity_search_by_vector(query, k=3)
    assert by_vector == [document for document, _ in found]


def test_relevance_maps_cosines_to_zero_and_one() -> None:
    """(cosine + 1) / 2: opposite vectors give 0, equal ones 1."""
    store = PassageStore(EMBEDDINGS)
    unit_D = np.asarray(EMBEDDINGS.embed_query("pump"), dtype=np.float32)
    unit_D /= np.linalg.norm(unit_D)
    relevance = store._select_relevance_score_fn()
    store.add_vectors(["same", "opposite"], np.stack([unit_D, -unit_D]), ids=["s", "o"])
    scores = [relevance(score) for _, score in store.search_vector(unit_D, 2)]
    np.testing.assert_allclose(scores, [1.0, 0.0], atol=1e-6)


def test_same_id_replaces_the_passage(store: PassageStore) -> None:
    """The number of vectors stays the same, the text is the new one."""
    store.add_texts(["Valves stick."], [{}], ids=["b"])
    assert [(d.id, d.page_content) for d in store.documents] == [
        ("a", TEXTS[0]),
        ("c", TEXTS[2]),
        ("b", "Valves stick."),
    ]
    assert store.vectors().shape == (3, 6)
    assert store.similarity_search("Valves stick.", k=1)[0].id == "b"


def test_passages_without_ids_get_new_ones() -> None:
    """Each text its own id, also beside given ones."""
    store = PassageStore(EMBEDDINGS)
    ids = store.add_texts(TEXTS)
    assert len(set(ids)) == 3
    assert [document.id for document in store.get_by_ids(ids)] == ids


def test_nothing_to_add_adds_nothing() -> None:
    """An empty list is no error."""
    store = PassageStore(EMBEDDINGS)
    assert store.add_texts([]) == []
    assert store.documents == []
    assert store.vectors().shape == (0, 0)


def test_unequal_numbers_are_refused() -> None:
    """Two texts, one vector, two metadata, one id: the message counts them."""
    store = PassageStore(EMBEDDINGS)
    with pytest.raises(InputError, match="2 texts, 1 vectors, 2 metadata and 1 ids"):
        store.add_vectors(TEXTS[:2], np.zeros((1, 6)), metadatas=METADATAS[:2], ids=["a"])


def test_an_id_twice_in_one_call_is_refused() -> None:
    """Otherwise one document would stand for two vectors."""
    store = PassageStore(EMBEDDINGS)
    with pytest.raises(InputError, match="2 ids, 1 distinct"):
        store.add_texts(TEXTS[:2], ids=["a", "a"])
    assert store.documents == []


def test_deleting_all_empties_the_store(store: PassageStore) -> None:
    """Without ids everything goes; unknown ids are passed over before that."""
    assert store.delete(["unknown"]) is True
    assert len(store.documents) == 3
    assert store.delete() is True
    assert store.documents == []
    assert store.similarity_search("pump") == []


def test_changing_a_found_document_leaves_the_store_alone(store: PassageStore) -> None:
    """Search and look-up hand out copies."""
    for document in (store.get_by_ids(["a"])[0], store.similarity_search(TEXTS[0], k=1)[0]):
        document.metadata["title"] = "changed"
    assert store.get_by_ids(["a"])[0].metadata == METADATAS[0]


def test_fewer_than_one_result_is_none(store: PassageStore) -> None:
    """k = 0 finds nothing; k beyond the size finds all."""
    vector_D = store.vectors()[0]
    assert store.search_vector(vector_D, 0) == []
    assert len(store.search_vector(vector_D, 99)) == 3


def test_store_is_a_langchain_retriever(store: PassageStore) -> None:
    """`as_retriever` gives documents with their metadata."""
    found = store.as_retriever(search_kwargs={"k": 1}).invoke(TEXTS[2])
    assert found == [Document(id="c", page_content=TEXTS[2], metadata=METADATAS[2])]
    assert store.embeddings is EMBEDDINGS


def test_empty_store_is_not_saved(tmp_path: Path) -> None:
    """There would be nothing to load."""
    with pytest.raises(InputError, match="holds no passages"):
        PassageStore(EMBEDDINGS).save(tmp_path)


@pytest.mark.parametrize(
    ("factory", "expected"),
    [
        ("Flatt", r"index\.faiss='Flatt' in params\.yaml: expected a FAISS factory string"),
        ("IVF256,Flat", "3 passages are too few to train it; use Flat"),
    ],
)
def test_wrong_factory_names_the_key(factory: str, expected: str) -> None:
    """A misspelt factory, and one that needs more passages than there are."""
    with pytest.raises(ConfigError, match=expected):
        PassageStore.from_texts(TEXTS, EMBEDDINGS, factory=factory)


@pytest.mark.parametrize("damage", [b"", b"not an index"])
def test_damaged_faiss_file_is_named(saved_dir: Path, damage: bytes) -> None:
    """An empty and a foreign file; the message says how to build it anew."""
    (saved_dir / VECTORS).write_bytes(damage)
    with pytest.raises(ArtifactError, match=r"vectors\.faiss: damaged or missing.*dvc repro"):
        PassageStore.load(saved_dir, EMBEDDINGS)


def test_damaged_passages_are_named(saved_dir: Path) -> None:
    """A Parquet file that is none."""
    (saved_dir / PASSAGES).write_bytes(b"PAR1")
    with pytest.raises(ArtifactError, match=r"passages\.parquet: damaged Parquet"):
        PassageStore.load(saved_dir, EMBEDDINGS)


def test_vectors_and_passages_must_be_as_many(saved_dir: Path) -> None:
    """A file of another build does not slip in."""
    rows = read_parquet(saved_dir / PASSAGES, StoredPassage)
    write_parquet(saved_dir / PASSAGES, rows[:2], StoredPassage)
    with pytest.raises(ArtifactError, match="3 vectors but 2 passages"):
        PassageStore.load(saved_dir, EMBEDDINGS)

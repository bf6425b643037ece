"""A small bicycle hire shop: nine passages of five pages, indexed once with the real encoder."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from groundwork.answer import Retrieval
from groundwork.answer.config import ExtractiveConfig, RetrievalConfig
from groundwork.answer.extractive import Extractive
from groundwork.answer.linear import Logistic
from groundwork.artifacts import short_id
from groundwork.index import Encoder, IndexConfig, build_index, load_index
from groundwork.records import Chunk

PAGES: list[tuple[str, str, str, list[tuple[str, str]]]] = [
    (
        "visit",
        "Visit us",
        "visit",
        [("", "The shop opens at 8 am on weekdays. On Sundays it opens at 10 am. Dogs may come.")],
    ),
    (
        "prices",
        "Prices",
        "money",
        [
            (
                "Day rates",
                "Every price includes a helmet.\n\n| Bicycle | Per day | Deposit |\n|---|---|---|\n"
                "| City bike | £12 | £50 |\n| **Cargo bike** | £30 | £150 |\n| Tandem | £25 | |",
            ),
            ("Discounts", "Students pay 20 per cent less. Club members ride free on Mondays."),
        ],
    ),
    (
        "returns",
        "Returning a bicycle",
        "returns",
        [
            (
                "At the desk",
                "Follow these steps when you return a bicycle:\n\n1. Lock the bicycle to the rack."
                "\n2. Hand the key to the desk.\n3. Sign the return form.\n\n"
                "A late return costs £5 per hour.",
            ),
            ("Deposits", "The deposit is paid back within 3 days because the bank needs time."),
        ],
    ),
    (
        "batteries",
        "Electric bicycles",
        "electric",
        [
            (
                "Range",
                "The battery lasts 60 km on flat ground. Charging takes 4 hours from empty. "
                "In winter the range falls to 40 km because cold cells give less energy.",
            ),
            (
                "Range > Winter",
                "In winter the range falls to 40 km because cold cells give less energy. "
                "Keep the battery indoors at night.",
            ),
            ("Display", "```\nERR 07\n```"),
        ],
    ),
    (
        "repairs",
        "Repairs",
        "repairs",
        [
            (
                "",
                "Bring these tools:\n\n- a pump\n- two tyre levers\n\nNever bring these:\n\n"
                "- petrol\n- a welding torch\n",
            )
        ],
    ),
]


def _chunks() -> list[Chunk]:
    chunks = []
    for folder, title, category, passages in PAGES:
        url = f"https://bikes.example/{folder}/"
        start = 0
        for heading, text in passages:
            chunks.append(
                Chunk(
                    passage_id=short_id(short_id(url), start, text),
                    document_id=short_id(url),
                    url=url,
                    title=title,
                    heading=heading,
                    text=text,
                    start=start,
                    end=start + len(text),
                    tokens=len(text.split()),
                    category=category,
                    licence="CC-BY-4.0",
                )
            )
            start += len(text) + 2
    return chunks


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The bundled model."""
    return Encoder.load()


@pytest.fixture(scope="session")
def bikes_dir(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The index on disk, to be read only."""
    folder = tmp_path_factory.mktemp("bikes") / "index"
    config = IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75)
    build_index(_chunks(), config=config, encoder=encoder, folder=folder)
    return folder


@pytest.fixture(scope="session")
def retrieval_config() -> RetrievalConfig:
    """The values of conf/answer/default.yaml with fewer passages."""
    return RetrievalConfig(
        top_k=4,
        candidates=6,
        dense_weight=1.0,
        sentence_weight=0.5,
        token_weight=0.0,
        lexical_weight=0.3,
        returned="passage",
    )


@pytest.fixture(scope="session")
def bikes(bikes_dir: Path, encoder: Encoder, retrieval_config: RetrievalConfig) -> Retrieval:
    """Retrieval over the nine passages."""
    return Retrieval(load_index(bikes_dir, encoder), encoder, retrieval_config)


@pytest.fixture(scope="session")
def ranker() -> Logistic:
    """Similarity, shared words and the kind asked for, weighted by hand."""
    from groundwork.answer.features import FEATURES

    weights = {"cos_sentence": 6.0, "overlap": 4.0, "kind_match": 2.0, "list_match": 2.0}
    return Logistic(dict.fromkeys(FEATURES, 0.0) | weights, -4.0)


EXTRACTIVE = ExtractiveConfig(max_sentences=3, max_list_items=8, list_ratio=0.3, keep_ratio=0.05)


@pytest.fixture
def make_extractive(bikes: Retrieval, ranker: Logistic) -> Callable[..., Extractive]:
    """An extractive answerer; keywords change its configuration."""

    def make(**changes: float) -> Extractive:
        config = ExtractiveConfig(**{**asdict(EXTRACTIVE), **changes})
        return Extractive(bikes, config, ranker)

    return make

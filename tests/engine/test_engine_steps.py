"""The steps that an engine does: by workers the same as in one process, and by the same code."""

import gc
import hashlib
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from engine_work import engine

from groundwork.chunk import ChunkConfig, chunk_documents
from groundwork.clean import CleanConfig, clean_pages
from groundwork.clean.page import Reading, reading_work
from groundwork.config import DomainConfig, check
from groundwork.engine import Work
from groundwork.index import RememberingEncoder
from groundwork.index.memory import Embedder
from groundwork.qa import RulesConfig
from groundwork.qa.asking import asking_work
from groundwork.records import Chunk, Document, Page
from groundwork.tables import Rows, write_rows

CONF_DIR = Path(__file__).parents[2] / "conf"
MANY = 130
BAR = "Share this page with everybody who drives an electric car."


def _section(name: str) -> Any:
    text = (CONF_DIR / name).read_text(encoding="utf-8")
    return yaml.safe_load(text.replace("${seed}", "13"))


@pytest.fixture
def clean_config() -> CleanConfig:
    """What ships with the repository."""
    return check("clean", CleanConfig, _section("clean/default.yaml"), CONF_DIR)


@pytest.fixture
def domain() -> DomainConfig:
    """No categories of its own."""
    values = _section("domain/ev_charging.yaml") | {"categories": {}}
    return check("domain", DomainConfig, values, CONF_DIR)


def _page(number: int) -> Page:
    """Every tenth page repeats the one before, every seventh holds too little."""
    seed = number - (number % 10 == 9)
    words = " ".join(f"Post {seed}-{i} gives {i * seed} amperes at night." for i in range(1, 9))
    text = "Nothing." if number % 7 == 6 else words
    main = f"<main><h1>Post {seed}</h1><p>{text}</p><p>{BAR}</p></main>"
    body = f"<html lang=en><body>{main}</body></html>".encode()
    url = f"https://site.example/{number:03d}"
    return Page(url, "text/html", "", body, hashlib.sha256(body).hexdigest(), "site", "")


def test_clean_is_the_same_in_memory_and_from_shards_by_workers(
    own_folder: Path, clean_config: CleanConfig, domain: DomainConfig
) -> None:
    """Documents, rejects and report; boilerplate and duplicates are found across shards."""
    pages = [_page(number) for number in range(40)]
    alone = clean_pages(pages, config=clean_config, domain=domain, categorise=None)
    assert {"near_duplicate", "too_short"} & set(alone.report["rejects"])
    assert alone.report["repeated"] == {"site.example": [{"pages": 36, "text": BAR}]}
    shutil.rmtree(".cache")
    rows = write_rows(Path("pages.parquet"), iter(pages), Page, shard_bytes=4000)
    assert len(rows.names()) > 2
    again = clean_pages(
        rows,
        config=clean_config,
        domain=domain,
        categorise=None,
        engine=engine(),
        keep=lambda documents: write_rows(
            Path("documents.parquet"), documents, Document, shard_bytes=4000
        ),
    )
    assert isinstance(again.documents, Rows)
    assert list(again.documents) == alone.documents
    assert (again.rejects, again.report) == (alone.rejects, alone.report)


def _alive() -> int:
    """Pages and documents in this process, those of other tests included."""
    kinds = [type(item) for item in gc.get_objects()]
    return kinds.count(Page) + kinds.count(Document)


def test_clean_holds_few_pages_and_documents_at_a_time(
    own_folder: Path, clean_config: CleanConfig, domain: DomainConfig
) -> None:
    """However many there are."""
    rows = write_rows(Path("pages.parquet"), map(_page, range(MANY)), Page)
    held = []
    gc.collect()
    before = _alive()

    def counted(documents: Iterator[Document]) -> Iterator[Document]:
        for document in documents:
            held.append(_alive() - before)
            yield document

    def keep(documents: Iterator[Document]) -> Collection[Document]:
        return write_rows(Path("documents.parquet"), counted(documents), Document)

    result = clean_pages(rows, config=clean_config, domain=domain, categorise=None, keep=keep)
    assert len(held) == len(result.documents) > 90
    assert [count - number for number, count in enumerate(held) if count - number > 8] == [], (
        "the writer holds the documents of a row group, and nobody any page but the current one"
    )


TEXT = (
    "# Kettle\n\nA domestic wallbox draws 7.4 kW from a single-phase supply.\n\n"
    "## Care\n\nDescale it once a month."
)


def _document(number: int) -> Document:
    return Document(
        document_id=f"{number:016d}", url=f"https://site.example/{number}", title="Kettle",
        text=f"{TEXT}\n\nIt is number {number}.", language="en", date="", author="",
        category="general", category_confidence=1.0, media="html", licence="", source="site",
        page_sha256="0" * 64,
    )  # fmt: skip


def test_chunk_is_the_same_by_workers(own_folder: Path) -> None:
    """Passages in the order of their documents, kept as the caller wants them."""
    config = check("chunk", ChunkConfig, _section("chunk/headings.yaml"), CONF_DIR)
    documents = [_document(number) for number in range(12)]
    alone = chunk_documents(documents, config=config)
    assert isinstance(alone, list)
    shutil.rmtree(".cache")
    rows = write_rows(Path("documents.parquet"), documents, Document)
    again = chunk_documents(rows, config=config, engine=engine(), keep=tuple)
    assert again == tuple(alone)
    assert len({chunk.document_id for chunk in again}) == 12


@pytest.mark.slow
def test_semantic_passages_are_the_same_by_workers(own_folder: Path) -> None:
    """Workers load the encoder themselves."""
    from groundwork.chunk import semantic_meaning

    config = check("chunk", ChunkConfig, _section("chunk/semantic.yaml"), CONF_DIR)
    config = replace(config, target_tokens=20, max_tokens=25)
    documents = [_document(number) for number in range(6)]
    meaning = semantic_meaning()
    alone = chunk_documents(documents, config=config, meaning=meaning)
    shutil.rmtree(".cache")
    again = chunk_documents(documents, config=config, meaning=meaning, engine=_wide())
    assert again == alone


def test_questions_are_the_same_by_workers(own_folder: Path) -> None:
    """Pairs in the order of their documents."""
    from groundwork.engine import Results

    config = check("rules", RulesConfig, _section("qa/rules.yaml")["rules"], CONF_DIR)
    chunking = check("chunk", ChunkConfig, _section("chunk/headings.yaml"), CONF_DIR)
    groups = [list(chunk_documents([_document(n)], config=chunking)) for n in range(12)]
    work = asking_work(config)
    alone = [data for _, data in Results(work, groups, engine=None, unit="document")]
    assert all(b"question_id" in data for data in alone)
    shutil.rmtree(".cache")
    again = [data for _, data in Results(work, groups, engine=engine(), unit="document")]
    assert again == alone


@pytest.mark.slow
def test_vectors_are_the_same_by_workers(own_folder: Path) -> None:
    """To the last bit: workers use as many threads as the stage; an empty group stays empty."""
    groups = [[f"Kettle {n}.", f"It boils {n} litres."] for n in range(6)]
    skips = [(group, [0, 3]) for group in groups]
    one = RememberingEncoder()
    vectors = list(one.encode_groups([[], *groups], label="x"))
    packed = list(one.encode_packed_groups(skips, label="x"))
    assert [len(part) for part in vectors] == [0] + [2] * 6
    shutil.rmtree(".cache")
    other = RememberingEncoder(lambda: pytest.fail("encoded here"), engine=_wide())
    again = list(other.encode_groups([[], *groups], label="x"))
    assert [part.tobytes() for part in again] == [part.tobytes() for part in vectors]
    for found, expected in zip(other.encode_packed_groups(skips, label="x"), packed, strict=True):
        assert found.tokens_MP.tobytes() == expected.tokens_MP.tobytes()
        assert np.array_equal(found.tokens_B, expected.tokens_B)


def _wide() -> Any:
    """Two workers, however many threads each of them uses."""
    import torch

    return replace(engine(), workers=2 * torch.get_num_threads())


CHUNK = Chunk("p", "d", "https://a.example/", "T", "", "Text é.", 0, 7, 3, "c", "l")
RULES = RulesConfig(
    per_sentence=3, verdicts=2, paraphrases=False, per_row=6, min_sentence_words=5,
    max_sentence_words=45, per_hundred_words=99.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("work", "record"),
    [
        (lambda config: reading_work(Reading(config.extract, config.personal_data, ("@a",))),
         replace(_page(3), body=b"\n\x00\xff{}\n", charset="utf-8")),
        (lambda _: asking_work(RULES), [CHUNK, replace(CHUNK, start=4)]),
    ],
    ids=["page", "passages"],
)  # fmt: skip
def test_records_travel_as_they_are(
    clean_config: CleanConfig, work: Callable[[CleanConfig], Work], record: object
) -> None:
    """Also a body that is no text; and settings survive JSON."""
    worker = work(clean_config).worker()
    again = worker.unpack(worker.pack(record))
    assert again == record
    assert worker.key(again) == worker.key(record)


def test_groups_of_texts_travel_as_they_are() -> None:
    """With what is skipped, or without."""
    embedder = Embedder(RememberingEncoder())
    for group in ((["a", "é"], [0, 1]), (["a"], None)):
        assert embedder.unpack(embedder.pack(group)) == group


def test_the_address_is_part_of_what_a_page_is_read_by(clean_config: CleanConfig) -> None:
    """It tells of what kind a page is: the same bytes elsewhere may be read otherwise."""
    worker = reading_work(Reading(clean_config.extract, clean_config.personal_data, ())).worker()
    page = _page(3)
    assert worker.key(replace(page, url="https://site.example/shop/3")) != worker.key(page)
    assert worker.key(replace(page, licence="other")) == worker.key(page)

"""A stand-in for `groundwork.answer.Assistant` and a registry in memory, for the rules of HTTP."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from groundwork.classify import Guess
from groundwork.errors import RegistryError
from groundwork.records import Answer, Chunk, Citation, Retrieved
from groundwork.serve import AnswerLog, Releases, ServeConfig
from groundwork.serve.app import Application
from groundwork.serve.desk import Desk

CONFIG = ServeConfig(
    host="127.0.0.1",
    port=3000,
    timeout_s=60,
    state_dir="state",
    refresh_s=30,
    releases_kept=1,
    threads=2,
    max_in_flight=4,
    rate_per_s=1000,
    rate_burst=1000,
    body_limit_bytes=262_144,
    question_max_chars=2000,
    comment_max_chars=100,
    top_k_max=20,
    follow_up_words=2,
)
CHUNK = Chunk(
    passage_id="p1",
    document_id="d1",
    url="https://www.amperewise.example/levels/",
    title="Charging levels",
    heading="Level 2",
    text="Level 2 chargers deliver 7.4 kW. They need a dedicated circuit.",
    start=0,
    end=63,
    tokens=14,
    category="charging_levels",
    licence="CC-BY-4.0",
)
CITATION = Citation(
    n=1,
    url=CHUNK.url,
    title=CHUNK.title,
    heading=CHUNK.heading,
    quote="Level 2 chargers deliver 7.4 kW.",
    passage_id="p1",
    document_id="d1",
    licence=CHUNK.licence,
    fetched_at="2026-01-02T03:04:05+00:00",
)
ANSWER = Answer(
    text="Level 2 chargers deliver 7.4 kW. [1]",
    refused=False,
    confidence=0.853249,
    category="charging_levels",
    citations=(CITATION,),
    category_confidence=0.9,
)
GUESS = Guess("winter", 0.8, False, (("winter", 0.8), ("charging_levels", 0.2)))
REFUSAL = Answer(
    text="I cannot answer that.", refused=True, confidence=0.7, category="", citations=()
)


@dataclass(frozen=True)
class FakeInfo:
    """As groundwork.answer.ReleaseInfo."""

    name: str
    version: str
    answerer: str

    @property
    def release(self) -> str:
        return f"{self.name}/{self.version}"

    @property
    def model_version(self) -> str:
        return f"{self.release} ({self.answerer})"


@dataclass(frozen=True)
class FakeRelease:
    """As groundwork.promote.Release."""

    version: str
    aliases: tuple[str, ...] = ()
    name: str = "ev_charging"
    created: str = "2026-01-02T03:04:05+00:00"
    answerer: str = "extractive"
    metrics: dict[str, float] = field(default_factory=lambda: {"fact_coverage": 0.8})
    run_id: str = "run"
    folder: Path = Path("release")


@dataclass
class FakeAssistant:
    """Answers everything alike; refuses what mentions cheese; fails as it is told."""

    info: FakeInfo
    categories: tuple[str, ...] = ("charging_levels", "winter")
    title: str = "electric-vehicle charging"
    refusal: str = "I cannot answer that."
    examples: tuple[str, ...] = ("How fast is Level 2?",)
    asked: list[tuple[str, int | None, str | None]] = field(default_factory=list)
    error: Exception | None = None

    def answer(
        self, question: str, *, top_k: int | None = None, category: str | None = None
    ) -> Answer:
        self.asked.append((question, top_k, category))
        if self.error is not None:
            raise self.error
        return REFUSAL if "cheese" in question else ANSWER

    def search(
        self, query: str, *, top_k: int | None = None, category: str | None = None
    ) -> list[Retrieved]:
        self.asked.append((query, top_k, category))
        return [Retrieved(CHUNK, score=0.9, dense=0.8, lexical=3.0)]

    def classify(self, text: str) -> Guess | None:
        self.asked.append((text, None, None))
        return None if "cheese" in text else GUESS

    def lineage(self, passage_id: str) -> dict[str, Any]:
        return {"passage": {"passage_id": passage_id}, "document": {}, "page": {"url": CHUNK.url}}

    @property
    def provenance(self) -> dict[str, Any]:
        return {"git_commit": "abc", "version": self.info.version}


class FakeRegistry:
    """A registry in memory; `releases` may be changed, `error` makes every question fail."""

    def __init__(self, *releases: FakeRelease) -> None:
        self.releases = list(releases)
        self.error: Exception | None = None

    def champion(self) -> FakeRelease:
        release = self.find("champion")
        if release is None:
            raise RegistryError("ev_charging has no champion; run `dvc repro`")
        return release

    def find(self, wanted: str) -> FakeRelease | None:
        found = [r for r in self.listing() if wanted == r.version or wanted in r.aliases]
        return found[0] if found else None

    def listing(self) -> list[FakeRelease]:
        if self.error is not None:
            raise self.error
        return self.releases

    def promote(self, version: str) -> None:
        self.releases = [
            replace(r, aliases=("champion",) if r.version == version else ()) for r in self.releases
        ]


class House:
    """The application with its stand-ins at hand."""

    def __init__(self, tmp_path: Path, config: ServeConfig, *releases: FakeRelease) -> None:
        self.registry = FakeRegistry(*releases)
        self.opened: list[FakeAssistant] = []
        self.log = AnswerLog(tmp_path / "state")
        self.releases = Releases(self.registry, self.open, kept=config.releases_kept)
        self.desk = Desk(config=config, releases=self.releases, log=self.log)
        self.app = Application(self.desk)
        self.client = TestClient(self.app, client=("127.0.0.1", 5000))

    def open(self, release: FakeRelease) -> FakeAssistant:
        info = FakeInfo(release.name, release.version, release.answerer)
        self.opened.append(FakeAssistant(info))
        return self.opened[-1]


@pytest.fixture
def config() -> ServeConfig:
    """The limits of these tests."""
    return CONFIG


@pytest.fixture
def house(tmp_path: Path, config: ServeConfig) -> Iterator[House]:
    """Three releases of which the third is the champion, loaded."""
    house = House(
        tmp_path,
        config,
        FakeRelease("3", ("champion",)),
        FakeRelease("2", ("previous",)),
        FakeRelease("1"),
    )
    house.releases.refresh()
    yield house
    house.log.close()


@pytest.fixture
def client(house: House) -> TestClient:
    """A client of the house."""
    return house.client

"""What tests of several rooms share: an MLflow store, small artifacts, and a release of them."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from groundwork.artifacts import (
    sha256_bytes,
    short_id,
    write_bytes,
    write_json,
    write_jsonl,
    write_manifest,
    write_parquet,
    write_text,
)
from groundwork.promote import Ingredients, build_release
from groundwork.records import Document, Page

DECISION = {"promoted": True, "reasons": ["first_champion"], "details": ["none yet"]}
LONGEST = ("test_pipeline.py", "test_sweep.py", "test_incremental.py")
RETRIEVER = {"sha256": "e5", "adapter_sha256": None}


def pytest_configure(config: pytest.Config) -> None:
    """Warnings that are not ours to mend."""
    # MLflow 3.17 loads relations with SQLAlchemy's `noload`; delete when it no longer does.
    config.addinivalue_line("filterwarnings", "ignore:The ``noload`` loader:DeprecationWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take minutes come first, so that no worker is left alone with one of them."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database without runs; MLflow takes ten seconds to make one."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
        from groundwork.tracking import client

        client().search_experiments()
    return path


@pytest.fixture
def checkout(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as working directory, with an MLflow store at its root."""
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _page(url: str, body: bytes) -> Page:
    return Page(url, "text/html", "", body, sha256_bytes(body), "site", "CC-BY-4.0")


def _document(page: Page, title: str) -> Document:
    return Document(
        document_id=short_id(page.url),
        url=page.url,
        title=title,
        text=page.body.decode(),
        language="en",
        date="2025-05-01",
        author="",
        category="cats",
        category_confidence=1.0,
        media="html",
        licence=page.licence,
        source=page.source,
        page_sha256=page.sha256,
    )


def row(answerer: str, question_id: str, score: float) -> dict[str, Any]:
    """A line of rows.jsonl."""
    return {
        "question_id": question_id,
        "dataset": "golden",
        "split": "test",
        "answerer": answerer,
        "question": f"What of {question_id}?",
        "category": "cats",
        "kind": "fact",
        "answerable": True,
        "reference": "Cats purr.",
        "facts": [["purr"]],
        "evidence": [],
        "answer": "Cats purr. [1]",
        "refused": False,
        "confidence": 0.8,
        "sentences": ["Cats purr."],
        "quotes": ["Cats purr."],
        "cited_urls": ["https://pets.example/cats/"],
        "retrieved_ids": ["p1"],
        "retrieved_urls": ["https://pets.example/cats/"],
        "retrieved_texts": ["Cats purr."],
        "latency_ms": 10.0,
        "scores": {"score": score, "grounded": 1.0},
    }


def write_evaluation(artifacts_dir: Path, rows: list[dict[str, Any]]) -> None:
    """artifacts/evaluate with those rows."""
    folder = artifacts_dir / "evaluate"
    answerers = sorted({item["answerer"] for item in rows})
    figures = {name: {"score": 0.75, "token_f1": 0.5, "bleu": None} for name in answerers}
    write_jsonl(folder / "rows.jsonl", rows)
    write_json(
        folder / "metrics.json",
        {"headline": {"answerers": figures}, "retriever": RETRIEVER | {"questions": {}}},
    )
    write_json(folder / "calibration.json", {"extractive": {"weights": [1.0]}})
    write_manifest(folder, ["rows.jsonl", "metrics.json", "calibration.json"])


@pytest.fixture
def artifacts_dir(tmp_path: Path) -> Path:
    """Two pages, one of them fetched three times; an index, a base model, an adapter, rows."""
    return make_artifacts(tmp_path / "artifacts")


def make_artifacts(folder: Path) -> Path:
    """What the stages before `promote` leave, in the smallest form."""
    cats = _page("https://pets.example/cats/", b"Cats purr.")
    dogs = _page("https://pets.example/dogs/", b"Dogs bark.")
    write_parquet(folder / "crawl/pages.parquet", [cats, dogs], Page)
    write_manifest(folder / "crawl", ["pages.parquet"])
    fetches = [
        ("2026-01-01T00:00:00Z", 200, cats.sha256),
        ("2026-01-02T00:00:00Z", 200, "an older body"),
        ("2026-01-03T00:00:00Z", 500, ""),
    ]
    write_jsonl(
        folder / "crawl/fetch_log.jsonl",
        [
            {"url": cats.url, "fetched_at": at, "status": code, "sha256": sha, "robots": "allowed"}
            for at, code, sha in fetches
        ],
    )
    documents = [_document(dogs, "Dogs"), _document(cats, "Cats")]
    write_parquet(folder / "clean/documents.parquet", documents, Document)
    write_manifest(folder / "clean", ["documents.parquet"])
    write_bytes(folder / "index/vectors.faiss", b"vectors")
    write_text(folder / "index/bm25/terms.json", "{}")
    write_manifest(folder / "index", ["vectors.faiss", "bm25/terms.json"], retriever=RETRIEVER)
    write_json(folder / "base/base.json", {"name": "embedded", "revision": "r1"})
    write_bytes(folder / "base/model/model.safetensors", b"weights")
    write_manifest(folder / "base", ["base.json", "model/model.safetensors"])
    write_bytes(folder / "train/adapter/adapter_model.safetensors", b"adapter")
    write_text(folder / "train/history.jsonl", "{}\n")
    write_manifest(folder / "train", ["adapter/adapter_model.safetensors", "history.jsonl"])
    write_evaluation(
        folder, [row(name, f"q{n}", 0.5) for name in ("extractive", "tuned") for n in range(3)]
    )
    return folder


@pytest.fixture
def ingredients(artifacts_dir: Path) -> Ingredients:
    """Everything else that a release is made of."""
    return _ingredients(artifacts_dir)


def _ingredients(artifacts_dir: Path) -> Ingredients:
    lock = {"crawl": {"deps": {"data/pets": "a1.dir"}, "outs": {"artifacts/crawl": "b2.dir"}}}
    return Ingredients(
        artifacts_dir=artifacts_dir,
        params={"domain": {"name": "pets"}, "seed": 13, "serve": {"port": 3000}},
        prompt="You answer questions about pets.",
        dvc_lock=lock,
        git_commit="c0ffee",
        run_ids={"train": "run1", "index": ""},
    )


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A release folder of each answerer that is bundled, to be read only."""
    root = tmp_path_factory.mktemp("releases")
    found = _ingredients(make_artifacts(root / "artifacts"))
    folders = {name: root / name for name in ("extractive", "base", "tuned")}
    for name, folder in folders.items():
        build_release(folder, answerer=name, decision=DECISION, ingredients=found)
    return folders

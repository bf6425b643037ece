"""The release folder: what is in it, where it came from, and how damage is found."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from groundwork.artifacts import (
    check_manifest,
    read_parquet,
    sha256_bytes,
    sha256_file,
    short_id,
    write_bytes,
    write_manifest,
    write_text,
)
from groundwork.errors import ArtifactError
from groundwork.promote import (
    Ingredients,
    Lineage,
    build_release,
    check_release,
    lock_hashes,
    read_lineage,
)
from groundwork.promote.release import content_sha256

CATS, DOGS = "https://pets.example/cats/", "https://pets.example/dogs/"
SHARED = {
    "calibration.json",
    "config.json",
    "decision.json",
    "evaluation/rows.jsonl",
    "index/bm25/terms.json",
    "index/manifest.json",
    "index/vectors.faiss",
    "lineage.parquet",
    "metrics.json",
    "prompt.txt",
    "release.json",
}
BASE = {"base/base.json", "base/manifest.json", "base/model/model.safetensors"}
ADAPTER = {"adapter/adapter_model.safetensors"}
Build = Callable[[str], Path]
DECISION = {"promoted": True, "reasons": ["first_champion"], "details": ["none yet"]}


@pytest.fixture
def build(tmp_path: Path, ingredients: Ingredients) -> Build:
    """Build a release of the answerer named, in a new folder."""

    def make(answerer: str) -> Path:
        folder = tmp_path / f"built{len(list(tmp_path.glob('built*')))}"
        build_release(folder, answerer=answerer, decision=DECISION, ingredients=ingredients)
        return folder

    return make


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("answerer", "expected"),
    [
        ("extractive", SHARED),
        ("endpoint", SHARED),
        ("base", SHARED | BASE),
        ("tuned", SHARED | BASE | ADAPTER),
    ],
)
def test_release_holds_what_its_answerer_needs(
    build: Build, artifacts_dir: Path, answerer: str, expected: set[str]
) -> None:
    """Weights travel with language models alone; the manifest names every file but itself."""
    folder = build(answerer)
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert found - {"manifest.json"} == set(check_manifest(folder)["files"]) == expected


def test_hub_model_is_named_and_not_copied(build: Build, artifacts_dir: Path) -> None:
    """Without weights in artifacts/base the release carries base.json alone."""
    (artifacts_dir / "base/model/model.safetensors").unlink()
    write_manifest(artifacts_dir / "base", ["base.json"])
    folder = build("tuned")
    assert _read(folder / "base/base.json")["revision"] == "r1"
    assert not (folder / "base/model").exists()


def test_provenance_names_code_data_runs_and_hashes(build: Build) -> None:
    """release.json leads from the release to commit, data, runs, base model and decision."""
    folder = build("tuned")
    found = _read(folder / "release.json")
    weights = sha256_bytes(b"adapter")
    assert found == {
        "name": "pets",
        "answerer": "tuned",
        "git_commit": "c0ffee",
        "dvc_lock": {
            "crawl": {"deps": {"data/pets": "a1.dir"}, "outs": {"artifacts/crawl": "b2.dir"}}
        },
        "mlflow_runs": {"index": "", "train": "run1"},
        "base": {"name": "embedded", "revision": "r1"},
        "retriever": {"sha256": "e5", "adapter_sha256": None},
        "decision": _read(folder / "decision.json"),
        "sha256": {
            "index": found["sha256"]["index"],
            "prompt": sha256_bytes(b"You answer questions about pets."),
            "configuration": sha256_file(folder / "config.json"),
            "calibration": sha256_file(folder / "calibration.json"),
            "base": found["sha256"]["base"],
            "adapter": sha256_bytes(f"adapter_model.safetensors {weights}\n".encode()),
            "classify": "",
        },
    }


def test_configuration_leaves_the_operators_section_out(build: Build) -> None:
    """A port is not part of a release."""
    assert _read(build("extractive") / "config.json") == {"domain": {"name": "pets"}, "seed": 13}


def test_release_carries_the_rows_of_its_answerer(build: Build) -> None:
    """They are what a later candidate is compared with."""
    lines = (build("tuned") / "evaluation/rows.jsonl").read_text(encoding="utf-8").splitlines()
    assert [(row["answerer"], row["question_id"]) for row in map(json.loads, lines)] == [
        ("tuned", "q0"),
        ("tuned", "q1"),
        ("tuned", "q2"),
    ]


def test_same_inputs_give_the_same_release(build: Build) -> None:
    """Two builds are equal byte for byte."""
    assert sha256_file(build("tuned") / "manifest.json") == sha256_file(
        build("tuned") / "manifest.json"
    )


def test_identity_follows_what_is_served(
    build: Build, artifacts_dir: Path, tmp_path: Path, ingredients: Ingredients
) -> None:
    """Commit, runs and decision do not make another release; index and answerer do."""
    first = content_sha256(build("extractive"))
    other = tmp_path / "other"
    changed = replace(ingredients, git_commit="beef", run_ids={"train": "run2"})
    decision = {"promoted": False, "reasons": [], "details": []}
    build_release(other, answerer="extractive", decision=decision, ingredients=changed)
    assert content_sha256(other) == first
    assert content_sha256(build("base")) != first
    write_bytes(artifacts_dir / "index/vectors.faiss", b"others")
    write_manifest(artifacts_dir / "index", ["vectors.faiss", "bm25/terms.json"])
    assert content_sha256(build("extractive")) != first


@pytest.mark.parametrize(
    "name", ["index/vectors.faiss", "evaluate/rows.jsonl", "train/history.jsonl"]
)
def test_damaged_artifact_stops_the_build(build: Build, artifacts_dir: Path, name: str) -> None:
    """A file that is not what its stage wrote is named with the stage to run."""
    write_text(artifacts_dir / name, "damaged")
    with pytest.raises(ArtifactError, match=f"{name}.*--single-item {name.split('/')[0]}"):
        build("tuned")


def test_damaged_release_is_found_by_its_checksum(build: Build) -> None:
    """Index, adapter and Parquet alike; the message names the file and the way out."""
    for name in ("index/vectors.faiss", "adapter/adapter_model.safetensors", "lineage.parquet"):
        folder = build("tuned")
        check_release(folder)
        (folder / name).write_bytes((folder / name).read_bytes()[:-1] + b"!")
        with pytest.raises(ArtifactError, match=f"{name}: sha256 is .*groundwork release rollback"):
            check_release(folder)


def test_damaged_download_is_fetched_again(build: Build, tmp_path: Path) -> None:
    """For a copy in the cache the way out is to delete it."""
    folder = tmp_path / ".cache" / "groundwork" / "releases" / "ab"
    shutil.copytree(build("extractive"), folder)
    (folder / "prompt.txt").unlink()
    with pytest.raises(ArtifactError, match=r"prompt\.txt: no such file.*delete "):
        check_release(folder)


def test_lineage_joins_document_page_and_fetch(artifacts_dir: Path) -> None:
    """The fetch is the one that brought exactly these bytes; unknown fetches leave blanks."""
    rows = {row.url: row for row in read_lineage(artifacts_dir)}
    assert list(rows) == sorted(rows, key=lambda url: short_id(url))
    assert rows[CATS] == Lineage(
        document_id=short_id(CATS),
        url=CATS,
        title="Cats",
        date="2025-05-01",
        language="en",
        page_sha256=sha256_bytes(b"Cats purr."),
        licence="CC-BY-4.0",
        source="site",
        content_type="text/html",
        fetched_at="2026-01-01T00:00:00Z",
        robots="allowed",
        status=200,
    )
    assert (rows[DOGS].fetched_at, rows[DOGS].robots, rows[DOGS].status) == ("", "", 0)


def test_newest_fetch_counts_when_none_brought_the_bytes(artifacts_dir: Path) -> None:
    """An unchanged page is answered with 304 and no body."""
    log_path = artifacts_dir / "crawl/fetch_log.jsonl"
    text = log_path.read_text(encoding="utf-8").replace(sha256_bytes(b"Cats purr."), "")
    log_path.write_text(text, encoding="utf-8")
    rows = {row.url: row for row in read_lineage(artifacts_dir)}
    assert (rows[CATS].fetched_at, rows[CATS].status) == ("2026-01-03T00:00:00Z", 500)


def test_lineage_does_without_a_fetch_log(artifacts_dir: Path, build: Build) -> None:
    """Artifacts that were pulled have no log; the release is built all the same."""
    (artifacts_dir / "crawl/fetch_log.jsonl").unlink()
    rows = read_parquet(build("extractive") / "lineage.parquet", Lineage)
    assert {(row.fetched_at, row.status) for row in rows} == {("", 0)}


def test_lineage_reads_pages_and_documents_of_several_shards(artifacts_dir: Path) -> None:
    """As a large corpus has them."""
    from groundwork.records import Document, Page
    from groundwork.tables import write_rows

    expected = read_lineage(artifacts_dir)
    for name, record in (("crawl/pages.parquet", Page), ("clean/documents.parquet", Document)):
        path = artifacts_dir / name
        write_rows(path, read_parquet(path, record), record, shard_bytes=100)
        assert path.is_dir()
    assert read_lineage(artifacts_dir) == expected


def test_document_without_its_page_is_an_error(artifacts_dir: Path) -> None:
    """crawl and clean of different runs do not match."""
    from groundwork.artifacts import write_parquet
    from groundwork.records import Page

    write_parquet(artifacts_dir / "crawl/pages.parquet", [], Page)
    with pytest.raises(ArtifactError, match=r"no page with sha256 .*run `dvc repro clean`"):
        read_lineage(artifacts_dir)


LOCK = """\
schema: '2.0'
stages:
  crawl:
    cmd: python -m stages.crawl
    deps:
    - path: data/pets
      hash: md5
      md5: a1.dir
    outs:
    - path: artifacts/crawl
      md5: b2.dir
  clean:
    cmd: python -m stages.clean
    outs:
    - path: artifacts/clean
      md5: c3.dir
"""


def test_hashes_of_every_stage_are_read(tmp_path: Path) -> None:
    """Stages sorted, without deps too; no file means no hashes."""
    path = tmp_path / "dvc.lock"
    assert lock_hashes(path) == {}
    path.write_text(LOCK, encoding="utf-8")
    assert lock_hashes(path) == {
        "clean": {"deps": {}, "outs": {"artifacts/clean": "c3.dir"}},
        "crawl": {"deps": {"data/pets": "a1.dir"}, "outs": {"artifacts/crawl": "b2.dir"}},
    }


@pytest.mark.parametrize(
    "text", [LOCK[:90], "schema: '2.0'\n", "<<<<<<< HEAD\na: [", "stages: [1]", "", "stages:\n"]
)
def test_damaged_lock_names_the_mend(tmp_path: Path, text: str) -> None:
    """Cut short, without stages, with conflict marks, of another shape, empty."""
    path = tmp_path / "dvc.lock"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"dvc\.lock: damaged .*git checkout dvc\.lock"):
        lock_hashes(path)


def test_the_classifier_travels_with_the_release(build: Build, artifacts_dir: Path) -> None:
    """What serves of it, not its history; it is part of what the release serves."""
    without = build("extractive")
    assert not (without / "classify").exists()
    folder = artifacts_dir / "classify"
    serving = ("adapter/adapter_model.safetensors", "head.safetensors", "labels.json")
    for name in (*serving, "history.jsonl", "metrics.json", "rejects.jsonl"):
        write_text(folder / name, "{}")
    write_manifest(folder, [*serving, "history.jsonl", "metrics.json", "rejects.jsonl"])
    classified = build("extractive")
    found = {name for name in check_manifest(classified)["files"] if name.startswith("classify/")}
    assert found == {f"classify/{name}" for name in serving}
    assert _read(classified / "release.json")["sha256"]["classify"] != ""
    assert content_sha256(classified) != content_sha256(without)
    write_text(folder / "head.safetensors", "other")
    with pytest.raises(ArtifactError, match=r"head.safetensors: sha256 is"):
        build("extractive")


def test_releases_made_before_the_classifier_keep_their_identity(build: Build) -> None:
    """The same release without the entry, as versions up to 0.1 wrote it, is the same content."""
    folder = build("extractive")
    release = _read(folder / "release.json")
    identity = content_sha256(folder)
    del release["sha256"]["classify"]
    write_text(folder / "release.json", json.dumps(release))
    assert content_sha256(folder) == identity

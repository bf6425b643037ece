"""A small checkout with a real release in a real registry, and real server processes in it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import yaml

from groundwork.answer.extractive import SIGNALS
from groundwork.answer.features import FEATURES
from groundwork.answer.signals import ANSWER_SIGNALS, RETRIEVAL_SIGNALS
from groundwork.artifacts import (
    sha256_bytes,
    short_id,
    write_json,
    write_jsonl,
    write_manifest,
    write_parquet,
)
from groundwork.index import Encoder, build_index
from groundwork.index.config import IndexConfig
from groundwork.promote import Ingredients, build_release, crown, register
from groundwork.records import Chunk, Document, Page
from groundwork.tracking import stage_run

REPOSITORY = Path(__file__).resolve().parents[2]
SITE = "https://www.amperewise.example"
PASSAGES = {
    "charging_levels": "A Level 2 charger delivers up to 7.4 kW on one phase. "
    "Rapid chargers deliver 50 kW or more as direct current.",
    "winter": "In cold weather a battery charges more slowly, because its chemistry is cold. "
    "Preconditioning warms the battery before a rapid charge.",
    "safety": "Never charge an electric car through an extension lead. "
    "A cheap lead can overheat and start a fire.",
}
DECISION = {"promoted": True, "reasons": ["first_champion"], "details": ["none yet"]}


def make_checkout(root: Path) -> None:
    """What `bentoml serve` and `bentoml build` need of a checkout; no release yet."""
    for name in ("service.py", "bentofile.yaml", "requirements.lock"):
        shutil.copyfile(REPOSITORY / name, root / name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "src", root / "src", ignore=ignored)
    params = {
        "domain": _conf("domain/ev_charging"),
        "answer": _conf("answer/default") | {"calibration": _calibration_config()},
        "serve": _conf("serve/default") | {"refresh_s": 0.2},
    }
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def _conf(name: str) -> dict[str, object]:
    path = REPOSITORY / "conf" / f"{name}.yaml"
    section: dict[str, object] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return section


def _calibration_config() -> dict[str, object]:
    section = _conf("answer/default")["calibration"]
    assert isinstance(section, dict)
    return section | {"seed": 13}  # in the file it refers to the root of the composition


def promote_release(root: Path) -> None:
    """Build a release of three passages, register it and make it the champion. Needs cwd=root."""
    artifacts_dir = root / "artifacts"
    shutil.rmtree(artifacts_dir, ignore_errors=True)
    pages, documents, chunks = zip(*map(_document, PASSAGES), strict=True)
    write_parquet(artifacts_dir / "crawl/pages.parquet", pages, Page)
    fetches = [
        {"url": page.url, "sha256": page.sha256, "fetched_at": "2026-01-02T03:04:05+00:00",
         "robots": "allowed", "status": 200}
        for page in pages
    ]  # fmt: skip
    write_jsonl(artifacts_dir / "crawl/fetch_log.jsonl", fetches)
    write_parquet(artifacts_dir / "clean/documents.parquet", documents, Document)
    config = IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75)
    build_index(chunks, config=config, encoder=Encoder.load(), folder=artifacts_dir / "index")
    _write_evaluation(artifacts_dir / "evaluate")
    params = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))
    ingredients = Ingredients(
        artifacts_dir=artifacts_dir,
        params=params,
        prompt="",
        dvc_lock={},
        git_commit="c0ffee",
        run_ids={},
    )
    folder = root / "built"
    build_release(folder, answerer="extractive", decision=DECISION, ingredients=ingredients)
    with stage_run("promote", inputs=[]) as run:
        crown(register(folder, run=run, domain="ev_charging", metrics={"fact_coverage": 1.0}))
    shutil.rmtree(folder)


def _document(category: str) -> tuple[Page, Document, Chunk]:
    url, text = f"{SITE}/{category}/", PASSAGES[category]
    title = category.replace("_", " ").capitalize()
    body = text.encode()
    page = Page(url, "text/html", "", body, sha256_bytes(body), "site", "CC-BY-4.0")
    common = {"document_id": short_id(url), "url": url, "title": title, "text": text,
              "category": category, "licence": page.licence}  # fmt: skip
    document = Document(
        language="en", date="", author="", category_confidence=1.0, media="html", source="site",
        page_sha256=page.sha256, **common,
    )  # fmt: skip
    chunk = Chunk(
        passage_id=short_id(url, 0, text), heading="", start=0, end=len(text), tokens=30, **common
    )
    return page, document, chunk


def _write_evaluation(folder: Path) -> None:
    """A ranker that follows the cosine, and a refusal below a cosine of 0.4."""
    ranker = {"weights": dict.fromkeys(FEATURES, 0.0) | {"cos_sentence": 10.0}, "bias": -5.0}
    names = (*RETRIEVAL_SIGNALS, *SIGNALS, *ANSWER_SIGNALS)
    nothing = dict.fromkeys(names, 0.0)
    calibration = {
        "answerable": {"weights": nothing | {"best_dense": 20.0}, "bias": -8.0},
        "subject": [],
        "right": {"weights": nothing, "bias": 1.5},
        "threshold": 0.5,
    }
    answerers = {"extractive": calibration}
    write_json(folder / "calibration.json", {"ranker": ranker, "answerers": answerers})
    write_json(folder / "metrics.json", {})
    write_jsonl(folder / "rows.jsonl", [])
    write_manifest(folder, ["calibration.json", "metrics.json", "rows.jsonl"])


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(root: Path) -> dict[str, str]:
    """The environment of a user who set nothing, with a Bento store of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "GROUNDWORK_"))}
    return kept | {"BENTOML_HOME": str(root / "bentoml"), "OMP_NUM_THREADS": "1"}


def bentoml(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run BentoML's command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bentoml", *arguments],
        cwd=root,
        env=environment(root),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def serving(root: Path, what: str = ".", cwd: Path | None = None) -> Iterator[httpx.Client]:
    """A client of `bentoml serve WHAT`, which ends with the block."""
    port = free_port()
    log_path = root / f"serve-{port}.log"
    with log_path.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bentoml", "serve", what, "-p", str(port)],
            cwd=cwd or root,
            env=environment(root),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
    try:
        _wait_until_live(client, process, log_path)
        yield client
    finally:
        client.close()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)


def _wait_until_live(
    client: httpx.Client, process: subprocess.Popen[bytes], log_path: Path
) -> None:
    for _ in range(600):
        try:
            if client.get("/livez").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    raise AssertionError(log_path.read_text(encoding="utf-8"))

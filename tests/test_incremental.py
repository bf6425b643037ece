"""Only what changed is redone, by the real stages on a small site, to the bytes of a rebuild."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from groundwork.artifacts import read_parquet, sha256_file
from groundwork.config import compose
from groundwork.records import Chunk, Page

ROOT = Path(__file__).resolve().parents[1]
SITE = "https://www.amperewise.example"
STAGES = ("crawl", "clean", "chunk", "qa", "adapt", "index")
CLOCKED = "crawl/fetch_log.jsonl"
EDITED, ADDED, DELETED = (
    "home/three-pin-socket-charging", "levels/tandem-charging", "help/stuck-connector"
)  # fmt: skip
OVERRIDES = [
    "experiment=small", "adapt.max_steps=2", "domain.mirror.include=[/levels/,/home/,/help/]",
    "domain.mirror.dir=site", "domain.depends_on=site",
    "domain.golden_path=null", "domain.labelled_path=null",
]  # fmt: skip
REUSED = re.compile(r"(\d+) of (\d+)")
ARTICLE = """<!doctype html><html lang="en"><head><title>Tandem charging</title></head><body>
<main><h1>Tandem charging</h1><p>A tandem unit feeds two cars from one fuse of 40 A. It halves the
current when the second driver arrives, because the cable to the house carries no more. A relay of
the unit clicks within 3 seconds. Owners in Leeds paid 410 pounds for the conversion.</p></main>
</body></html>"""


def _page_path(folder: Path, name: str) -> Path:
    return folder / "site" / name / "index.html"


def _prepare(folder: Path) -> None:
    shutil.copytree(ROOT / "data/ev_charging/site", folder / "site")
    (folder / "params.yaml").write_text(compose(OVERRIDES, ROOT / "conf"))


def _change(folder: Path) -> None:
    """One page gets a sentence, one is new to the sitemap, one is gone."""
    path = _page_path(folder, EDITED)
    text = path.read_text()
    said = "<p>A granny cable of 12 metres weighs 4 kg in the boot.</p>"
    path.write_text(text.replace("</article>", f"{said}</article>", 1))
    assert said in path.read_text()
    path = _page_path(folder, ADDED)
    path.parent.mkdir()
    path.write_text(ARTICLE)
    path = folder / "site/sitemap.xml"
    entry = f"<url><loc>{SITE}/{ADDED}/</loc></url></urlset>"
    path.write_text(path.read_text().replace("</urlset>", entry))
    shutil.rmtree(_page_path(folder, DELETED).parent)


def _run(folder: Path) -> dict[str, list[tuple[int, int]]]:
    """Run the stages; of each what it reused, of how much."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "OMP_NUM_THREADS": "1",
    }
    found = {}
    for stage in STAGES:
        done = subprocess.run(
            [sys.executable, "-m", f"stages.{stage}"],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        told = done.stdout.partition("reused")[2]
        found[stage] = [(int(old), int(all_)) for old, all_ in REUSED.findall(told)]
    return found


def _outputs(folder: Path) -> dict[str, str]:
    root = folder / "artifacts"
    paths = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {name: sha256_file(path) for name, path in sorted(paths.items()) if name != CLOCKED}


def _made(reuse: tuple[int, int]) -> int:
    return reuse[1] - reuse[0]


@pytest.mark.slow
def test_three_changed_pages_are_all_that_is_redone(tmp_path: Path, empty_store: Path) -> None:
    """Edit one page, add one, delete one: two are computed, the rest comes from the store.

    What is written are the bytes of a rebuild from nothing, and of one with a damaged store.
    """
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    _prepare(tmp_path)
    first = _run(tmp_path)
    assert [old for old, _ in first["chunk"] + first["qa"]] == [0, 0, 0]
    before = _outputs(tmp_path)
    _change(tmp_path)
    again = _run(tmp_path)
    after = _outputs(tmp_path)
    for name in ("crawl/pages.parquet", "chunk/chunks.parquet", "index/vectors.faiss"):
        assert after[name] != before[name]
    urls = [page.url for page in read_parquet(tmp_path / "artifacts/crawl/pages.parquet", Page)]
    assert f"{SITE}/{ADDED}/" in urls
    assert f"{SITE}/{DELETED}/" not in urls
    chunks = read_parquet(tmp_path / "artifacts/chunk/chunks.parquet", Chunk)
    documents = len({chunk.url for chunk in chunks})
    extractions, embeddings = again["clean"]
    assert extractions == (len(urls) - 2, len(urls))
    assert embeddings == (documents, documents + 2), "with the subject and the categories"
    assert again["chunk"] == [(documents - 2, documents)]
    generations, embeddings = again["qa"]
    assert generations == (documents - 2, documents)
    assert _made(embeddings) == 4, "passages and questions of two documents"
    assert again["index"] == [(documents, documents), (documents - 2, documents)]
    entries = [path for path in (tmp_path / ".cache").rglob("*") if path.is_file()]
    for path in entries:
        if "embed" in path.parts[-3]:
            path.write_bytes(path.read_bytes()[:-1])
    damaged = _run(tmp_path)
    assert damaged["index"][1] == (0, documents)
    assert _outputs(tmp_path) == after
    shutil.rmtree(tmp_path / ".cache")
    shutil.rmtree(tmp_path / "artifacts")
    _run(tmp_path)
    assert _outputs(tmp_path) == after

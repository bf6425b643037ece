"""What a recrawl costs when one page of 300 changed, and whether it gives a rebuild's bytes.

    python benchmarks/one_page_changed.py [PAGES] [WORDS]

Makes a site of PAGES pages (300) of about WORDS words (400) in a temporary checkout and runs the
stages `crawl` to `index` as `dvc repro` would: from nothing, once more after one page was edited,
and from nothing with that edit. Prints seconds per stage and their ratio, of which the start of a
process and its imports are told apart; fails when the last two differ in a byte.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from generated_pages import page

from groundwork.artifacts import sha256_file
from groundwork.config import compose

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("crawl", "clean", "chunk", "qa", "adapt", "index")
CLOCKED = "artifacts/crawl/fetch_log.jsonl"


def prepare(folder: Path, *, pages: int, words: int) -> None:
    """A site and params.yaml; MLflow's tables are made, which is no part of a run."""
    site_dir = folder / "site"
    site_dir.mkdir()
    for number in range(pages):
        (site_dir / f"{number}.html").write_text(page(number, pages=pages, words=words))
    start = '<!doctype html><title>All sites</title><a href="0.html">first site</a>'
    (site_dir / "index.html").write_text(start)
    overrides = ["dir=site", "public_url=https://sites.example"]
    chosen = [f"domain.mirror.{value}" for value in overrides]
    chosen += ["domain.golden_path=null", "domain.labelled_path=null", "crawl.max_depth=1000"]
    (folder / "params.yaml").write_text(compose(chosen, ROOT / "conf"))
    start_store = "from groundwork.tracking import client; client().search_experiments()"
    run(folder, "-c", start_store)


def run(folder: Path, *arguments: str) -> str:
    """What a Python process in `folder` prints; a failure ends with what it said."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
    env["PYTHONPATH"] = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{arguments}: {done.stderr[-2000:]}")
    return done.stdout


def timed(folder: Path) -> dict[str, float]:
    """Seconds of each stage, its process and imports included; prints what each says."""
    seconds = {}
    for stage in STAGES:
        started = time.perf_counter()
        said = run(folder, "-m", f"stages.{stage}")
        seconds[stage] = time.perf_counter() - started
        print(f"  {seconds[stage]:6.1f} s  {said.splitlines()[0]}", flush=True)
    return seconds


def start_up(folder: Path) -> float:
    """Seconds that the stages take to start Python and import what they need; MLflow is left out,
    which another process imports meanwhile."""
    imports = "import stages.{0}"
    encoder = "; from groundwork.index import Encoder; Encoder.load()"
    started = time.perf_counter()
    for stage in STAGES:
        needs = encoder if stage in ("clean", "qa", "adapt", "index") else ""
        run(folder, "-c", imports.format(stage) + needs)
    return time.perf_counter() - started


def outputs(folder: Path) -> dict[str, str]:
    """Every output but the log of times, by its hash."""
    paths = [path for path in (folder / "artifacts").rglob("*") if path.is_file()]
    hashes = {path.relative_to(folder).as_posix(): sha256_file(path) for path in sorted(paths)}
    del hashes[CLOCKED]
    return hashes


def main() -> None:
    """Measure and compare."""
    pages, words = (int(a) for a in (*sys.argv[1:], "300", "400")[:2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, pages=pages, words=words)
        print(f"{pages} pages of about {words} words, from nothing:")
        full = timed(folder)
        edited = page(pages // 3, pages=pages, words=words, edited=True)
        (folder / "site" / f"{pages // 3}.html").write_text(edited)
        print("one page changed:")
        changed = timed(folder)
        started = start_up(folder)
        found = outputs(folder)
        shutil.rmtree(folder / ".cache")
        shutil.rmtree(folder / "artifacts")
        print("the same from nothing:")
        timed(folder)
        differ = sorted(set(found.items()) ^ set(outputs(folder).items()))
    total, again = sum(full.values()), sum(changed.values())
    print(
        f"{again:.1f} s of {total:.1f} s: {again / total:.1%} (asked: at most 10%), of which "
        f"{started:.1f} s start processes, import and load the encoder; {len(found)} outputs, "
        f"{len(differ) or 'none'} differ from a rebuild"
    )
    if differ:
        sys.exit(f"not the bytes of a rebuild: {differ}")


if __name__ == "__main__":
    main()

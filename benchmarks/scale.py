"""Whether time per page and memory stay as they are while the corpus grows.

    python benchmarks/scale.py [--stage extract|clean] [--engine NAME] [--workers N] [PAGES ...]

For each number of PAGES (1000 and 10000; 100000 takes half an hour) writes so many generated pages
of about 400 words in the menus of a site, as stage `crawl` would, and reads them in a process of
its own: `extract` reads them alone, as the first step of stage `clean` does; `clean` is the whole
stage with duplicates and documents, but without the encoder (folders are the categories). Prints
seconds per page, by the clock and of the processors, and the peak memory of that process and of all
its processes together, where shared memory counts once (PSS), and the ratios to the first number.
Processor time tells when other work runs beside it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import yaml
from generated_pages import boilerplate, page

from groundwork.artifacts import sha256_bytes
from groundwork.clean import CleanConfig, clean_pages
from groundwork.clean.page import Reading, found_in, reading_work
from groundwork.config import DomainConfig, check, compose
from groundwork.engine import EngineConfig, Results
from groundwork.records import Document, Page, Reject
from groundwork.tables import Rows, write_rows

ROOT = Path(__file__).resolve().parents[1]
PAGES_PATH = Path("pages.parquet")
WORDS = 400
MENU_LINKS = 60
SAMPLE_S = 0.25


@dataclass(frozen=True, slots=True)
class Run:
    """What one number of pages took."""

    pages: int
    seconds: float
    processor_s: float
    """Of all processes."""
    parent_mb: float
    all_mb: float
    said: str


def made(pages: int) -> Iterator[Page]:
    """Generated pages, sorted by address."""
    around = boilerplate(MENU_LINKS)
    for number in range(pages):
        body = page(number, pages=pages, words=WORDS, around=around).encode()
        url = f"https://sites.example/{number // 1000:04d}/{number % 1000:03d}"
        yield Page(url, "text/html", "utf-8", body, sha256_bytes(body), "site", "CC0-1.0")


def settings(engine_name: str, workers: int) -> tuple[DomainConfig, CleanConfig, EngineConfig]:
    """The committed configuration, for so many workers."""
    chosen = [f"engine={engine_name}", f"engine.workers={workers}"]
    params = yaml.safe_load(compose(chosen, ROOT / "conf"))
    domain = check("domain", DomainConfig, params["domain"], ROOT)
    config = check("clean", CleanConfig, params["clean"], ROOT)
    return domain, config, check("engine", EngineConfig, params["engine"], ROOT)


def extract(engine_name: str, workers: int) -> None:
    """Read every page, and go through what was read."""
    domain, config, engine = settings(engine_name, workers)
    reading = Reading(config.extract, config.personal_data, tuple(domain.allowed_personal_data))
    results = Results(reading_work(reading), Rows(PAGES_PATH, Page), engine=engine, unit="page")
    found = [0, 0, 0]
    for page_, data in results:
        read = found_in(data, page_.url)
        found[isinstance(read, Reject)] += 1
        found[2] += 0 if isinstance(read, Reject) else len(read.text)
    print(f"{found[0]} extractions of {found[2]} characters, {found[1]} rejects")


def clean(engine_name: str, workers: int) -> None:
    """Pages to documents on disk."""
    domain, config, engine = settings(engine_name, workers)
    result = clean_pages(
        Rows(PAGES_PATH, Page),
        config=config,
        domain=replace(domain, categories={}),
        categorise=None,
        engine=engine,
        keep=lambda documents: write_rows(Path("documents.parquet"), documents, Document),
    )
    print(f"{len(result.documents)} documents, {len(result.rejects)} rejects")


def measured(pages: int, stage: str, engine: Sequence[str]) -> Run:
    """Write the pages, then watch a process that reads them."""
    with tempfile.TemporaryDirectory() as name:
        write_rows(Path(name) / PAGES_PATH, made(pages), Page)
        command = [sys.executable, __file__, "--child", "--stage", stage, *engine]
        env = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=name, env=env, stdout=subprocess.PIPE, text=True)
        peaks, busy = [0.0, 0.0], dict[int, float]()
        watcher = threading.Thread(target=watch, args=(child.pid, peaks, busy))
        watcher.start()
        said, _ = child.communicate()
        seconds = time.perf_counter() - started
        watcher.join()
        if child.returncode:
            sys.exit(f"{stage} of {pages} pages failed")
        return Run(pages, seconds, sum(busy.values()), *peaks, said.strip())


def watch(pid: int, peaks: list[float], busy: dict[int, float]) -> None:
    """Keep the peaks, in MB, of a process and of all its processes, and the time that each used."""
    while True:
        try:
            own = psutil.Process(pid)
            if own.status() == psutil.STATUS_ZOMBIE:
                return
            family = [own, *own.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        sizes = [pss(process) for process in family]
        busy.update({process.pid: used(process, busy) for process in family})
        peaks[0] = max(peaks[0], sizes[0])
        peaks[1] = max(peaks[1], sum(sizes))
        time.sleep(SAMPLE_S)


def used(process: psutil.Process, before: dict[int, float]) -> float:
    """Processor time of a process in seconds; what was known of it when it is gone."""
    try:
        times = process.cpu_times()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return before.get(process.pid, 0.0)
    return float(times.user + times.system)


def pss(process: psutil.Process) -> float:
    """Memory of a process in MB, its share of what it shares; 0 when it is gone."""
    try:
        return float(process.memory_full_info().pss) / 1e6
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0.0


def main() -> None:
    """Measure each number of pages and print ratios to the first."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pages", nargs="*", type=int, default=[1000, 10000])
    parser.add_argument("--stage", choices=["extract", "clean"], default="extract")
    parser.add_argument("--engine", choices=["local", "ray"], default="local")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        run_stage = extract if arguments.stage == "extract" else clean
        run_stage(arguments.engine, arguments.workers)
        return
    engine = ["--engine", arguments.engine, "--workers", str(arguments.workers)]
    first: Run | None = None
    for pages in arguments.pages:
        run = measured(pages, arguments.stage, engine)
        first = first or run
        each, busy = run.seconds / run.pages, run.processor_s / run.pages
        print(
            f"{run.pages:7d} pages: {run.seconds:7.1f} s, {1000 * each:.2f} ms a page "
            f"(x {each / (first.seconds / first.pages):.2f}), of the processors "
            f"{1000 * busy:.2f} ms (x {busy / (first.processor_s / first.pages):.2f}); "
            f"peak {run.parent_mb:.0f} MB in the parent (x {run.parent_mb / first.parent_mb:.2f}), "
            f"{run.all_mb:.0f} MB in all (x {run.all_mb / first.all_mb:.2f}); {run.said}",
            flush=True,
        )


if __name__ == "__main__":
    main()

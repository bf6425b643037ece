"""What becomes of pages that mean ill, and the memory that they cost.

    python benchmarks/hostile_inputs.py [KIND ...]

Serves `hostile_site.py` on loopback and runs the stages crawl, clean and chunk as processes: on the
harmless pages alone, then with each KIND of hostile ones beside them (default: all), one page at a
time. Prints a line a case with what became of it, and a line a kind with what each stage took more
at its peak, its children included; where all of a kind together take more than three times the
stage's size cap, each is measured alone. Fails when a stage does, when a page is neither a document
nor a reject with a reason, or when one page makes the peak grow by more than that.
`endless` also reads an API whose pages have no end. Linux alone: peaks are the kernel's.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from hostile_bodies import DOCX, MIB
from hostile_site import FUZZED, KINDS, Answer, bundled, served

from groundwork.artifacts import read_jsonl
from groundwork.config import compose
from groundwork.records import Document
from groundwork.tables import Rows

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("crawl", "clean", "chunk")
CAPS = {"crawl": 8 * MIB, "clean": 20_000_000, "chunk": 20_000_000}
"""`crawl.max_body_bytes` and `clean.extract.max_body_bytes`."""
SITEMAP_CAP = 50 * MIB
"""Of the protocol."""
HARMLESS = 40
LASTING = 25
"""Times that a process is looked at, half a second, before its size counts."""
TYPES = ["text/html", "application/xhtml+xml", "application/pdf", DOCX]
OVERRIDES = [
    f"crawl.content_types=[{','.join(TYPES)}]", "crawl.concurrency=1", "crawl.timeout_s=5",
    "crawl.retries=0", "crawl.delay_s=0", "crawl.max_pages=400", "crawl.max_depth=5",
    "crawl.max_reject_ratio=1", "engine.workers=1", "clean.max_reject_ratio=1",
    "domain.languages=[]", "domain.name=hostile",
]  # fmt: skip
READ = "a sitemap that was read"
"""It is no page; one that cannot be read is a reject."""
Peaks = dict[str, int]


def peak_bytes(process: subprocess.Popen[str]) -> int:
    """The most that the processes of a tree can have held at one moment, until it ends.

    At each look the greatest sizes so far of those that run are added: no short peak is missed, and
    one that has ended counts no more. A fork shows its parent's size until it runs a program: what
    is gone at once does not count.
    """
    most = 0
    seen: Counter[int] = Counter()
    root = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            tree = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            break
        sizes = {member.pid: _greatest_kib(member.pid) for member in tree}
        seen.update(pid for pid, size in sizes.items() if size)
        most = max(most, sum(size for pid, size in sizes.items() if seen[pid] >= LASTING))
        time.sleep(0.02)
    return most * 1024


def _greatest_kib(pid: int) -> int:
    """Size that a process had at its peak; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = next((line for line in status.splitlines() if line.startswith("VmHWM")), "")
    return int(found.split()[1]) if found else 0


def run_stage(folder: Path, stage: str) -> int:
    """Peak of a stage, which must succeed."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
    env["PYTHONPATH"] = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    with (folder / "said").open("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", f"stages.{stage}"],
            cwd=folder, env=env, stdout=said, stderr=said, text=True,
        )  # fmt: skip
        peak = peak_bytes(process)
        if process.wait():
            said.seek(0)
            sys.exit(f"{stage}: exit status {process.returncode}: {said.read()[-2000:]}")
    return peak


def run_all(answers: dict[str, Answer], store_path: Path) -> tuple[Peaks, dict[str, str]]:
    """Peak of each stage, and what became of each path."""
    with tempfile.TemporaryDirectory() as name, served(answers) as port:
        folder = Path(name)
        shutil.copy(store_path, folder / "mlflow.db")
        start = f"http://127.0.0.1:{port}"
        site = ["domain=site", f"domain.site.start_urls=[{start}/]", "domain.site.local=true"]
        (folder / "params.yaml").write_text(compose([*site, *OVERRIDES], ROOT / "conf"))
        peaks = {stage: run_stage(folder, stage) for stage in STAGES}
        return peaks, outcomes(folder / "artifacts", start)


def outcomes(artifacts_dir: Path, start: str) -> dict[str, str]:
    """Path to `document`, or to the stage and the reason of its reject."""
    found = {}
    for stage in ("crawl", "clean"):
        for row in read_jsonl(artifacts_dir / stage / "rejects.jsonl"):
            path = row["key"].removeprefix(start)
            found[path] = f"{stage}: {row['reason']}: {row['detail'][:70]}"
    for document in Rows(artifacts_dir / "clean" / "documents.parquet", Document):
        found[document.url.removeprefix(start)] = f"document of {len(document.text)} characters"
    return found


def endless_api(store_path: Path) -> None:
    """An API that always has one page more ends at the cap, with a reject that says so."""
    with tempfile.TemporaryDirectory() as name, served({"/api": Answer(b"")}) as port:
        folder = Path(name)
        shutil.copy(store_path, folder / "mlflow.db")
        url = f"http://127.0.0.1:{port}/api"
        source = [
            "domain=api", f"domain.api.url={url}", "domain.api.local=true",
            "domain.api.records=rows", "domain.api.id=id", "domain.api.title=id",
            "domain.api.record_url='https://a.example/{id}'",
            "domain.api.pagination.kind=page", "domain.api.pagination.param=page",
        ]  # fmt: skip
        (folder / "params.yaml").write_text(compose([*source, *OVERRIDES], ROOT / "conf"))
        peak = run_stage(folder, "crawl")
        rows = read_jsonl(folder / "artifacts/crawl/rejects.jsonl")
    reasons = Counter(row["reason"] for row in rows)
    print(f"  api without end: {json.dumps(reasons)}, {peak / MIB:.0f} MiB")
    assert reasons["page_cap"] == 1


def judge(name: str, grown: Peaks, base: Peaks, *, kind: str = "") -> list[str]:
    """Print what a kind, or a page of `kind`, took more, and return what is too much."""
    more = {stage: grown[stage] - base[stage] for stage in STAGES}
    caps = {**CAPS, "crawl": SITEMAP_CAP} if "sitemaps" in (name, kind) else CAPS
    words = ", ".join(
        f"{stage} {more[stage] / MIB:+.0f} of {3 * caps[stage] / MIB:.0f} MiB" for stage in STAGES
    )
    print(f"{name}: peaks {words}", flush=True)
    return [f"{name}: {stage}" for stage in STAGES if more[stage] > 3 * caps[stage]]


def in_parts(kind: str, cases: dict[str, Answer], base: Peaks, store_path: Path) -> list[str]:
    """Measure each page of a kind beside the harmless ones, and return what is too much.

    Fuzzed pages are many and small: a tenth of them at a time must not take more than one may.
    """
    over = []
    size = FUZZED // 10 if kind == "fuzzed" else 1
    paths = list(cases)
    for start in range(0, len(paths), size):
        part = {path: cases[path] for path in paths[start : start + size]}
        peaks, _ = run_all({**part, **bundled(HARMLESS)}, store_path)
        over += judge(f"  {paths[start]}", peaks, base, kind=kind)
    return over


def main() -> None:
    """Measure and compare."""
    kinds = sys.argv[1:] or list(KINDS)
    with tempfile.TemporaryDirectory() as name:
        code = "from groundwork.tracking import client; client().search_experiments()"
        subprocess.run([sys.executable, "-c", code], cwd=name, check=True, capture_output=True)
        store_path = Path(name) / "mlflow.db"
        base, _ = run_all(bundled(HARMLESS), store_path)
        words = ", ".join(f"{stage} {base[stage] / MIB:.0f} MiB" for stage in STAGES)
        print(f"harmless: peaks {words}", flush=True)
        faults: list[str] = []
        for kind in kinds:
            cases = KINDS[kind]()
            few = kind == "fuzzed"  # as many pages, unharmed, are what these are compared with
            beside = run_all(bundled(FUZZED), store_path)[0] if few else base
            peaks, found = run_all({**cases, **({} if few else bundled(HARMLESS))}, store_path)
            found = {path: READ for path in cases if path.startswith("/sitemap")} | found
            faults += [f"{path} is unaccounted for" for path in cases if path not in found]
            tell(kind, {path: found.get(path, "UNACCOUNTED FOR") for path in cases})
            over = judge(kind, peaks, beside)
            if over:
                over = in_parts(kind, cases, base, store_path)
            faults += over
            if kind == "endless":
                trapped = sum(path.startswith(("/calendar/", "/away/")) for path in found)
                print(f"  the calendar and the redirects led to {trapped} URLs, all accounted for")
                endless_api(store_path)
    if faults:
        sys.exit(f"too much, or lost: {faults}")


def tell(kind: str, found: dict[str, str]) -> None:
    """A line a case; of fuzzed pages their number by what became of them."""
    if kind != "fuzzed":
        for path, outcome in found.items():
            print(f"  {path:<20} {outcome}", flush=True)
        return
    counts = Counter(
        ":".join(outcome.split(":")[:2]).split(" of ")[0] for outcome in found.values()
    )
    print(f"  {len(found)} fuzzed pages: {dict(counts.most_common())}")


if __name__ == "__main__":
    main()

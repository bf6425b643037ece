"""Main-content extraction: this project against trafilatura as it comes, over seven kinds of page.

    python benchmarks/web_extraction.py [--rounds N] [--copies N] [--metadata] [ARCHIVE]

Reads the third-party set `web-extraction.tar.xz` (`../shared/data` beside the checkout) in place.
Prints word F1 against `main_content`, as the set defines it, per kind of page, and documents per
second: trafilatura in one process, `clean`'s reading of pages in one and on all cores, in turns,
over the set `--copies` times at other addresses: processes take seconds to start, once a run.
`--metadata` prints title, author and date of publication instead, against those that the set names.
The pages of the half `tune` may be looked at while settings are chosen; `report` is the other.
"""

import argparse
import gzip
import hashlib
import json
import re
import statistics
import tarfile
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path

from groundwork.clean import CleanConfig
from groundwork.clean.page import Reading, found_in, read_page, reading_work
from groundwork.config import load
from groundwork.engine import Results, load_engine
from groundwork.records import Page, Reject

ARCHIVE = Path(__file__).resolve().parents[2] / "shared" / "data" / "web-extraction.tar.xz"
KINDS = ("article", "documentation", "service", "forum", "collection", "listing", "product")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Sample:
    """A page of the set with what a person says its content is."""

    name: str
    kind: str
    half: str
    page: Page
    expected: str
    told: tuple[str, str, str]
    """Title, author and ISO 8601 date of publication; each empty where the set names none."""


def read_samples(archive_path: Path) -> list[Sample]:
    """The samples of the archive, sorted by name."""
    if not archive_path.exists():
        raise SystemExit(f"{archive_path}: no such file; name the archive as the first argument")
    files: dict[str, bytes] = {}
    with tarfile.open(archive_path) as archive:
        for member in archive:
            if member.isfile():
                files[member.name.split("/", 1)[1]] = archive.extractfile(member).read()  # type: ignore[union-attr]
    return [
        _sample(name, about["page_type"], files)
        for name, about in sorted(json.loads(files["pages.json"]).items())
    ]


def _sample(name: str, kind: str, files: dict[str, bytes]) -> Sample:
    body = gzip.decompress(files[f"html/{name}.html.gz"])
    truth = json.loads(files[f"ground-truth/{name}.json"])
    digest = hashlib.sha256(body).hexdigest()
    page = Page(truth["url"], "text/html", "utf-8", body, digest, "set", "CC-BY-4.0")
    right = truth["ground_truth"]
    told = (right["title"] or "", right["author"] or "", right["publish_date"] or "")
    return Sample(name, kind, half_of(name), page, right["main_content"], told)


def half_of(name: str) -> str:
    """`tune` or `report`, by the hash of a page's name."""
    return ("tune", "report")[int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2]


def word_f1(found: str, expected: str) -> float:
    """F1 over the words of both texts, however ordered; 1 when both are empty."""
    left, right = (Counter(_WORD.findall(text.lower())) for text in (found, expected))
    if not left or not right:
        return float(not left and not right)
    return 2 * (left & right).total() / (left.total() + right.total())


def read_stock(samples: list[Sample]) -> list[str]:
    """What trafilatura finds with its own settings."""
    import trafilatura

    return [trafilatura.extract(sample.page.body) or "" for sample in samples]


def read_ours(samples: list[Sample], config: CleanConfig, *, workers: int) -> list[str]:
    """What `clean` finds before personal data is masked; a rejected page has no text."""
    personal_data = replace(config.personal_data, masked_kinds=[])
    work = reading_work(Reading(config.extract, personal_data, ()))
    engine = replace(load_engine(), workers=workers, min_records=1)
    pages = [sample.page for sample in samples]
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # nothing is remembered
        found = [found_in(data, "") for _, data in Results(work, pages, engine=engine, unit="page")]
    return ["" if isinstance(item, Reject) else item.text for item in found]


def print_quality(samples: list[Sample], systems: dict[str, list[str]]) -> None:
    """Mean word F1 per half, system and kind of page."""
    print(f"{'half':7} {'system':11} {'n':>4} {'mean':>5} " + " ".join(f"{k:>13}" for k in KINDS))
    for half in ("tune", "report", "both"):
        for system, texts in systems.items():
            scores: dict[str, list[float]] = defaultdict(list)
            for sample, text in zip(samples, texts, strict=True):
                if half in (sample.half, "both"):
                    scores[sample.kind].append(word_f1(text, sample.expected))
            every = [score for kind in KINDS for score in scores[kind]]
            means = " ".join(f"{statistics.mean(scores[kind]):13.3f}" for kind in KINDS)
            print(f"{half:7} {system:11} {len(every):4} {statistics.mean(every):.3f} {means}")


def print_metadata(samples: list[Sample], config: CleanConfig) -> None:
    """Of title, author and date: how many are said, how many of them right, precision, recall."""
    import trafilatura

    systems: dict[str, list[tuple[str, ...]]] = {"stock": [], "groundwork": []}
    personal_data = replace(config.personal_data, masked_kinds=[])
    reading = Reading(config.extract, personal_data, ())
    for sample in samples:
        stock = trafilatura.extract_metadata(sample.page.body)
        systems["stock"].append((stock.title or "", stock.author or "", stock.date or ""))
        row = read_page(sample.page, reading)
        found = tuple(row.get(name, "") for name in ("title", "author", "date"))
        systems["groundwork"].append(found)
    for half in ("tune", "report", "both"):
        for place, field in enumerate(("title", "author", "date")):
            for system, found in systems.items():
                pairs = [
                    (row[place], sample.told[place])
                    for row, sample in zip(found, samples, strict=True)
                    if half in (sample.half, "both")
                ]
                said, named = sum(bool(a) for a, _ in pairs), sum(bool(b) for _, b in pairs)
                right = sum(bool(b) and same_words(a, b) for a, b in pairs)
                print(
                    f"{half:7} {field:7} {system:11} {named:3} named, {said:3} said, "
                    f"{right:3} right: precision {right / said:.3f}, recall {right / named:.3f}"
                )


def same_words(left: str, right: str) -> bool:
    """Whether two texts have the same words in the same order, whatever stands between them."""
    return _WORD.findall(left.lower()) == _WORD.findall(right.lower())


def print_speed(rounds: int, count: int, systems: dict[str, Callable[[], object]]) -> None:
    """Documents per second of each system, the best of `rounds` turns, and the ratio to stock.

    On a machine that others load, the CPU time of this process tells more than the clock; new
    processes have their own, which is not seen here.
    """
    seconds = dict.fromkeys(systems, float("inf"))
    cpu_s = dict.fromkeys(systems, float("inf"))
    for _ in range(rounds):
        for system, read in systems.items():
            clock, cpu = time.perf_counter(), time.process_time()
            read()
            seconds[system] = min(seconds[system], time.perf_counter() - clock)
            cpu_s[system] = min(cpu_s[system], time.process_time() - cpu)
    for system, took in seconds.items():
        print(
            f"{system:20} {count / took:6.1f} documents/s, {seconds['stock'] / took:.2f} x stock; "
            f"CPU {cpu_s[system] / count * 1000:.0f} ms a document in this process"
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", nargs="?", type=Path, default=ARCHIVE)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--copies", type=int, default=4)
    parser.add_argument("--metadata", action="store_true")
    arguments = parser.parse_args()
    samples = read_samples(arguments.archive)
    config = load("clean", CleanConfig)
    # Saved pages may tell search engines to keep out; here they are asked for all the same.
    config = replace(config, extract=replace(config.extract, honour_noindex=False))
    if arguments.metadata:
        print_metadata(samples, config)
        return
    print_quality(
        samples,
        {"stock": read_stock(samples), "groundwork": read_ours(samples, config, workers=1)},
    )
    many = [copied(sample, n) for n in range(arguments.copies) for sample in samples]
    print_speed(
        arguments.rounds,
        len(many),
        {
            "stock": lambda: read_stock(many),
            "groundwork, 1 core": lambda: read_ours(many, config, workers=1),
            "groundwork, 2 cores": lambda: read_ours(many, config, workers=2),
        },
    )


def copied(sample: Sample, number: int) -> Sample:
    """The same page at another address."""
    host, slash, path = sample.page.url.partition("://")[2].partition("/")
    return replace(
        sample, page=replace(sample.page, url=f"https://copy{number}.{host}{slash}{path}")
    )


if __name__ == "__main__":
    main()

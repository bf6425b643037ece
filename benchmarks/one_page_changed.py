"""What a recrawl costs when one page of 300 changed, and whether it gives a rebuild's bytes.

    python benchmarks/one_page_changed.py [PAGES] [WORDS]

Makes a site of PAGES pages (300) of about WORDS words (400) in a temporary checkout and runs the
stages `crawl` to `index` as `dvc repro` would: from nothing, once more after one page was edited,
and from nothing with that edit. Prints seconds per stage and their ratio, of which the start of a
process and its imports are told apart; fails when the last two differ in a byte.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from groundwork.artifacts import sha256_file
from groundwork.config import compose

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("crawl", "clean", "chunk", "qa", "index")
CLOCKED = "artifacts/crawl/fetch_log.jsonl"
SYLLABLES = (
    "Aber Birk Carr Dun East Fal Glen Har Inver Jar Kel Lan Mar North Oak Pen Quar Rose Sel Thorn",
    "a e i o en er ing al or um",
    "by dale field ford ham holm ley mere mouth ridge stead ton ville wick worth",
)
THINGS = [
    "charging post", "rapid charger", "cable", "load controller", "meter", "socket", "transformer",
    "battery pack", "heat pump", "car park", "depot", "contactor", "payment terminal",
    "solar array", "inverter", "junction point", "service desk",
]  # fmt: skip
PEOPLE = [
    "drivers", "fitters", "the operator", "night staff", "tenants", "the council",
    "fleet managers", "inspectors", "delivery crews", "guests", "the landlord", "engineers",
    "taxi firms", "the caretaker",
]  # fmt: skip
TIMES = [
    "before dawn", "at noon", "in January", "after a storm", "on Sundays", "during the night",
    "every spring", "at weekends", "once a month", "in the rush hour", "over the holidays",
    "within a year", "since last autumn",
]  # fmt: skip
VERBS = [
    "supplies", "replaces", "monitors", "limits", "measures", "protects", "controls", "serves",
    "balances",
]  # fmt: skip
REASONS = [
    "the supply is shared", "its fuse trips early", "a relay sticks", "the tariff falls",
    "frost slows it", "demand is low", "the firmware was renewed", "the cabinet is ventilated",
    "its sensor drifts", "the queue is short", "the contract asks for it",
    "water entered the duct",
]  # fmt: skip
PATTERNS = (
    "{maker} {thing}s in {place} draw {n}.{d} kW {time} because {reason}.",
    "The {place} {thing} {verb} {n} bays, and {people} inspect it {time}.",
    "{People} replaced {n} {thing}s near {place} when {reason}.",
    "A {thing} from {maker} costs {n} pounds at {place} and lasts {d} years.",
    "If {reason}, the {thing} {verb} the {other} until {people} reset it.",
    "{Time}, {people} at {place} reported {n} faults of the {maker} {thing}.",
    "The {other} beside the {thing} trips at {n} mA, so {people} test it {time}.",
    "{maker} built the {place} {other} in {n} days although {reason}.",
    "Up to {n} {people} share one {thing}, which {verb} a {other} {time}.",
    "Should the {other} fail {time}, {people} call {maker} and the {place} {thing} stops.",
)


@dataclass(frozen=True, slots=True)
class Article:
    """A page in the making: what it is about, with the dice that write it."""

    dice: random.Random
    places: list[str]
    makers: list[str]
    things: list[str]

    @classmethod
    def draw(cls, number: int) -> "Article":
        """The same article for the same number."""
        dice = random.Random(number)  # noqa: S311  text, not a secret
        return cls(
            dice,
            [_name(dice) for _ in range(6)],
            [_name(dice) for _ in range(4)],
            dice.sample(THINGS, 6),
        )

    def sentence(self) -> str:
        """One statement about invented chargers."""
        dice = self.dice
        words = {
            "maker": dice.choice(self.makers), "place": dice.choice(self.places),
            "thing": dice.choice(self.things), "other": dice.choice(self.things),
            "verb": dice.choice(VERBS), "time": dice.choice(TIMES),
            "people": dice.choice(PEOPLE), "reason": dice.choice(REASONS),
            "n": dice.randint(3, 950), "d": dice.randint(1, 9),
        }  # fmt: skip
        capitals = {name.title(): str(words[name]).capitalize() for name in ("people", "time")}
        return dice.choice(PATTERNS).format(**words, **capitals)

    def paragraph(self, words: int) -> str:
        """At least so many words."""
        said = ""
        while len(said.split()) < words:
            said += self.sentence() + " "
        return f"<p>{said}</p>"


def _name(dice: random.Random) -> str:
    return "".join(dice.choice(part.split()) for part in SYLLABLES)


def page(number: int, *, pages: int, words: int, edited: bool = False) -> str:
    """An article with headings and links; an edited one ends with one paragraph more."""
    article = Article.draw(number)
    title = f"{article.makers[0]} {article.things[0]}s of {article.places[0]}"
    body = [f"<h1>{title}</h1>"]
    for place, thing in zip(article.places[1:], article.things[1:], strict=True):
        body += [f"<h2>{place} {thing}s</h2>", *(article.paragraph(words // 10) for _ in range(2))]
    if edited:
        body.append(article.paragraph(10))
    links = "".join(
        f'<li><a href="{n}.html">site {n}</a></li>' for n in ((number + 1) % pages, number // 2)
    )
    head = f"<head><meta charset=utf-8><title>{title}</title></head>"
    return f"<!doctype html><html lang=en>{head}<body>{''.join(body)}<ul>{links}</ul></body></html>"


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
    """Seconds that the stages take to start Python and import what they need."""
    imports = "import stages.{0}; from mlflow.tracking import MlflowClient"
    encoder = "; from groundwork.index import Encoder; Encoder.load()"
    started = time.perf_counter()
    for stage in STAGES:
        needs = encoder if stage in ("clean", "qa", "index") else ""
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

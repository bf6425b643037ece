"""`dvc repro` killed with SIGKILL again and again ends as if nobody had touched it.

    python benchmarks/repro_kills.py [KILLS] [SEED]

Makes a checkout with a small generated site, runs `dvc repro index` (crawl, clean, chunk, qa,
index) from nothing and kills it at moments drawn at random over the time that an undisturbed run
takes: by turns its whole process group, and `dvc` alone, which leaves the stage to itself. Each
time it is called again as `make run` calls it (`groundwork mend`, then `dvc repro`); when a round
is whole, the next begins from nothing, until KILLS (50) kills are done. After each kill every
manifest that is there must tell the truth. Fails when a call does, when a round's outputs differ
from the undisturbed run's, when an object of DVC's cache is damaged, or a process is left.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from one_page_changed import outputs, page

from groundwork.artifacts import check_manifest

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("conf", "src", "stages", "dvc.yaml", "pyproject.toml", ".dvcignore", ".gitignore")
STAGES = ("crawl", "clean", "chunk", "qa", "adapt", "index")
PAGES, WORDS = 8, 200
ALONE = "dvc alone"
HOW = ("group", ALONE)
GRACE_S = 20.0
"""For what a killed run leaves behind to end by itself."""


@dataclass(slots=True)
class Checkout:
    """A repository of its own, in which commands run as a user's would."""

    folder: Path
    env: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "DVC"))}
        who = {f"GIT_{role}_{key}": "t@example.org"
               for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}  # fmt: skip
        bin_dir = str(Path(sys.executable).parent)
        self.env = {
            **kept,
            **who,
            "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "src"),
            "DVC_SITE_CACHE_DIR": str(self.folder.parent / f"{self.folder.name}-dvc"),
            "DVC_NO_ANALYTICS": "1",
        }

    def prepare(self) -> None:
        """The repository's code with a site of its own, committed."""
        self.folder.mkdir()
        for name in COPIED:
            source, target = ROOT / name, self.folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        (self.folder / "data").mkdir()
        (self.folder / "data" / "README").write_text("no golden questions\n")
        site_dir = self.folder / "site"
        site_dir.mkdir()
        for number in range(PAGES):
            text = page(number, pages=PAGES, words=WORDS)
            (site_dir / f"{number}.html").write_text(text)
        start = '<!doctype html><title>All sites</title><a href="0.html">first site</a>'
        (site_dir / "index.html").write_text(start)
        source = ("dir=site", "public_url=https://sites.example")
        chosen = [f"domain.mirror.{value}" for value in source]
        chosen += ["domain.depends_on=site", "domain.golden_path=null", "domain.labelled_path=null"]
        for command in (
            ["git", "init", "-q", "."],
            ["dvc", "init", "-q"],
            ["groundwork", "compose", *chosen],
            ["git", "add", "-A"],
            ["git", "commit", "-qm", "a small site"],
        ):
            self.call(command)

    def call(self, command: list[str]) -> None:
        """Run a command to its end; a failure ends the measurement with what it said."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}")

    def start(self) -> subprocess.Popen[bytes]:
        """`dvc repro index` in a process group of its own; what it says is kept in a file."""
        self.call(["groundwork", "mend"])
        with (self.folder / "repro.log").open("ab") as log:
            return subprocess.Popen(
                ["dvc", "repro", "index"],
                cwd=self.folder, env=self.env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def finish(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for a run that must succeed."""
        if process.wait():
            words = (self.folder / "repro.log").read_text()[-3000:]
            sys.exit(f"dvc repro index: exit status {process.returncode}: {words}")

    def reset(self) -> None:
        """As after `git clone`: nothing made, nothing remembered."""
        for name in ("artifacts", ".cache", "mlartifacts", ".dvc/cache", ".dvc/tmp"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        for path in (*self.folder.glob("mlflow.db*"), self.folder / "dvc.lock"):
            path.unlink(missing_ok=True)

    def reached(self) -> str:
        """The first stage that has not left a whole artifact. Raises: `ArtifactError`."""
        for stage in STAGES:
            folder = self.folder / "artifacts" / stage
            if not (folder / "manifest.json").exists():
                return stage
            check_manifest(folder)
        return "end"

    def left(self) -> list[str]:
        """Processes that work in the checkout, once they had time to end."""
        deadline = time.monotonic() + GRACE_S
        while (found := self._processes()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return found

    def _processes(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()).is_relative_to(self.folder):
                    found.append(" ".join(process.cmdline()))
            except (psutil.Error, OSError):
                continue
        return found

    def damaged_objects(self) -> list[str]:
        """Files of DVC's cache whose content is not what their names say."""
        found = []
        for path in (self.folder / ".dvc/cache/files/md5").glob("*/*"):
            content = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
            if content != (path.parent.name + path.name).removesuffix(".dir"):
                found.append(path.name)
        return found


def kill(process: subprocess.Popen[bytes], *, alone: bool) -> None:
    """End a run as a crash would: the whole group, or `dvc` alone."""
    if alone:
        process.send_signal(signal.SIGKILL)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def disturbed(
    checkout: Checkout,
    expected: dict[str, str],
    dice: random.Random,
    *,
    kills: int,
    within_s: float,
) -> int:
    """Rounds until so many kills are done; returns how many rounds were compared."""
    rounds, done = 0, 0
    where: Counter[str] = Counter()
    whole = False
    while done < kills or not whole:
        process = checkout.start()
        try:
            process.wait(dice.uniform(0, within_s) if done < kills else None)
        except subprocess.TimeoutExpired:
            how = HOW[done % 2]
            kill(process, alone=how == ALONE)
            done, whole = done + 1, False
            where[f"{how} in {checkout.reached()}"] += 1
            print(f"kill {done}: {how} in {checkout.reached()}", flush=True)
            continue
        checkout.finish(process)
        compare(checkout, expected)
        rounds, whole = rounds + 1, True
        checkout.reset()
    words = ", ".join(f"{number} {place}" for place, number in sorted(where.items()))
    print(f"{done} kills in {rounds} rounds: {words}")
    return rounds


def compare(checkout: Checkout, expected: dict[str, str]) -> None:
    """Fails when anything is not as the undisturbed run left it."""
    differ = sorted(set(expected.items()) ^ set(outputs(checkout.folder).items()))
    damaged, left = checkout.damaged_objects(), checkout.left()
    if differ or damaged or left:
        sys.exit(f"outputs that differ: {differ}; damaged objects: {damaged}; left: {left}")


def main() -> None:
    """Measure and compare."""
    kills, seed = (int(a) for a in (*sys.argv[1:], *("50", "1")[len(sys.argv) - 1 :]))
    dice = random.Random(seed)  # noqa: S311  moments, not a secret
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        untouched, checkout = (Checkout(Path(name).resolve() / n) for n in ("untouched", "killed"))
        untouched.prepare()
        checkout.prepare()
        started = time.monotonic()
        untouched.finish(untouched.start())
        within_s = time.monotonic() - started
        print(f"undisturbed: {within_s:.1f} s", flush=True)
        expected = outputs(untouched.folder)
        rounds = disturbed(checkout, expected, dice, kills=kills, within_s=within_s)
    print(f"all outputs of {rounds} rounds are the undisturbed run's; no manual step, none left")


if __name__ == "__main__":
    main()

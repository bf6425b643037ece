"""A checkout of its own in which tests run the pipeline as a user does."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("conf", "src", "stages", "dvc.yaml", "data.dvc", "service.py", "bentofile.yaml",
          "pyproject.toml", "requirements.lock", ".dvcignore", "README.md")  # fmt: skip
SECTIONS = ("levels/", "connectors/", "home/", "help/")
SMALL = (
    "experiment=small", "domain.golden_path=golden_small.jsonl",
    "domain.labelled_path=labelled_small.jsonl", "domain.intents_path=intents_small.jsonl",
)  # fmt: skip
CLOCKED = (
    "artifacts/crawl/fetch_log.jsonl",
    "artifacts/train/report.html",
    "artifacts/train/speed.json",
)


class Checkout:
    """A copy of the repository in which commands run as a user's would, on a small profile."""

    def __init__(self, folder: Path, *overrides: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        shutil.copytree(ROOT / "data", folder / "data")
        shutil.copy(ROOT / ".gitignore", folder / ".gitignore")
        bin_dir = str(Path(sys.executable).parent)
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "GROUNDWORK"))},
            "PATH": f"{bin_dir}{os.pathsep}{os.environ['PATH']}",
            "BENTOML_HOME": str(folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
            "PYTHONPATH": str(folder / "src"),
            "OMP_NUM_THREADS": "1",  # two workers test on two cores
            "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org",
            "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.org",
        }  # fmt: skip
        self._write_questions()
        self.run("git", "init", "-q", ".")
        self.run("dvc", "init", "-q")
        self.run("dvc", "config", "hydra.enabled", "true")
        self.run("dvc", "config", "core.analytics", "false")
        self.run("dvc", "commit", "-q", "-f", "data.dvc")
        self.run("groundwork", "compose", *SMALL, *overrides)
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", "small profile")

    def _write_questions(self) -> None:
        """A few questions of the pages that the small profile crawls, and of each category."""
        for name, small, most in (
            ("golden", "golden_small", 8), ("questions", "labelled_small", 40)
        ):  # fmt: skip
            chosen: dict[tuple[str, bool], list[str]] = {}
            for line in self._lines(name):
                row = json.loads(line)
                if all(e["page"].startswith(SECTIONS) for e in row["evidence"]):
                    chosen.setdefault((row["half"], row["answerable"]), []).append(line)
            self._keep(small, [line for group in chosen.values() for line in group[:most]])
        labels: dict[str, list[str]] = {}
        for line in self._lines("examples"):
            labels.setdefault(json.loads(line)["label"], []).append(line)
        self._keep("intents_small", [line for group in labels.values() for line in group[:10]])

    def _lines(self, name: str) -> list[str]:
        return (self.folder / f"data/ev_charging/{name}.jsonl").read_text().splitlines()

    def _keep(self, name: str, lines: list[str]) -> None:
        (self.folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")

    def run(self, *command: str) -> str:
        """Run a command and return its output; a failure shows all of it."""
        result = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def outputs(self) -> dict[str, dict[str, str]]:
        """Stage -> path -> hash, from dvc.lock."""
        stages = yaml.safe_load((self.folder / "dvc.lock").read_text())["stages"]
        return {
            stage: {out["path"]: out["md5"] for out in entry["outs"] if out["path"] not in CLOCKED}
            for stage, entry in stages.items()
        }

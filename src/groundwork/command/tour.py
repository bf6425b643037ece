"""What `make run` ends with: the results, whether they reproduce the committed ones, and answers.

In: `dvc.lock` now and as committed, `artifacts/`, the champion. Out: text for a person.
"""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from groundwork.artifacts import read_json
from groundwork.command.asking import Desk, Wish, show_answer
from groundwork.command.state import STAGES
from groundwork.config import DomainConfig, load
from groundwork.errors import ArtifactError

CLOCKED = {
    "crawl": ("artifacts/crawl/fetch_log.jsonl",),
    "train": ("artifacts/train/speed.json",),
    "evaluate": ("artifacts/evaluate",),
    "promote": ("artifacts/promote/decision.json", "artifacts/promote/manifest.json"),
}
"""Outputs that hold times, and so differ from run to run."""
NEXT = (
    ("source .venv/bin/activate", "puts dvc, groundwork and bentoml on the PATH"),
    ("make ui", "compare runs in MLflow, on http://127.0.0.1:5000"),
    ("groundwork serve", "the HTTP API and the web page (bentoml serve), on http://127.0.0.1:3000"),
    ("dvc exp run -S train.lora.rank=8", "an experiment; `dvc exp show` compares"),
)


def tour(root: Path) -> str:
    """The whole text. Raises: `ArtifactError` or `RegistryError` with the way out."""
    domain = load("domain", DomainConfig, root / "params.yaml")
    parts = ["Results", *_stages(root), "", "The gate", *_gate(root), "", "Questions"]
    if domain.examples:
        desk = Desk.open(root, None)
        parts += [
            f"\n> {question}\n{show_answer(desk.ask(question, Wish()))}"
            for question in domain.examples[:3]
        ]
    parts += ["", "Next", *(f"  {command:<34} {words}" for command, words in NEXT)]
    return "\n".join(parts)


def _stages(root: Path) -> list[str]:
    now = _outputs((root / "dvc.lock").read_text(encoding="utf-8"))
    committed = _outputs(_committed_lock(root))
    lines = []
    for stage in [name for name in STAGES if name in now]:
        outputs = now[stage]
        clocked = CLOCKED.get(stage, ())
        before = committed.get(stage, {})
        differs = [
            path
            for path, digest in outputs.items()
            if path not in clocked and before.get(path) != digest
        ]
        verdict = _verdict(outputs, differs, clocked)
        lines.append(f"  {stage:<9} artifacts/{stage + '/':<10} {verdict}")
    return lines


def _verdict(outputs: Mapping[str, str], differs: list[str], clocked: tuple[str, ...]) -> str:
    if set(outputs) <= set(clocked):
        return "holds measured times: not compared"
    if not differs:
        return "same bytes as committed"
    names = ", ".join(Path(path).name for path in differs)
    return f"differs from the committed hashes: {names}"


def _outputs(lock: str) -> dict[str, dict[str, str]]:
    try:
        stages = (yaml.safe_load(lock) or {}).get("stages", {})
        return {
            stage: {out["path"]: str(out["md5"]) for out in entry["outs"]}
            for stage, entry in stages.items()
        }
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"dvc.lock: damaged ({type(error).__name__}); run `git checkout dvc.lock`"
        ) from error


def _committed_lock(root: Path) -> str:
    command = ["git", "show", "HEAD:./dvc.lock"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else ""


def _gate(root: Path) -> list[str]:
    decision: dict[str, Any] = read_json(root / "artifacts" / "promote" / "decision.json")
    verdict = "promoted" if decision["promoted"] else "not promoted"
    return [
        f"  {decision['candidate']} was {verdict}: {decision['release']}",
        *(f"  {detail}" for detail in decision["details"]),
        "  artifacts/promote/decision.json holds both sides' numbers; "
        "artifacts/evaluate/report.html shows them",
    ]

"""Builds the folder of a release: model, index, prompt and configuration as one unit.

In: `artifacts/` and what `Ingredients` names. Out: plain files (Parquet, FAISS, JSON, safetensors,
text) and, last, a manifest with the sha256 of each.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from groundwork.artifacts import (
    MANIFEST,
    check_manifest,
    read_json,
    read_jsonl,
    sha256_bytes,
    sha256_file,
    write_json,
    write_jsonl,
    write_manifest,
    write_parquet,
    write_text,
)
from groundwork.errors import ArtifactError
from groundwork.promote.lineage import Lineage, read_lineage

ROWS = "evaluation/rows.jsonl"
LANGUAGE_MODELS = ("base", "tuned")
"""Answerers that carry the base model in their release."""
SERVED = ("answerer", "index", "prompt", "configuration", "calibration", "base", "adapter")
"""What makes two releases give the same answers; ids, times and figures do not count."""
CLASSIFIER = "classify"
"""Folder of the classifier in a release; one without it takes the first citation's category."""
NOT_SERVED = ("history.jsonl", "metrics.json", "rejects.jsonl")
SECTIONS_LEFT_OUT = ("serve",)
"""The operator's, not the release's."""


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a release is made of besides its answerer and the gate's decision."""

    artifacts_dir: Path
    params: Mapping[str, Any]
    """The whole of `params.yaml`."""
    prompt: str
    dvc_lock: Mapping[str, Mapping[str, Mapping[str, str]]]
    """Stage -> deps or outs -> path -> hash, as `lock_hashes` reads them."""
    git_commit: str
    run_ids: Mapping[str, str]
    """Stage -> MLflow run that wrote its artifact; an empty string when the store has none."""


def build_release(
    folder: Path, *, answerer: str, decision: Mapping[str, Any], ingredients: Ingredients
) -> str:
    """Fill the new folder `folder` and return the sha256 of its manifest.

    Weights are copied for the embedded model; a hub model is only named, with its revision.
    Raises: `ArtifactError` when a file of `artifacts/` is missing or damaged.
    """
    artifacts_dir = ingredients.artifacts_dir
    folder.mkdir(parents=True)
    configuration = {k: v for k, v in ingredients.params.items() if k not in SECTIONS_LEFT_OUT}
    write_json(folder / "config.json", configuration)
    write_text(folder / "prompt.txt", ingredients.prompt)
    _copy_stage(artifacts_dir / "index", folder / "index")
    _copy_evaluation(artifacts_dir / "evaluate", folder, answerer)
    _copy_model(artifacts_dir, folder, answerer)
    _copy_classifier(artifacts_dir / "classify", folder / CLASSIFIER)
    write_parquet(folder / "lineage.parquet", read_lineage(artifacts_dir), Lineage)
    write_json(folder / "decision.json", decision)
    write_json(folder / "release.json", _provenance(folder, answerer, decision, ingredients))
    return write_manifest(folder, _files(folder))


def check_release(folder: Path) -> None:
    """Check every file of a release against its manifest.

    Raises: `ArtifactError` naming the file that is missing or was changed, and the way out.
    """
    try:
        check_manifest(folder)
    except ArtifactError as error:
        raise ArtifactError(f"{error}; {_way_out(folder)}") from error


def check_registered(folder: Path, manifest_sha256: str) -> None:
    """Check that a release is the registered one; cheap, for only its manifest is read."""
    path = folder / MANIFEST
    if not path.exists():
        raise ArtifactError(f"{path}: no such file; {_way_out(folder)}")
    if sha256_file(path) != manifest_sha256:
        raise ArtifactError(
            f"{path}: not the manifest that the registry names ({manifest_sha256[:12]}…): the "
            f"release was damaged or edited; {_way_out(folder)}"
        )


def content_sha256(folder: Path) -> str:
    """Identity of what a release serves: equal for two builds that would answer alike."""
    release = read_json(folder / "release.json")
    parts = {"answerer": release["answerer"], **release["sha256"]}
    names = [*SERVED, *([CLASSIFIER] if parts.get(CLASSIFIER) else [])]  # none up to 0.1
    return sha256_bytes("\n".join(f"{name}={parts[name]}" for name in names).encode())


def lock_hashes(path: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Hashes of every stage in `dvc.lock`; none when the stages were run without DVC.

    Raises: `ArtifactError` when the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        stages = yaml.safe_load(path.read_text(encoding="utf-8"))["stages"]
        return {
            stage: {
                kind: {item["path"]: str(item["md5"]) for item in entry.get(kind, ())}
                for kind in ("deps", "outs")
            }
            for stage, entry in sorted(stages.items())
        }
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f"{path}: damaged ({type(error).__name__}: {' '.join(str(error).split())[:80]}); "
            "run `git checkout dvc.lock`, then `dvc repro`"
        ) from error


def _copy_stage(source_dir: Path, target_dir: Path) -> None:
    """Copy the files that the stage's manifest names, after checking them, and the manifest."""
    _copy(source_dir, target_dir, [*check_manifest(source_dir)["files"], MANIFEST])


def _copy(source_dir: Path, target_dir: Path, names: Iterable[str]) -> None:
    for name in names:
        (target_dir / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source_dir / name, target_dir / name)


def _copy_evaluation(evaluate_dir: Path, folder: Path, answerer: str) -> None:
    check_manifest(evaluate_dir)
    _copy(evaluate_dir, folder, ("calibration.json", "metrics.json"))
    write_jsonl(folder / ROWS, rows_of(answerer, read_jsonl(evaluate_dir / "rows.jsonl")))


def rows_of(answerer: str, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of one answerer, in their order."""
    return [row for row in rows if row["answerer"] == answerer]


def _copy_model(artifacts_dir: Path, folder: Path, answerer: str) -> None:
    if answerer in LANGUAGE_MODELS:
        _copy_stage(artifacts_dir / "base", folder / "base")
    if answerer == "tuned":
        names = check_manifest(artifacts_dir / "train")["files"]
        _copy(artifacts_dir / "train", folder, [n for n in names if n.startswith("adapter/")])


def _copy_classifier(source_dir: Path, target_dir: Path) -> None:
    """What serves of the classifier; nothing where none was trained."""
    if (source_dir / MANIFEST).exists():
        names = check_manifest(source_dir)["files"]
        _copy(source_dir, target_dir, [name for name in names if name not in NOT_SERVED])


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def _provenance(
    folder: Path, answerer: str, decision: Mapping[str, Any], ingredients: Ingredients
) -> dict[str, Any]:
    base_path = ingredients.artifacts_dir / "base" / "base.json"
    return {
        "name": ingredients.params["domain"]["name"],
        "answerer": answerer,
        "git_commit": ingredients.git_commit,
        "dvc_lock": ingredients.dvc_lock,
        "mlflow_runs": dict(sorted(ingredients.run_ids.items())),
        "base": read_json(base_path) if base_path.exists() else None,
        "retriever": read_json(folder / "index" / MANIFEST).get("retriever"),
        "decision": decision,
        "sha256": {
            "index": _sha256_below(folder, "index"),
            "prompt": sha256_file(folder / "prompt.txt"),
            "configuration": sha256_file(folder / "config.json"),
            "calibration": sha256_file(folder / "calibration.json"),
            "base": _sha256_below(folder, "base"),
            "adapter": _sha256_below(folder, "adapter"),
            CLASSIFIER: _sha256_below(folder, CLASSIFIER),
        },
    }


def _sha256_below(folder: Path, name: str) -> str:
    """Over the names and contents of all files of a folder; empty when there are none."""
    files = _files(folder / name)
    lines = "".join(f"{path} {sha256_file(folder / name / path)}\n" for path in files)
    return sha256_bytes(lines.encode()) if lines else ""


def _way_out(folder: Path) -> str:
    if ".cache" in folder.parts:
        return f"delete {folder} (it is downloaded again)"
    return (
        "run `groundwork release rollback` to serve the one before, or "
        "`dvc repro --force --single-item promote`"
    )

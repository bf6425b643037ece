"""Checks of the checkout: configuration, DVC, the MLflow store and its champion."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from groundwork.artifacts import MANIFEST
from groundwork.command.compose import describe_changes
from groundwork.command.doctor import Check, Finding, Status
from groundwork.command.mend import LOCK_NAME, RWLOCK_PATH, lock_fault, running, rwlock_fault
from groundwork.command.sections import check_params
from groundwork.config import compose, read_params
from groundwork.errors import ArtifactError, ConfigError, RegistryError
from groundwork.promote import check_release, find_champion, lock_hashes
from groundwork.tracking import tracking_uri

STAGES = (
    "crawl", "clean", "chunk", "qa", "adapt", "index", "classify", "base", "train", "evaluate",
    "promote",
)  # fmt: skip


def check_configuration(root: Path) -> Iterator[Finding]:
    """`params.yaml` fits the classes of all rooms, and is what `conf/` composes."""
    path = root / "params.yaml"
    try:
        check_params(read_params(path), path)
        edits = _edits(root)
    except ConfigError as error:
        for problem in str(error).splitlines():
            yield Finding("params.yaml", Status.MEND, problem, "groundwork compose")
    else:
        yield Finding("params.yaml", Status.OK, "every section is valid")
        if edits:
            found = f"not as conf/ composes it, as `dvc exp run` will: {', '.join(edits)}"
            yield Finding("params.yaml", Status.NOTE, found)


def _edits(root: Path) -> list[str]:
    """Changes by hand, or of an experiment that was applied: DVC composes the file anew."""
    if not (root / "conf" / "config.yaml").exists():
        return []
    composed = yaml.safe_load(compose([], root / "conf"))
    changes = describe_changes(composed, read_params(root / "params.yaml"))
    return [change.strip() for change in changes]


def check_data(root: Path) -> Iterator[Finding]:
    """The files of the domain are there."""
    domain = _domain(root)
    for key in ("depends_on", "golden_path", "labelled_path", "intents_path"):
        name = domain.get(key)
        if not name:
            continue
        if (root / name).exists():
            yield Finding("data", Status.OK, name)
        else:
            mend = "dvc pull data" if name.startswith("data/") else f"set domain.{key} to a file"
            yield Finding("data", Status.MEND, f"{name} is missing", mend)


def check_lock(root: Path) -> Iterator[Finding]:
    """`dvc.lock` can be read: a killed `dvc` may have cut it short."""
    path = root / LOCK_NAME
    try:
        fault = lock_fault(root)
        stages = lock_hashes(path) if not fault else {}
    except ArtifactError as error:
        fault = str(error).split(";")[0]
    if fault:
        yield Finding(LOCK_NAME, Status.MEND, fault, "groundwork mend")
        return
    found = f"{len(stages)} stages" if path.exists() else "none yet: no stage was run with DVC"
    yield Finding(LOCK_NAME, Status.OK if stages else Status.NOTE, found)


def check_rwlock(root: Path) -> Iterator[Finding]:
    """DVC's lock of files lets the next `dvc` pass."""
    if fault := rwlock_fault(root):
        yield Finding("rwlock", Status.MEND, f"{root / RWLOCK_PATH} {fault}", "groundwork mend")
    elif pid := running(root):
        yield Finding("rwlock", Status.NOTE, f"dvc is running as process {pid}")


def check_stages(root: Path) -> Iterator[Finding]:
    """Which stages have left a finished artifact."""
    missing = [s for s in STAGES if not (root / "artifacts" / s / MANIFEST).exists()]
    if missing:
        yield Finding("artifacts", Status.NOTE, f"`dvc repro` would make {', '.join(missing)}")
    else:
        yield Finding("artifacts", Status.OK, f"of all {len(STAGES)} stages")


def check_registry(root: Path) -> Iterator[Finding]:
    """The MLflow store answers, and its champion's files are whole."""
    name = _domain(root).get("name")
    if not name:
        yield Finding("mlflow", Status.NOTE, "not checked: params.yaml names no domain")
        return
    try:
        champion = find_champion(name)
        if champion is not None:
            check_release(champion.folder)
    except RegistryError as error:
        mend = "check MLFLOW_TRACKING_URI and that the server runs; unset it for the local store"
        yield Finding("mlflow", Status.MEND, str(error), mend)
    except ArtifactError as error:
        found, _, mend = str(error).rpartition("; ")
        yield Finding("champion", Status.MEND, found, mend)
    else:
        yield Finding("mlflow", Status.OK, tracking_uri())
        if champion is None:
            mend = (
                "dvc repro (or `dvc repro --force --single-item promote`), or set "
                "MLFLOW_TRACKING_URI to your team's store"
            )
            yield Finding("champion", Status.MEND, f"none of domain {name}", mend)
        else:
            found = f"{champion.name}/{champion.version} ({champion.answerer})"
            yield Finding("champion", Status.OK, found)


def _domain(root: Path) -> dict[str, Any]:
    """The section as it is, for `check_configuration` says what is wrong with it."""
    try:
        domain = yaml.safe_load((root / "params.yaml").read_text(encoding="utf-8"))["domain"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return {}
    return domain if isinstance(domain, dict) else {}


CHECKS: tuple[Check, ...] = (
    check_configuration,
    check_data,
    check_lock,
    check_rwlock,
    check_stages,
    check_registry,
)

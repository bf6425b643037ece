"""The registry: releases as versions of an MLflow model named after the domain.

The alias `champion` names the release that serves, `previous` the one before it. A copy of the
champion lies in `release/` of the checkout, which is what `bentoml build` packs.
"""

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from groundwork.artifacts import project_root, read_json, sha256_file, write_json
from groundwork.errors import ArtifactError, RegistryError
from groundwork.promote.release import check_registered, check_release, content_sha256
from groundwork.promote.store import (
    aliases_of,
    ensure_model,
    files_dir,
    is_cached,
    is_missing_store,
    registry_errors,
    versions_of,
)
from groundwork.tracking import Run, client, tracking_uri

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

logger = logging.getLogger(__name__)
CHAMPION = "champion"
PREVIOUS = "previous"
TAG = "groundwork."
CARD = "registered.json"
"""Beside an exported release: what the registry knows about it."""
FOLDER = "release"
"""Artifact folder of the promote run that holds a release's files."""


@dataclass(frozen=True, slots=True)
class Release:
    """A registered release."""

    name: str
    version: str
    aliases: tuple[str, ...]
    created: str
    """ISO 8601, UTC."""
    answerer: str
    metrics: dict[str, float]
    run_id: str
    folder: Path
    """Holds the files, or for `list_releases` will hold them once the release is asked for."""


def champion(domain: str) -> Release:
    """The release that serves. Raises: `RegistryError` with the way out when there is none."""
    found = find_champion(domain)
    if found is None:
        raise RegistryError(
            f"domain {domain} has no champion in the MLflow store {tracking_uri()}: run "
            "`dvc repro` (`dvc repro --force --single-item promote` when DVC finds nothing to do), "
            "or set MLFLOW_TRACKING_URI to your team's store"
        )
    return found


def find_champion(domain: str) -> Release | None:
    """The release that serves, or None before the first promotion."""
    version = aliases_of(domain).get(CHAMPION)
    return get_release(domain, version) if version is not None else None


def get_release(domain: str, version: str) -> Release:
    """The release of that version with its files at hand; only its manifest is checked.

    Files of a remote store are downloaded once and checked then.
    Raises: `RegistryError` when there is no such version, `ArtifactError` when its files are gone
    or are not what was registered.
    """
    release, manifest_sha256 = _find(domain, version)
    if not release.folder.exists() and is_cached(release.folder):
        _download(release, manifest_sha256)
    check_registered(release.folder, manifest_sha256)
    return release


def list_releases(domain: str) -> list[Release]:
    """All versions, newest first, without fetching their files; none when there is no model."""
    aliases = aliases_of(domain)
    return [_release(version, aliases)[0] for version in versions_of(domain)]


def register(folder: Path, *, run: Run, domain: str, metrics: Mapping[str, float]) -> Release:
    """Store the release in `folder` with its run and make it a version of the domain's model.

    A version that serves the same content is returned instead of a second one being made.
    """
    content = content_sha256(folder)
    known = _find_content(domain, content)
    if known is not None:
        return known
    about = read_json(folder / "release.json")
    tags = {
        "answerer": about["answerer"],
        "decision": ", ".join(about["decision"]["reasons"]),
        "metrics": json.dumps(metrics, sort_keys=True, allow_nan=False),
        "manifest_sha256": sha256_file(folder / "manifest.json"),
        "content_sha256": content,
        "git_commit": about["git_commit"],
    }
    with registry_errors():
        run.log_artifact(folder, folder=FOLDER)
        ensure_model(domain)
        made = run.client.create_model_version(
            domain,
            source=f"{run.client.get_run(run.run_id).info.artifact_uri}/{FOLDER}",
            run_id=run.run_id,
            tags={TAG + name: value for name, value in tags.items()},
            description="; ".join(about["decision"]["details"]),
        )
    return get_release(domain, str(made.version))


def _find_content(domain: str, content: str) -> Release | None:
    """The newest release that serves that content and whose files are whole."""
    for version in versions_of(domain):
        if version.tags.get(TAG + "content_sha256") != content:
            continue
        try:
            release = get_release(domain, str(version.version))
            check_release(release.folder)
        except ArtifactError as error:
            logger.warning("registering the release anew: %s", error)
            continue
        return release
    return None


def crown(release: Release) -> Release:
    """Make `release` the champion, after checking every file of it, and export it.

    The champion so far keeps the alias `previous`. Nothing happens to a release that is champion.
    """
    domain, version = release.name, release.version
    check_release(release.folder)
    before = aliases_of(domain).get(CHAMPION)
    if before != version:
        with registry_errors():
            store = client()
            if before is not None:
                store.set_registered_model_alias(domain, PREVIOUS, before)
            store.set_registered_model_alias(domain, CHAMPION, version)
    crowned = get_release(domain, version)
    export_release(crowned, project_root() / "release")
    return crowned


def rollback(domain: str, version: str | None) -> Release:
    """Make the previous champion, or the named version, champion again.

    Raises: `RegistryError` when there is none to go back to.
    """
    target = version or aliases_of(domain).get(PREVIOUS)
    if target is None:
        raise RegistryError(
            f"domain {domain} has no previous champion in the MLflow store {tracking_uri()}: "
            "name a version of `groundwork release list`"
        )
    return crown(get_release(domain, target))


def export_release(release: Release, folder: Path) -> None:
    """Replace `folder` by a checked copy of the release with its registry card."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as scratch:
        copy_dir = Path(scratch) / "new"
        shutil.copytree(release.folder, copy_dir, copy_function=shutil.copyfile)
        check_release(copy_dir)
        names = ("name", "version", "aliases", "created", "answerer", "metrics", "run_id")
        write_json(copy_dir / CARD, {name: getattr(release, name) for name in names})
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        copy_dir.rename(folder)


def exported_release(folder: Path) -> Release:
    """The release that was exported to `folder`. Raises: `ArtifactError` when there is none."""
    card = read_json(folder / CARD)
    return Release(**card | {"aliases": tuple(card["aliases"]), "folder": folder})


def _find(domain: str, version: str) -> tuple[Release, str]:
    missing = f"{domain}/{version}: no such release; see `groundwork release list`"
    if is_missing_store():
        raise RegistryError(missing)
    with registry_errors(missing):
        found = client().get_model_version(domain, version)
    return _release(found, aliases_of(domain))


def _release(version: "ModelVersion", aliases: Mapping[str, str]) -> tuple[Release, str]:
    """The release of a model version, and the sha256 of its manifest."""
    number = str(version.version)
    manifest_sha256 = version.tags.get(TAG + "manifest_sha256", "")
    if not manifest_sha256:
        raise RegistryError(
            f"{version.name}/{number} in {tracking_uri()}: not a release of Groundwork (no tag "
            f"{TAG}manifest_sha256); delete that model version, or use another domain name"
        )
    release = Release(
        name=version.name,
        version=number,
        aliases=tuple(sorted(alias for alias, of in aliases.items() if of == number)),
        created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).isoformat(
            timespec="seconds"
        ),
        answerer=version.tags[TAG + "answerer"],
        metrics=json.loads(version.tags[TAG + "metrics"]),
        run_id=version.run_id,
        folder=files_dir(version.source, manifest_sha256),
    )
    return release, manifest_sha256


def _download(release: Release, manifest_sha256: str) -> None:
    release.folder.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=release.folder.parent, prefix=".download.") as scratch,
        registry_errors(),
    ):
        found = Path(client().download_artifacts(release.run_id, FOLDER, scratch))
        check_registered(found, manifest_sha256)
        check_release(found)
        if not release.folder.exists():  # another worker of the service may have been faster
            found.rename(release.folder)

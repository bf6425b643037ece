"""`groundwork release`: list, show, rollback, export."""

import json
from dataclasses import asdict
from pathlib import Path

from groundwork.artifacts import read_json
from groundwork.command.asking import find_release
from groundwork.errors import RegistryError
from groundwork.promote import Release, check_release, export_release, list_releases, rollback
from groundwork.tracking import flatten, tracking_uri

FIGURE = "score"
"""The figure of a release that the list shows."""


def show_list(domain: str, *, as_json: bool) -> str:
    """All releases of the domain, newest first."""
    releases = list_releases(domain)
    if as_json:
        return json.dumps([_card(release) for release in releases], indent=2)
    if not releases:
        raise RegistryError(
            f"domain {domain} has no releases in {tracking_uri()}; run `dvc repro`, or set "
            "MLFLOW_TRACKING_URI to your team's store"
        )
    lines = [f"{'RELEASE':<24}{'ANSWERER':<12}{'SCORE':>8}  {'CREATED':<27}ALIASES"]
    for release in releases:
        score = release.metrics.get(FIGURE)
        lines.append(
            f"{release.name + '/' + release.version:<24}{release.answerer:<12}"
            f"{'-' if score is None else format(score, '.4f'):>8}  {release.created:<27}"
            f"{', '.join(release.aliases)}"
        )
    return "\n".join(lines)


def show(domain: str, model: str | None, *, as_json: bool) -> str:
    """One release with its provenance, after checking every file of it."""
    release = find_release(domain, model)
    check_release(release.folder)
    about = _card(release) | {"provenance": read_json(release.folder / "release.json")}
    if as_json:
        return json.dumps(about, indent=2)
    return "\n".join(f"{name}: {_plain(value)}" for name, value in flatten(about).items())


def roll_back(domain: str, model: str | None) -> str:
    """Move the champion alias back, or to the named release, and say how to return."""
    before = next((r for r in list_releases(domain) if "champion" in r.aliases), None)
    version = find_release(domain, model).version if model else None
    release = rollback(domain, version)
    way_back = f"; `groundwork release rollback {before.version}` returns" if before else ""
    return (
        f"{release.name}/{release.version} ({release.answerer}) is the champion{way_back}. "
        "Running services follow within serve.refresh_s; release/ holds its copy."
    )


def export(domain: str, model: str | None, folder: Path) -> str:
    """Copy a release to a folder, checked, for `bentoml build`."""
    release = find_release(domain, model)
    export_release(release, folder)
    return f"{release.name}/{release.version} ({release.answerer}) lies in {folder}"


def _card(release: Release) -> dict[str, object]:
    return asdict(release) | {"folder": str(release.folder), "aliases": list(release.aliases)}


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)

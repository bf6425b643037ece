"""The registry over a real MLflow store: versions, aliases, copies, and what can go wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from groundwork.artifacts import write_bytes, write_manifest
from groundwork.errors import ArtifactError, RegistryError
from groundwork.promote import (
    Release,
    champion,
    crown,
    export_release,
    exported_release,
    find_champion,
    get_release,
    list_releases,
    register,
    rollback,
)
from groundwork.promote import registry as registry_module
from groundwork.tracking import client, stage_run

Folders = dict[str, Path]
METRICS = {"score": 0.75, "token_f1": 0.5}


@pytest.fixture
def project(checkout: Path) -> Path:
    """A checkout that stages can be run in."""
    params = {"domain": {"name": "pets"}}
    (checkout / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    return checkout


def _register(folder: Path) -> Release:
    """As stage `promote` does it, in a run of its own."""
    with stage_run("promote", inputs=[]) as run:
        return register(folder, run=run, domain="pets", metrics=METRICS)


def _aliases() -> dict[str, str]:
    return {name: str(v) for name, v in client().get_registered_model("pets").aliases.items()}


@pytest.fixture
def two(project: Path, releases: Folders) -> tuple[Release, Release]:
    """Version 1 (extractive) was champion before version 2 (tuned)."""
    first = crown(_register(releases["extractive"]))
    return first, crown(_register(releases["tuned"]))


def test_registered_release_is_found_with_its_files(project: Path, releases: Folders) -> None:
    """The version knows answerer, metrics, run and folder; nothing serves yet."""
    folder = releases["tuned"]
    release = _register(folder)
    assert (release.name, release.version, release.aliases) == ("pets", "1", ())
    assert (release.answerer, release.metrics) == ("tuned", METRICS)
    assert client().get_run(release.run_id).data.tags["groundwork.stage"] == "promote"
    assert release.created.endswith("+00:00")
    assert (release.folder / "manifest.json").read_bytes() == (
        folder / "manifest.json"
    ).read_bytes()
    assert get_release("pets", "1") == release
    assert find_champion("pets") is None


def test_version_carries_the_decision(project: Path, releases: Folders) -> None:
    """Tags and description show it in MLflow's UI."""
    _register(releases["tuned"])
    version = client().get_model_version("pets", "1")
    assert version.tags["groundwork.decision"] == "first_champion"
    assert version.tags["groundwork.git_commit"] == "c0ffee"
    assert json.loads(version.tags["groundwork.metrics"]) == METRICS
    assert version.description == "none yet"


def test_same_content_is_registered_once(project: Path, releases: Folders) -> None:
    """A second run that changed nothing gets the version that there is."""
    assert [_register(releases["extractive"]).version for _ in range(2)] == ["1", "1"]
    assert _register(releases["base"]).version == "2"


def test_damaged_version_is_registered_anew(project: Path, releases: Folders) -> None:
    """A version whose files are gone cannot stand in for the same content."""
    shutil.rmtree(_register(releases["extractive"]).folder)
    assert _register(releases["extractive"]).version == "2"


def test_champion_is_exported_for_a_bento(project: Path, releases: Folders, checkout: Path) -> None:
    """release/ holds the checked files and the registry's card, and nothing of the one before."""
    crown(_register(releases["tuned"]))
    assert (checkout / "release/adapter/adapter_model.safetensors").exists()
    crowned = crown(_register(releases["extractive"]))
    assert not (checkout / "release/adapter").exists()
    exported = exported_release(checkout / "release")
    assert (exported.version, exported.aliases, exported.answerer, exported.metrics) == (
        "2",
        ("champion",),
        "extractive",
        METRICS,
    )
    assert exported.folder == checkout / "release"
    assert exported.created == crowned.created
    assert not [p.name for p in checkout.iterdir() if p.name.startswith(".release")]


def test_failed_export_leaves_the_old_copy(two: tuple[Release, Release], checkout: Path) -> None:
    """A release that is damaged on the way does not replace the good one."""
    (two[0].folder / "prompt.txt").write_text("damaged", encoding="utf-8")
    with pytest.raises(ArtifactError, match="prompt"):
        export_release(two[0], checkout / "release")
    assert exported_release(checkout / "release").version == "2"


def test_folder_without_an_export_is_an_error(tmp_path: Path) -> None:
    """The card is what makes it an exported release."""
    with pytest.raises(ArtifactError, match=r"registered\.json: no such file"):
        exported_release(tmp_path / "release")


def test_new_champion_leaves_the_old_one_as_previous(two: tuple[Release, Release]) -> None:
    """Both aliases move together."""
    assert _aliases() == {"champion": "2", "previous": "1"}
    assert champion("pets").aliases == ("champion",)
    assert champion("pets").answerer == "tuned"


def test_crowning_the_champion_changes_no_alias(two: tuple[Release, Release]) -> None:
    """`previous` stays what it was."""
    crown(two[1])
    assert _aliases() == {"champion": "2", "previous": "1"}


def test_rollback_brings_the_previous_release_back(
    two: tuple[Release, Release], checkout: Path
) -> None:
    """The alias and the copy in release/ move; a second rollback returns."""
    back = rollback("pets", None)
    assert (back.version, back.answerer, back.aliases) == ("1", "extractive", ("champion",))
    assert _aliases() == {"champion": "1", "previous": "2"}
    assert exported_release(checkout / "release").version == "1"
    assert rollback("pets", None).version == "2"


def test_rollback_to_a_named_version(two: tuple[Release, Release], releases: Folders) -> None:
    """Any registered version can be made champion, also one that the gate held back."""
    _register(releases["base"])
    assert rollback("pets", "3").version == "3"
    assert _aliases() == {"champion": "3", "previous": "2"}


def test_damaged_release_does_not_become_champion(two: tuple[Release, Release]) -> None:
    """Its files are checked before the alias moves."""
    (two[0].folder / "index/vectors.faiss").write_bytes(b"damaged")
    with pytest.raises(ArtifactError, match=r"vectors\.faiss: sha256 is"):
        rollback("pets", None)
    assert _aliases() == {"champion": "2", "previous": "1"}


def test_rollback_without_a_previous_champion(project: Path, releases: Folders) -> None:
    """The error says where to look for a version to name."""
    crown(_register(releases["extractive"]))
    with pytest.raises(RegistryError, match=r"no previous champion .*groundwork release list"):
        rollback("pets", None)


def test_releases_are_listed_newest_first(two: tuple[Release, Release]) -> None:
    """With their aliases; a domain without releases has none."""
    assert [(r.version, r.aliases) for r in list_releases("pets")] == [
        ("2", ("champion",)),
        ("1", ("previous",)),
    ]
    assert list_releases("cars") == []


@pytest.mark.parametrize("version", ["9", "newest"])
def test_unknown_version_is_an_error(two: tuple[Release, Release], version: str) -> None:
    """A number that is not there and a word that is none."""
    with pytest.raises(RegistryError, match=f"pets/{version}: no such release"):
        get_release("pets", version)


def test_no_champion_names_store_and_way_out(checkout: Path) -> None:
    """Domain, store, the commands, and the team's store."""
    with pytest.raises(RegistryError) as caught:
        champion("pets")
    expected = (
        "pets",
        f"sqlite:///{checkout}/mlflow.db",
        "`dvc repro`",
        "dvc repro --force --single-item promote",
        "MLFLOW_TRACKING_URI",
    )
    assert [text for text in expected if text not in str(caught.value)] == []


def test_asking_makes_no_database(checkout: Path) -> None:
    """A fresh clone has no store, and looking at it leaves it so."""
    (checkout / "mlflow.db").unlink()
    assert (find_champion("pets"), list_releases("pets")) == (None, [])
    with pytest.raises(RegistryError, match="pets/1: no such release"):
        get_release("pets", "1")
    assert not (checkout / "mlflow.db").exists()


def test_unreachable_store_is_named(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is down is not taken for one without a champion."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match=r"http://127\.0\.0\.1:9: the MLflow store cannot"):
        champion("pets")


def test_model_of_another_program_is_not_taken_for_a_release(project: Path) -> None:
    """A version without our tags is named."""
    client().create_registered_model("pets")
    client().create_model_version("pets", source="file:///nowhere")
    with pytest.raises(RegistryError, match=r"pets/1 .*not a release of Groundwork"):
        list_releases("pets")


def test_release_that_was_edited_in_the_store_is_refused(two: tuple[Release, Release]) -> None:
    """A new manifest does not hide new files: the registry knows the old one."""
    folder = two[1].folder
    write_bytes(folder / "prompt.txt", b"ignore the passages")
    names = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    write_manifest(folder, names)
    with pytest.raises(ArtifactError, match="not the manifest that the registry names"):
        champion("pets")


def test_lost_files_of_a_champion_are_an_error(two: tuple[Release, Release]) -> None:
    """The alias is there, the folder is not."""
    shutil.rmtree(two[1].folder)
    with pytest.raises(ArtifactError, match=r"manifest\.json: no such file.*release rollback"):
        champion("pets")


@pytest.fixture
def remote(two: tuple[Release, Release]) -> Release:
    """Version 3: version 2 as a store would name it whose files lie elsewhere."""
    tags: dict[str, Any] = client().get_model_version("pets", "2").tags
    source = f"runs:/{two[1].run_id}/release"
    client().create_model_version("pets", source=source, run_id=two[1].run_id, tags=tags)
    return list_releases("pets")[0]


def test_remote_release_is_downloaded_once(
    remote: Release, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing fetches nothing; getting it fetches it into the cache, the second time not again."""
    assert remote.folder.parent == checkout / ".cache" / "groundwork" / "releases"
    assert not remote.folder.exists()
    assert (get_release("pets", "3").folder / "prompt.txt").exists()
    assert [p.name for p in remote.folder.parent.iterdir()] == [remote.folder.name]
    monkeypatch.setattr(registry_module, "_download", None)
    assert get_release("pets", "3") == remote


def test_damaged_download_is_not_kept(
    remote: Release, two: tuple[Release, Release], checkout: Path
) -> None:
    """A file that was damaged in the store or on the way leaves nothing in the cache."""
    damaged_path = two[1].folder / "index/vectors.faiss"
    damaged_path.write_bytes(b"damaged")
    with pytest.raises(ArtifactError, match=r"vectors\.faiss: sha256 is"):
        get_release("pets", "3")
    assert list(remote.folder.parent.iterdir()) == []

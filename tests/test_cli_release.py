"""groundwork release: list, show, rollback, export, over a real MLflow store."""

import json
from pathlib import Path

import pytest
import yaml

from groundwork import cli
from groundwork.promote import crown, exported_release, register
from groundwork.tracking import stage_run

Folders = dict[str, Path]


@pytest.fixture
def project(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of the domain `pets` without releases."""
    params = {"domain": {"name": "pets"}}
    (checkout / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    monkeypatch.setenv("GROUNDWORK_DOMAIN", "pets")
    return checkout


@pytest.fixture
def two(project: Path, releases: Folders) -> Path:
    """Champion pets/2 (tuned), before it pets/1 (extractive)."""
    for answerer, score in (("extractive", 0.75), ("tuned", 0.8)):
        with stage_run("promote", inputs=[]) as run:
            crown(register(releases[answerer], run=run, domain="pets", metrics={"score": score}))
    return project


def test_list_shows_releases_newest_first(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, answerer, score, time and aliases in columns."""
    assert cli.main(["release", "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["RELEASE", "ANSWERER", "SCORE", "CREATED", "ALIASES"]
    assert [[*row[:3], *row[4:]] for row in rows[1:]] == [
        ["pets/2", "tuned", "0.8000", "champion"],
        ["pets/1", "extractive", "0.7500", "previous"],
    ]


def test_list_in_json(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every field of a release."""
    cli.main(["release", "list", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [(item["version"], item["aliases"]) for item in found] == [
        ("2", ["champion"]),
        ("1", ["previous"]),
    ]


def test_empty_list_says_how_to_get_a_release(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without releases the way out is named; JSON is an empty list."""
    assert cli.main(["release", "list"]) == 1
    assert "domain pets has no releases" in capsys.readouterr().err
    assert cli.main(["release", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_show_leads_to_commit_and_data(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The champion by default, with its provenance, key by key."""
    assert cli.main(["release", "show"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "version: 2" in lines
    assert "provenance.git_commit: c0ffee" in lines
    assert "provenance.dvc_lock.crawl.deps.data/pets: a1.dir" in lines
    cli.main(["release", "show", "1", "--json"])
    assert json.loads(capsys.readouterr().out)["provenance"]["answerer"] == "extractive"


def test_show_finds_damage(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A release is checked before it is shown."""
    folder = next(two.glob("mlartifacts/pets/*/artifacts/release/adapter")).parent
    (folder / "prompt.txt").write_text("damaged", encoding="utf-8")
    assert cli.main(["release", "show"]) == 1
    assert "prompt.txt: sha256 is" in capsys.readouterr().err


def test_rollback_says_how_to_return(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The previous release serves again, and the copy for Bentos is renewed."""
    assert cli.main(["release", "rollback"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "pets/1 (extractive) is the champion; `groundwork release rollback 2` returns."
    )
    assert exported_release(two / "release").version == "1"
    assert cli.main(["release", "rollback", "pets/2"]) == 0
    assert exported_release(two / "release").version == "2"


def test_export_copies_a_release(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Any release can be exported anywhere, the champion stays."""
    assert cli.main(["release", "export", "previous", "--to", "out/old"]) == 0
    assert capsys.readouterr().out == "pets/1 (extractive) lies in out/old\n"
    assert exported_release(two / "out/old").version == "1"
    assert exported_release(two / "release").version == "2"

"""groundwork doctor: each problem is found and comes with its mend."""

import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from groundwork import cli
from groundwork.artifacts import write_manifest, write_text
from groundwork.command import doctor, machine, sections, state
from groundwork.command.doctor import Finding, Status
from groundwork.promote import crown, register
from groundwork.tracking import stage_run

Folders = dict[str, Path]
LOCK = (
    "schema: '2.0'\nstages:\n  crawl:\n    cmd: x\n    outs:\n    - path: a\n"
    "      md5: b026324c6904b2a9cb4b88d6d61c81d1\n"
)
PARAMS = {"domain": {"name": "pets", "depends_on": "data/pets", "golden_path": None}, "seed": 13}


@pytest.fixture
def project(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which all is well."""
    monkeypatch.setattr(
        sections, "SECTIONS", {"domain": "builtins:dict", "seed": "groundwork.config:Count"}
    )
    write_text(checkout / "params.yaml", yaml.safe_dump(PARAMS))
    write_text(checkout / "requirements.lock", "pytest\n# a comment\n")
    write_text(checkout / "dvc.lock", LOCK)
    write_text(checkout / "data/pets/index.html", "cats")
    for stage in state.STAGES:
        if not (checkout / "artifacts" / stage / "manifest.json").exists():
            write_manifest(checkout / "artifacts" / stage, [])
    return checkout


def _one(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def _crown(releases: Folders) -> Path:
    with stage_run("promote", inputs=[]) as run:
        return crown(register(releases["extractive"], run=run, domain="pets", metrics={})).folder


def test_findings_are_shown_with_their_mends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each finding, the mend below it, a count at the end, and exit code 1."""
    findings = [
        Finding("cpu", Status.OK, "2 cores"),
        Finding("gpu", Status.NOTE, "none"),
        Finding("data", Status.MEND, "data/pets is missing", "dvc pull data"),
    ]
    monkeypatch.setattr(doctor, "examine", lambda root: findings)
    assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ok   cpu         2 cores",
        "note gpu         none",
        "mend data        data/pets is missing",
        "                 -> dvc pull data",
        "1 to mend",
    ]
    assert cli.main(["doctor", "--json"]) == 1
    view = json.loads(capsys.readouterr().out)
    assert view["problems"] == 1
    assert view["checks"][2] == {
        "name": "data",
        "status": "mend",
        "found": "data/pets is missing",
        "mend": "dvc pull data",
    }


def test_all_is_well(
    project: Path,
    releases: Folders,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every check runs on a checkout with a champion; nothing to mend is exit code 0."""
    monkeypatch.setattr(machine, "DISK_GIB", 0)
    _crown(releases)
    code = cli.main(["doctor"])
    out = capsys.readouterr().out
    assert (code, out.splitlines()[-1]) == (0, "all is well"), out
    assert "champion    pets/1 (extractive)" in out


def test_wrong_python_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version that there is and the one that is needed."""
    assert _one(machine.check_python(project)).status is Status.OK
    monkeypatch.setattr(sys, "version_info", (3, 13, 1, "final", 0))
    finding = _one(machine.check_python(project))
    assert (finding.status, finding.found) == (Status.MEND, "3.13.1, expected 3.11")


def test_packages_are_compared_with_the_lock(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing and other versions are named; a build tag is no difference; six are counted."""
    monkeypatch.setattr(machine, "version", lambda name: {"torch": "2.13.0+cpu"}[name])
    lock_path = project / "requirements.lock"
    lock_path.write_text("torch==2.13.0 ; python_version < '4'\n", encoding="utf-8")
    assert _one(machine.check_packages(project)).found == "1 as in requirements.lock"
    lock_path.write_text("torch==2.12.0\n", encoding="utf-8")
    finding = _one(machine.check_packages(project))
    assert (finding.status, finding.found) == (
        Status.MEND,
        "torch is 2.13.0+cpu, expected 2.12.0",
    )
    assert finding.mend.endswith("-m pip install -r requirements.lock")
    lock_path.unlink()
    assert _one(machine.check_packages(project)).mend == "git checkout requirements.lock"


def test_missing_packages_are_named(project: Path) -> None:
    """Five by name, the rest by number."""
    lines = "".join(f"no-such-package-{n}==1.0\n" for n in range(7))
    (project / "requirements.lock").write_text(lines, encoding="utf-8")
    found = _one(machine.check_packages(project)).found
    assert found.startswith("no-such-package-0 is not installed, ")
    assert found.endswith("no-such-package-4 is not installed and 2 more")


def test_graphics_card_is_a_note_when_there_is_none(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No driver is fine; a card is named; a driver that hangs or fails counts as none."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert [finding.status for finding in machine.check_processor(project)] == [
        Status.OK,
        Status.NOTE,
    ]
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/nvidia-smi")
    card = subprocess.CompletedProcess([], 0, stdout="NVIDIA H200, 143771 MiB\n")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **options: card)
    assert list(machine.check_processor(project))[1].found == "NVIDIA H200, 143771 MiB"

    def hang(*arguments: object, **options: object) -> None:
        raise subprocess.TimeoutExpired("nvidia-smi", 20)

    monkeypatch.setattr(subprocess, "run", hang)
    assert list(machine.check_processor(project))[1].status is Status.NOTE


def test_little_memory_is_a_note(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub models may not fit, small corpora do."""
    import psutil

    memory = namedtuple("memory", "total available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(4 * 2**30, 3 * 2**30))
    finding = _one(machine.check_memory(project))
    assert (finding.status, finding.found) == (
        Status.NOTE,
        "4.0 GiB, 3.0 GiB available; the whole DAG takes up to 6 GiB",
    )
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(16 * 2**30, 3 * 2**30))
    assert _one(machine.check_memory(project)).status is Status.OK


def test_full_disk_is_to_be_mended(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mend names what can go."""
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(2**30))
    finding = _one(machine.check_disk(project))
    assert (finding.status, finding.found) == (Status.MEND, "1.0 GiB free")
    assert ".cache/groundwork" in finding.mend


def test_every_problem_of_the_configuration_is_a_finding(project: Path) -> None:
    """Each with the command that writes the file anew."""
    write_text(project / "params.yaml", "seed: -1\ncolour: red\n")
    findings = list(state.check_configuration(project))
    assert [finding.found.split(" in ")[0] for finding in findings] == [
        "colour: unknown section",
        "domain is missing",
        "seed=-1",
    ]
    assert {finding.mend for finding in findings} == {"groundwork compose"}


def test_params_edited_by_hand_are_a_note(project: Path) -> None:
    """An experiment starts from conf/ and would not see them."""
    write_text(project / "conf/config.yaml", yaml.safe_dump(PARAMS))
    assert _one(state.check_configuration(project)).status is Status.OK
    write_text(project / "params.yaml", yaml.safe_dump(PARAMS | {"seed": 5}))
    _, finding = state.check_configuration(project)
    assert finding.status is Status.NOTE
    assert finding.found.endswith("`dvc exp run` will: seed: 13 -> 5")


def test_missing_data_are_pulled(project: Path) -> None:
    """Files below data/ come from DVC; others are the user's own."""
    shutil.rmtree(project / "data")
    finding = _one(state.check_data(project))
    assert (finding.found, finding.mend) == ("data/pets is missing", "dvc pull data")
    own = {"domain": PARAMS["domain"] | {"depends_on": "mine/site"}}  # type: ignore[operator]
    write_text(project / "params.yaml", yaml.safe_dump(own))
    assert _one(state.check_data(project)).mend == "set domain.depends_on to a file"


def test_damaged_lock_is_mended(project: Path) -> None:
    """Cut short by a kill; a project that never ran has none, which is fine."""
    assert _one(state.check_lock(project)).found == "1 stages"
    write_text(project / "dvc.lock", LOCK[:60])
    finding = _one(state.check_lock(project))
    assert (finding.status, finding.mend) == (Status.MEND, "groundwork mend")
    (project / "dvc.lock").unlink()
    assert _one(state.check_lock(project)).status is Status.NOTE


def test_a_lock_of_files_that_stops_dvc_is_mended(project: Path) -> None:
    """A running dvc is mentioned, a damaged file is not passed by DVC."""
    path = project / ".dvc" / "tmp" / "rwlock"
    assert list(state.check_rwlock(project)) == []
    write_text(path, json.dumps({"read": {"/a": [{"pid": os.getpid(), "cmd": "dvc repro"}]}}))
    assert _one(state.check_rwlock(project)).found == f"dvc is running as process {os.getpid()}"
    write_text(path, "{}")
    assert list(state.check_rwlock(project)) == []
    write_text(path, '{"read": {"/a')
    finding = _one(state.check_rwlock(project))
    assert (finding.status, finding.mend) == (Status.MEND, "groundwork mend")


def test_stages_that_were_not_run_are_noted(project: Path) -> None:
    """In the order of the DAG."""
    for stage in ("promote", "chunk"):
        (project / "artifacts" / stage / "manifest.json").unlink()
    finding = _one(state.check_stages(project))
    assert (finding.status, finding.found) == (
        Status.NOTE,
        "`dvc repro` would make chunk, promote",
    )


def test_missing_champion_names_the_way_out(project: Path) -> None:
    """With a store and without one."""
    for _ in range(2):
        store, champion = state.check_registry(project)
        assert store.status is Status.OK
        assert (champion.status, champion.found) == (Status.MEND, "none of domain pets")
        assert "dvc repro --force --single-item promote" in champion.mend
        (project / "mlflow.db").unlink(missing_ok=True)


def test_damaged_champion_is_found(project: Path, releases: Folders) -> None:
    """Every file of it is checked; the way out is to roll back."""
    folder = _crown(releases)
    assert [finding.status for finding in state.check_registry(project)] == [Status.OK] * 2
    (folder / "prompt.txt").write_text("damaged", encoding="utf-8")
    finding = _one(state.check_registry(project))
    assert (finding.name, finding.status) == ("champion", Status.MEND)
    assert "prompt.txt: sha256 is" in finding.found
    assert "groundwork release rollback" in finding.mend


def test_unreachable_store_is_found(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is named."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    finding = _one(state.check_registry(project))
    assert (finding.name, finding.status) == ("mlflow", Status.MEND)
    assert "http://127.0.0.1:9" in finding.found


@pytest.mark.parametrize("text", [None, "a: [", "domain: 3\n", "- 1\n"])
def test_broken_params_do_not_stop_the_doctor(project: Path, text: str | None) -> None:
    """Missing, not YAML, of another shape: reported once, and the other checks go on."""
    path = project / "params.yaml"
    path.unlink()
    if text is not None:
        write_text(path, text)
    assert next(state.check_configuration(project)).status is Status.MEND
    assert list(state.check_data(project)) == []
    assert _one(state.check_registry(project)).status is Status.NOTE

"""The command line: fast help with examples, exit codes, and composing params.yaml."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from groundwork import cli
from groundwork.command import sections
from groundwork.command.compose import describe_changes
from groundwork.config import PositiveInt, schema
from groundwork.errors import InputError

COMMANDS = (
    "compose",
    "ask",
    "search",
    "chat",
    "trace",
    "release",
    "diff",
    "doctor",
    "mend",
    "tour",
    "serve",
)
ACTIONS = ("list", "show", "rollback", "export")


def test_help_comes_within_a_second() -> None:
    """A new process needs under a second of the processor and imports no heavy library."""
    code = """
import sys
from groundwork.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
heavy = {"mlflow", "torch", "numpy", "hydra", "pydantic", "yaml"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert done.stderr == "[]\n"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    "command", [*([name] for name in COMMANDS), *(["release", name] for name in ACTIONS)]
)
def test_help_of_a_command_shows_an_example(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The example begins with the command itself."""
    with pytest.raises(SystemExit, match="0"):
        cli.main([*command, "--help"])
    assert f"example: groundwork {' '.join(command)}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["dance"], ["ask"], ["ask", "a", "--top-k", "0"], ["ask", "a", "--top-k", "few"]],
)
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """No command, an unknown one, a missing question, a number out of range."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(arguments)
    assert "usage: groundwork" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (
            InputError("no cats in data/; add some"),
            1,
            "groundwork chat: no cats in data/; add some",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_error_becomes_one_line_and_a_code(
    error: BaseException,
    code: int,
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Errors that are raised on purpose end with 1, Ctrl-C with 130, neither with a traceback."""

    def fail(arguments: object) -> int:
        raise error

    monkeypatch.setitem(cli.COMMANDS, "chat", fail)
    assert cli.main(["chat"]) == code
    assert capsys.readouterr().err == f"{shown}\n"


def test_closed_pipe_is_quiet() -> None:
    """`groundwork … | head` does not end with a traceback."""
    code = (
        "import sys\nfrom groundwork import cli\n"
        "cli.COMMANDS['chat'] = lambda arguments: print('x' * 1_000_000) or 0\n"
        "sys.exit(cli.main(['chat']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    with process:
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == ""


def test_serve_becomes_bentoml_on_the_configured_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is replaced, so that signals reach the server; a port can be given."""
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execvp", lambda file, arguments: started.append([file, *arguments]))
    monkeypatch.chdir(tmp_path)
    section = yaml.safe_load(
        (Path(__file__).parents[1] / "conf/serve/default.yaml").read_text(encoding="utf-8")
    )
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"serve": section}), encoding="utf-8")
    cli.main(["serve"])
    cli.main(["serve", "--port", "8080"])
    python = sys.executable
    base = [python, python, "-m", "bentoml", "serve", "service:Groundwork", "--host", "127.0.0.1"]
    assert started == [[*base, "--port", "3000"], [*base, "--port", "8080"]]


@schema
class PetConfig:
    rank: PositiveInt


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with two sections, `pet` and `seed`."""
    (tmp_path / "conf" / "pet").mkdir(parents=True)
    (tmp_path / "conf" / "pet" / "cat.yaml").write_text("rank: 8\n", encoding="utf-8")
    (tmp_path / "conf" / "pet" / "dog.yaml").write_text("rank: 9\n", encoding="utf-8")
    (tmp_path / "conf" / "config.yaml").write_text(
        "defaults:\n  - pet: cat\n  - _self_\n  - chosen: overrides\nseed: 13\n", encoding="utf-8"
    )
    (tmp_path / "conf" / "chosen").mkdir()
    (tmp_path / "conf" / "chosen" / "overrides.yaml").write_text(
        "# @package _global_\n", encoding="utf-8"
    )
    monkeypatch.setattr(
        sections,
        "SECTIONS",
        {"pet": f"{__name__}:PetConfig", "seed": "groundwork.config:Count"},
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_compose_writes_params_and_says_what_changed(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """First the file, then each changed key, then that nothing changed."""
    for arguments in ([], ["pet=dog", "seed=5"], ["pet=dog", "seed=5"]):
        assert cli.main(["compose", *arguments]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "params.yaml written: 2 sections",
        "params.yaml: 2 changed",
        "  pet.rank: 8 -> 9",
        "  seed: 13 -> 5",
        "params.yaml is unchanged",
    ]
    assert yaml.safe_load((tree / "params.yaml").read_text(encoding="utf-8")) == {
        "pet": {"rank": 9},
        "seed": 5,
    }


def test_invalid_composition_is_not_written(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All problems of all sections are named, and params.yaml stays as it was."""
    cli.main(["compose"])
    before = (tree / "params.yaml").read_bytes()
    assert cli.main(["compose", "pet.rank=0", "seed=-1", "+colour=red"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "groundwork compose: colour: unknown section in conf; expected one of pet, seed",
        "pet.rank=0 in conf: expected at least 1",
        "seed=-1 in conf: expected at least 0",
    ]
    assert (tree / "params.yaml").read_bytes() == before


def test_compose_keeps_its_overrides_in_the_tree(tree: Path) -> None:
    """They hold for a call without any, are replaced by the next ones, and `--reset` ends them."""
    composed = []
    for arguments in (["pet=dog", "seed=5"], [], ["pet.rank=1e3"], ["pet.rank=7"], ["--reset"]):
        cli.main(["compose", *arguments])
        params = yaml.safe_load((tree / "params.yaml").read_text(encoding="utf-8"))
        composed.append((params["pet"]["rank"], params["seed"]))
    assert composed == [(9, 5), (9, 5), (9, 5), (7, 13), (8, 13)]


def test_kept_overrides_name_the_command_that_wrote_them(tree: Path) -> None:
    """A reader, and `git log`, see what was called; groups stand apart from values."""
    cli.main(["compose", "pet=dog", "seed=5"])
    kept = (tree / "conf" / "chosen" / "overrides.yaml").read_text(encoding="utf-8")
    assert kept.splitlines()[:2] == ["# @package _global_", "# groundwork compose pet=dog seed=5"]
    assert yaml.safe_load(kept) == {"defaults": [{"override /pet": "dog"}, "_self_"], "seed": 5}


def test_override_that_cannot_be_kept_is_refused(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An experiment would not see a deletion, so nothing is written."""
    cli.main(["compose"])
    path = tree / "conf" / "chosen" / "overrides.yaml"
    before = path.read_bytes()
    assert cli.main(["compose", "~seed"]) == 1
    assert "~seed: cannot be kept in" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_missing_section_is_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tree without a section that a room needs."""
    (tree / "conf" / "config.yaml").write_text("seed: 13\n", encoding="utf-8")
    assert cli.main(["compose"]) == 1
    assert "pet is missing in conf" in capsys.readouterr().err


def test_compose_elsewhere_says_where_to_run_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outside of a checkout there is no conf/."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["compose"]) == 1
    assert "no such file; run `groundwork compose` at the root" in capsys.readouterr().err


def test_changes_are_shown_key_by_key() -> None:
    """New, removed and changed keys, sorted; lists and texts in one line."""
    before = {"a": {"b": 1, "c": [1, 2]}, "gone": True}
    after = {"a": {"b": 1, "c": [1]}, "new": "two words"}
    assert describe_changes(before, after) == [
        "  a.c: [1, 2] -> [1]",
        "  gone: true -> (none)",
        "  new: (none) -> two words",
    ]

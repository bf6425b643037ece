"""The configuration tree: every file of it composes, is valid, and composes as DVC composes it."""

import re
import shlex
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from groundwork.command.compose import compose_params
from groundwork.command.sections import SECTIONS, check_params
from groundwork.config import compose

ROOT = Path(__file__).resolve().parents[1]
CONF_DIR = ROOT / "conf"
PARAMS_PATH = ROOT / "params.yaml"
FILES = sorted(CONF_DIR.rglob("*.yaml"))
PLACEHOLDERS = {"NAME": "acme", "DIR": "data/acme"}
"""Words of the documented commands that stand for the reader's own."""
_COMMAND = re.compile(r"(?:groundwork compose|dvc exp run)(?: (.*?))?(?:\s{2,}.*|\)|, or .*)?$")


def _id(path: Path) -> str:
    return path.relative_to(CONF_DIR).as_posix()


def _first_comment(path: Path) -> str:
    """The first comment below Hydra's own, its continued lines joined."""
    lines = path.read_text(encoding="utf-8").split("\n")
    lines = [line for line in lines if not line.startswith("# @package")]
    text = lines[0]
    while text.endswith("\\"):
        text = text.removesuffix("\\") + lines.pop(1).removeprefix("#").strip()
    return text


def _documented(path: Path) -> list[str]:
    """Overrides of the command that a file's first comment names."""
    match = _COMMAND.search(_first_comment(path))
    assert match, f"{_id(path)}: its first comment names no command"
    text = match.group(1) or ""
    for word, value in PLACEHOLDERS.items():
        text = re.sub(rf"\b{word}\b", value, text)
    return [word for word in shlex.split(text) if word != "-S"]


def _choice(path: Path) -> str | None:
    """`group=choice` of a file; None for the root."""
    group = path.relative_to(CONF_DIR).parent.as_posix()
    return None if group == "." else f"{group}={path.stem}"


def _overrides(path: Path) -> list[str]:
    """The documented command's, on the tree without the reader's own choices."""
    documented = _documented(path)
    choice = _choice(path)
    if path.parent.name == "chosen":
        return [*documented]
    found = documented if choice is None or choice in documented else [choice, *documented]
    return ["~chosen", *found]


def _defaults() -> dict[str, Any]:
    root = yaml.safe_load((CONF_DIR / "config.yaml").read_text(encoding="utf-8"))
    pairs = [item for item in root["defaults"] if isinstance(item, dict)]
    return {group: choice for item in pairs for group, choice in item.items()}


def test_root_is_a_table_of_contents() -> None:
    """Every group of the tree stands in config.yaml, and every default is a file."""
    groups = {path.parent.name for path in FILES} - {"conf"}
    assert groups <= set(_defaults())
    chosen = {group: choice for group, choice in _defaults().items() if choice is not None}
    missing = [g for g, choice in chosen.items() if not (CONF_DIR / g / f"{choice}.yaml").exists()]
    assert missing == []


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_first_comment_is_the_command_that_uses_the_file(path: Path) -> None:
    """Either the file is a default of its group, or its own command chooses it."""
    commands = ("# groundwork compose", "# dvc exp run -S ", "# bentoml serve")
    assert _first_comment(path).startswith(commands)
    choice = _choice(path)
    if choice and _defaults()[path.parent.name] != path.stem:
        assert choice in _documented(path)


@cache
def _composed(path: Path) -> str:
    return compose(_overrides(path), CONF_DIR)


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_every_file_composes_into_valid_sections(path: Path) -> None:
    """By its documented command; no unknown, missing or out-of-range key in any section."""
    params = yaml.safe_load(_composed(path))
    check_params(params, Path("params.yaml"))
    assert "???" not in yaml.safe_dump(params)


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_composition_equals_dvcs_byte_for_byte(path: Path, tmp_path: Path) -> None:
    """`groundwork compose X` and `dvc exp run -S X` write the same params.yaml."""
    from dvc.utils.hydra import compose_and_dump

    out_path = tmp_path / "params.yaml"
    compose_and_dump(out_path, str(CONF_DIR), None, "config", str(ROOT), _overrides(path))
    assert out_path.read_bytes() == _composed(path).encode()


@pytest.mark.parametrize("name", ["domain/mirror", "domain/site", "experiment/small", "qa/teacher"])
def test_what_was_composed_is_where_experiments_start(name: str, tmp_path: Path) -> None:
    """After `groundwork compose X`, `dvc exp run` without X composes the same params.yaml."""
    from dvc.utils.hydra import compose_and_dump

    conf_dir = tmp_path / "conf"
    shutil.copytree(CONF_DIR, conf_dir)
    path = CONF_DIR / f"{name}.yaml"
    compose_params([word for word in _overrides(path) if word != "~chosen"], tmp_path)
    assert (tmp_path / "params.yaml").read_text(encoding="utf-8") == _composed(path)
    out_path = tmp_path / "experiment.yaml"
    compose_and_dump(out_path, str(conf_dir), None, "config", str(tmp_path), [])
    assert out_path.read_text(encoding="utf-8") == _composed(path)


def test_dvc_composes_this_tree() -> None:
    """DVC's own settings name the folder, the file, and switch Hydra on."""
    from configparser import ConfigParser

    settings = ConfigParser()
    settings.read(ROOT / ".dvc" / "config", encoding="utf-8")
    hydra = settings["hydra"]
    assert hydra.getboolean("enabled")
    assert hydra.get("config_dir", "conf") == "conf"
    assert hydra.get("config_name", "config") == "config"


def test_default_is_the_committed_params() -> None:
    """`params.yaml` is what `groundwork compose` writes."""
    if not PARAMS_PATH.exists():
        pytest.skip("params.yaml is not there yet: run `groundwork compose`")
    assert PARAMS_PATH.read_text(encoding="utf-8") == compose([], CONF_DIR)


def test_sections_are_the_groups() -> None:
    """Each section that is checked comes from a group (or is the seed), each group is checked."""
    groups = set(_defaults()) - {"experiment", "chosen"}
    assert groups | {"seed"} == set(SECTIONS)


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_values_stand_in_one_place(path: Path) -> None:
    """Seeds refer to the one of config.yaml."""
    text = path.read_text(encoding="utf-8")
    if path.name == "config.yaml":
        assert "\nseed: 13\n" in text
    else:
        assert re.findall(r"^\s*seed: (?!\$\{seed\})", text, re.MULTILINE) == []

"""`groundwork compose`: the Hydra tree and the overrides become `params.yaml`.

The overrides are kept as a file of the tree, for DVC composes the tree anew for each experiment.
"""

import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from groundwork.artifacts import write_text
from groundwork.command.sections import check_params
from groundwork.config import compose, read_params
from groundwork.errors import ConfigError
from groundwork.tracking import flatten

CHOSEN = Path("chosen", "overrides.yaml")
"""Below `conf/`: what was last chosen."""
HEADER = """\
# @package _global_
# {command}
# Written by `groundwork compose`, so that `dvc exp run -S` starts from it: commit it.
"""
MISSING = object()


def compose_params(overrides: Sequence[str], root: Path, *, reset: bool = False) -> str:
    """Write `params.yaml` and say what changed; a composition that is not valid is not written.

    Overrides replace those of the last call. Without any, those still hold, unless `reset`
    forgets them. Raises: `ConfigError` that lists every problem.
    """
    conf_dir, params_path = root / "conf", root / "params.yaml"
    if not (conf_dir / "config.yaml").exists():
        raise ConfigError(
            f"{conf_dir / 'config.yaml'}: no such file; run `groundwork compose` at the root of "
            "the checkout"
        )
    choosing = bool(overrides) or reset
    kept, text = _choose(overrides, conf_dir) if choosing else ("", compose([], conf_dir))
    params = yaml.safe_load(text)
    check_params(params, Path("conf"))
    before = read_params(params_path) if params_path.exists() else {}
    if choosing:
        write_text(conf_dir / CHOSEN, kept)
    write_text(params_path, text)
    changes = describe_changes(before, params)
    if not before:
        return f"params.yaml written: {len(params)} sections"
    if not changes:
        return "params.yaml is unchanged"
    return "\n".join([f"params.yaml: {len(changes)} changed", *changes])


def _choose(overrides: Sequence[str], conf_dir: Path) -> tuple[str, str]:
    """The file that keeps `overrides`, and the composition of the tree with it.

    Raises: `ConfigError` when that is not what the overrides themselves compose.
    """
    with tempfile.TemporaryDirectory() as scratch:
        trial_dir = Path(scratch) / conf_dir.name
        shutil.copytree(conf_dir, trial_dir)
        try:
            write_text(trial_dir / CHOSEN, _as_file([], conf_dir))
            wanted = compose(overrides, trial_dir)
            kept = _as_file(overrides, conf_dir)
            write_text(trial_dir / CHOSEN, kept)
            text = compose([], trial_dir)
        except ConfigError as error:
            raise ConfigError(str(error).replace(str(trial_dir), str(conf_dir))) from error
    if yaml.safe_load(text) != yaml.safe_load(wanted):
        raise ConfigError(
            f"{' '.join(overrides)}: cannot be kept in {conf_dir / CHOSEN} for `dvc exp run`; "
            "expected GROUP=FILE and KEY=VALUE alone (put the rest into a file of conf/experiment/)"
        )
    return kept, text


def _as_file(overrides: Sequence[str], conf_dir: Path) -> str:
    """Overrides that Hydra has accepted as a file of the tree: choices of groups, then values."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    choices: list[Any] = []
    values = OmegaConf.create()
    for item in OverridesParser.create().parse_overrides(list(overrides)):
        if (conf_dir / item.key_or_group).is_dir():
            choices.append({f"override /{item.key_or_group}": item.value()})
        else:
            OmegaConf.update(values, item.key_or_group, item.value(), force_add=True)
    command = shlex.join(["groundwork", "compose", *overrides])
    header = HEADER.format(command=" ".join(command.splitlines()))
    defaults = OmegaConf.to_yaml({"defaults": [*choices, "_self_"]}) if choices else ""
    return header + defaults + (OmegaConf.to_yaml(values) if values else "")


def describe_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """One line for each key whose value changed, sorted."""
    old, new = flatten(before), flatten(after)
    return [
        f"  {key}: {_show(old.get(key, MISSING))} -> {_show(new.get(key, MISSING))}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key, MISSING) != new.get(key, MISSING)
    ]


def _show(value: object) -> str:
    if value is MISSING:
        return "(none)"
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()

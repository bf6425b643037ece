"""`groundwork compose`: the Hydra tree and the overrides become `params.yaml`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from groundwork.artifacts import write_text
from groundwork.command.sections import check_params
from groundwork.config import compose, read_params
from groundwork.errors import ConfigError
from groundwork.tracking import flatten

MISSING = object()


def compose_params(overrides: Sequence[str], root: Path) -> str:
    """Write `params.yaml` and say what changed; a composition that is not valid is not written.

    Raises: `ConfigError` that lists every problem.
    """
    conf_dir, params_path = root / "conf", root / "params.yaml"
    if not (conf_dir / "config.yaml").exists():
        raise ConfigError(
            f"{conf_dir / 'config.yaml'}: no such file; run `groundwork compose` at the root of "
            "the checkout"
        )
    text = compose(overrides, conf_dir)
    params = yaml.safe_load(text)
    check_params(params, Path("conf"))
    before = read_params(params_path) if params_path.exists() else {}
    write_text(params_path, text)
    changes = describe_changes(before, params)
    if not before:
        return f"params.yaml written: {len(params)} sections"
    if not changes:
        return "params.yaml is unchanged"
    return "\n".join([f"params.yaml: {len(changes)} changed", *changes])


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

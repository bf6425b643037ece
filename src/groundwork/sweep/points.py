"""Points of a sweep: values of section `train`, checked before the first training begins."""

import itertools
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork.config import check
from groundwork.errors import ConfigError
from groundwork.sweep.config import SweepConfig, Value
from groundwork.train import TrainConfig

Point = dict[str, Value]
"""Dotted key to value."""
EVAL_PAIRS = "train.eval_pairs"


@dataclass(frozen=True, slots=True)
class Space:
    """What is tried: `base` is the configuration as it stands, on the sweep's validation pairs."""

    base: Point
    fixed: Point
    """`base` and what all others share."""
    choices: tuple[tuple[str, tuple[Value, ...]], ...]
    ranges: tuple[tuple[str, float, float, bool], ...]
    """Key, low, high, log."""


def make_space(config: SweepConfig, params: Mapping[str, Any], *, grid: bool) -> Space:
    """The grid of a queue, or the space of a study.

    Raises: `ConfigError` that lists every key and value with which no training could begin.
    """
    ranges = () if grid else tuple((r.key, r.low, r.high, r.log) for r in config.ranges)
    taken = {key for key, *_ in ranges}
    choices = [(c.key, tuple(c.values)) for c in config.choices if c.key not in taken]
    base: Point = {EVAL_PAIRS: config.eval_pairs}
    space = Space(base, base | {f.key: f.value for f in config.fixed}, tuple(choices), ranges)
    _check(space, params)
    return space


def _check(space: Space, params: Mapping[str, Any]) -> None:
    tried = [(key, value) for key, values in space.choices for value in values]
    tried += [
        (key, number)
        for key, low, high, _ in space.ranges
        for number in (low, low + (high - low) / 3, high)
    ]
    problems = [
        f"sweep.ranges: {key} from {low} to {high}: expected low < high"
        for key, low, high, _ in space.ranges
        if low >= high
    ]
    if not tried:
        problems.append("sweep.choices and sweep.ranges are empty: expected at least one key")
    keys = [key for key, *_ in (*space.choices, *space.ranges)]
    keys += [key for key in space.fixed if key != EVAL_PAIRS]
    problems += [
        f"sweep: {key} stands there twice" for key in sorted(set(keys)) if keys.count(key) > 1
    ]
    for point in [space.base, space.fixed, *({**space.fixed, key: value} for key, value in tried)]:
        try:
            check("train", TrainConfig, with_values(params, point)["train"], Path("sweep"))
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))


def with_values(params: Mapping[str, Any], point: Mapping[str, Value]) -> dict[str, Any]:
    """A copy of the composed configuration with the values of a point.

    Raises: `ConfigError` for a key that is not there.
    """
    changed = deepcopy(dict(params))
    for key, value in point.items():
        *path, last = key.split(".")
        place: Any = changed
        for part in path:
            place = place.get(part) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last not in place:
            raise ConfigError(
                f"sweep: {key} is no key of params.yaml; expected one of section `train`"
            )
        place[last] = value
    return changed


def grid_points(space: Space) -> list[Point]:
    """Every combination of the choices, the last key changing fastest."""
    keys = [key for key, _ in space.choices]
    combined: Sequence[tuple[Value, ...]] = list(
        itertools.product(*(values for _, values in space.choices))
    )
    return [space.fixed | dict(zip(keys, values, strict=True)) for values in combined]

"""Points of a sweep: what is tried, and what is refused before the first training."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from sweep_parts import sweep_config
from tiny_base import train_config

from groundwork.errors import ConfigError
from groundwork.sweep import grid_points, make_space
from groundwork.sweep.config import Choice, Fixed, Range
from groundwork.sweep.points import with_values

PARAMS: dict[str, Any] = {"train": asdict(train_config())}


def test_grid_is_every_combination_with_what_is_fixed() -> None:
    """Ranges are no part of it, and the last key changes fastest."""
    space = make_space(sweep_config(), PARAMS, grid=True)
    assert space.base == {"train.eval_pairs": 3}
    shared = {"train.eval_pairs": 3, "train.max_steps": None}
    assert grid_points(space) == [
        shared | {"train.lora.rank": rank, "train.epochs": epochs}
        for rank in (2, 4)
        for epochs in (1, 2)
    ]


def test_study_draws_from_the_range_where_a_key_has_both() -> None:
    """A choice of the same key is the grid's."""
    config = replace(
        sweep_config(), choices=[Choice("train.learning_rate", [1e-3]), Choice("train.epochs", [1])]
    )
    space = make_space(config, PARAMS, grid=False)
    assert space.choices == (("train.epochs", (1,)),)
    assert space.ranges == (("train.learning_rate", 1e-4, 1e-2, True),)


def test_all_problems_are_raised_together() -> None:
    """An unknown key, a value out of range, a range upside down, a key that stands there twice."""
    config = replace(
        sweep_config(),
        fixed=[Fixed("train.lora.size", 3), Fixed("train.epochs", 1)],
        choices=[Choice("train.lora.rank", [0]), Choice("train.epochs", [1])],
        ranges=[Range("train.learning_rate", 1e-2, 1e-3, True)],
    )
    with pytest.raises(ConfigError) as caught:
        make_space(config, PARAMS, grid=False)
    text = str(caught.value)
    assert "train.lora.size is no key of params.yaml" in text
    assert "expected low < high" in text
    assert "train.epochs stands there twice" in text
    with pytest.raises(ConfigError, match=r"train\.lora\.rank=0 in sweep: expected at least 1"):
        make_space(
            replace(sweep_config(), choices=[Choice("train.lora.rank", [4, 0])]), PARAMS, grid=True
        )


def test_nothing_to_try_is_an_error() -> None:
    """The sections to fill are named."""
    with pytest.raises(ConfigError, match=r"sweep\.choices and sweep\.ranges are empty"):
        make_space(replace(sweep_config(), choices=[]), PARAMS, grid=True)


def test_values_change_a_copy() -> None:
    """The configuration itself stays as it is."""
    changed = with_values(PARAMS, {"train.lora.rank": 64})
    assert changed["train"]["lora"]["rank"] == 64
    assert PARAMS["train"]["lora"]["rank"] == 4

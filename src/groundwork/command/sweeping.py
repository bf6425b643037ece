"""`groundwork sweep`: queue a grid, run a study, name the best."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from groundwork.config import load, read_params
from groundwork.errors import InputError
from groundwork.sweep import (
    Space,
    Standing,
    Standings,
    Study,
    SweepConfig,
    grid_points,
    judge,
    make_space,
    newest_sweep,
    open_sweep,
    queue,
    read_members,
    run_study,
)
from groundwork.tracking import client

PARAMS = Path("params.yaml")
STORAGE = "state/sweeps.db"
"""Where studies of one machine lie."""


def queue_sweep(name: str | None, *, root: Path) -> str:
    """Put every combination of `sweep.choices` into DVC's queue, their parent into MLflow."""
    params, _, space = _read(grid=True)
    name = name or _new_name("grid")
    _check_name(name)
    open_sweep(client(), name, domain=_domain(params))
    queue(name, space, root=root)
    count = len(grid_points(space))
    return (
        f"sweep {name}: {count} trainings and their base are queued.\n"
        "  dvc queue start -j 1          train them, one after the other\n"
        f"  groundwork sweep best {name}"
    )


def run_sweep(
    name: str | None, *, trials: int, storage: str | None, root: Path, say: Callable[[str], None]
) -> str:
    """Train the trials of a study, beside other workers, and name the best."""
    params, config, space = _read(grid=False)
    name = name or _new_name("study")
    _check_name(name)
    run_study(
        Study(
            name=name,
            storage=storage or f"sqlite:///{root.resolve() / STORAGE}",
            trials=trials,
            space=space,
            config=config,
            params=params,
            root=root.resolve(),
        ),
        say=say,
    )
    return best(name)


def best(name: str | None, *, as_json: bool = False) -> str:
    """The trainings of a sweep, the best first, each with its interval against the base."""
    params, config = read_params(PARAMS), load("sweep", SweepConfig)
    store, domain = client(), _domain(params)
    name = name or newest_sweep(store, domain=domain)
    standings = judge(name, read_members(store, name, domain=domain), config)
    if as_json:
        return json.dumps(_as_json(name, standings), indent=2, sort_keys=True)
    return _as_table(name, standings, config.confidence)


def _read(*, grid: bool) -> tuple[dict[str, Any], SweepConfig, Space]:
    params, config = read_params(PARAMS), load("sweep", SweepConfig)
    return params, config, make_space(config, params, grid=grid)


def _domain(params: dict[str, Any]) -> str:
    return str(params["domain"]["name"])


def _new_name(kind: str) -> str:
    return time.strftime(f"{kind}-%Y%m%d-%H%M%S", time.gmtime())


def _check_name(name: str) -> None:
    """DVC makes a git reference of it, MLflow a filter."""
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise InputError(f"--name {name}: expected letters, digits, - and _")


def _as_json(name: str, standings: Standings) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "sweep": name,
        "best": standings.best.experiment,
        "proven": standings.proven,
        "pairs": standings.pairs,
        "ranked": [asdict(standing) for standing in standings.ranked],
        "unfinished": dict(standings.unfinished),
    }


def _as_table(name: str, standings: Standings, confidence: float) -> str:
    keys = list(standings.best.values)
    heads = ["training", "loss", "gain over base", "interval", "tokens right"]
    rows = [[*heads, *(key.removeprefix("train.") for key in keys)]]
    rows += [[*_cells(s), *(s.values[key] for key in keys)] for s in standings.ranked]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    for experiment, status in standings.unfinished.items():
        lines.append(f"{experiment}: {status.lower()}, not compared")
    return "\n".join([*lines, "", _verdict(name, standings, confidence)])


def _cells(standing: Standing) -> list[str]:
    found = standing.comparison
    gain = ["", ""]
    if found:
        gain = [f"{found.improvement:+.4f}", f"[{found.low:+.4f}, {found.high:+.4f}]"]
    return [
        standing.experiment,
        f"{standing.loss:.4f}",
        *gain,
        f"{100 * standing.token_accuracy:.1f} %",
    ]


def _verdict(name: str, standings: Standings, confidence: float) -> str:
    winner, found = standings.best, standings.best.comparison
    measured = f"on {standings.pairs} validation pairs"
    if found is None:
        return f"sweep {name}: the base configuration is the best {measured}"
    sure = (
        "better than the base"
        if standings.proven
        else "not proven better than the base: the interval holds 0"
    )
    return (
        f"sweep {name}: {winner.experiment} wins with {found.improvement:+.4f} nats "
        f"[{found.low:+.4f}, {found.high:+.4f}] {measured}; {sure} "
        f"({100 * confidence:g} % for all {len(standings.ranked) - 1} together)"
    )

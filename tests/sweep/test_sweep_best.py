"""The best training of a sweep: order, intervals, and members that cannot be compared."""

from collections.abc import Sequence

import pytest
from sweep_parts import sweep_config

from groundwork.command.sweeping import _as_table
from groundwork.errors import InputError
from groundwork.promote import compare
from groundwork.sweep import Member, judge
from groundwork.train import PairScore


def _member(
    name: str, losses: Sequence[float], *, status: str = "FINISHED", rank: int = 4
) -> Member:
    scores = {f"q{i}": PairScore(f"q{i}", loss, 10, 7) for i, loss in enumerate(losses)}
    params = {"train.lora.rank": str(rank), "train.seed": "5", "seed": str(rank)}
    return Member(name, f"id-{name}", status, params, scores)


BASE = _member("s-base", [1.0, 1.2, 0.8, 1.1, 0.9, 1.0])
BETTER = _member("s-1", [0.8, 1.0, 0.7, 0.8, 0.7, 0.8], rank=8)
NOISY = _member("s-2", [0.4, 2.0, 0.3, 1.5, 0.4, 1.3], rank=16)
STOPPED = _member("s-3", [], status="STOPPED")


def test_members_stand_in_order_of_their_mean_loss() -> None:
    """Means .8, .983 and 1; what differs in `train` is shown, and what was stopped is told."""
    found = judge("s", [BASE, NOISY, BETTER, STOPPED], sweep_config())
    assert [(s.experiment, s.loss) for s in found.ranked] == [
        ("s-1", 0.8),
        ("s-2", 0.983333),
        ("s-base", 1.0),
    ]
    assert found.best.values == {"train.lora.rank": "8"}
    assert found.best.token_accuracy == 0.7
    assert (found.unfinished, found.pairs) == ({"s-3": "STOPPED"}, 6)


def test_intervals_are_paired_and_hold_together() -> None:
    """Gains of .1 to .3 on each pair; two members share 5 %: tails of 1.25 %."""
    import numpy as np

    found = judge("s", [BASE, NOISY, BETTER], sweep_config())
    gains_Q = np.array([0.2, 0.2, 0.1, 0.3, 0.2, 0.2])
    assert found.best.comparison == compare(gains_Q, alpha=0.0125, resamples=2000, seed=5)
    assert found.proven
    noisy = found.ranked[1].comparison
    assert noisy is not None
    assert noisy.low < 0 < noisy.high


def test_noise_is_not_called_better() -> None:
    """The lowest loss wins, but its interval holds 0; and the base may win."""
    found = judge("s", [BASE, NOISY], sweep_config())
    assert (found.best.experiment, found.proven) == ("s-2", False)
    text = _as_table("s", found, 0.95)
    assert "not proven better than the base: the interval holds 0" in text
    alone = judge("s", [BASE, _member("s-1", [3.0] * 6)], sweep_config())
    assert (alone.best.experiment, alone.proven) == ("s-base", False)
    assert "the base configuration is the best on 6 validation pairs" in _as_table("s", alone, 0.95)


def test_without_the_base_nothing_is_compared() -> None:
    """The states of the members are named, and how workers end."""
    waiting = _member("s-base", [], status="RUNNING")
    with pytest.raises(InputError, match=r"`s-base` has not finished \(s-base RUNNING, s-1 FINI"):
        judge("s", [waiting, BETTER], sweep_config())
    with pytest.raises(InputError, match="no run yet"):
        judge("s", [], sweep_config())


def test_other_pairs_cannot_be_compared() -> None:
    """Data that changed between two trainings of a sweep."""
    with pytest.raises(InputError, match="s-9: scored on 2 validation pairs, 2 of the base's 6"):
        judge("s", [BASE, _member("s-9", [0.1, 0.1])], sweep_config())

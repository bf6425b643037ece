"""Which training of a sweep is the best, and how sure that is. Pure.

In: members with a loss for each validation pair. Out: all of them in order, each compared with the
base configuration on the same pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from groundwork.errors import InputError
from groundwork.promote import Comparison, compare
from groundwork.sweep.config import SweepConfig
from groundwork.sweep.members import Member
from groundwork.tracking import BASE


@dataclass(frozen=True, slots=True)
class Standing:
    """A finished training and its place."""

    experiment: str
    run_id: str
    loss: float
    """Mean over the validation pairs of the mean loss of a pair's answer, in nats."""
    token_accuracy: float
    values: Mapping[str, str]
    """What differs between the members of the sweep."""
    comparison: Comparison | None
    """Loss that the base has more, with bounds; None for the base itself."""


@dataclass(frozen=True, slots=True)
class Standings:
    """Finished trainings, the best first; `unfinished` tells of the others."""

    ranked: tuple[Standing, ...]
    unfinished: Mapping[str, str]
    """Experiment to MLflow's status, or `STOPPED`."""
    pairs: int

    @property
    def best(self) -> Standing:
        """Of the lowest mean loss."""
        return self.ranked[0]

    @property
    def proven(self) -> bool:
        """Whether the winner is not the base, and its interval lies above nought."""
        comparison = self.best.comparison
        return comparison is not None and comparison.low > 0


def judge(name: str, members: Sequence[Member], config: SweepConfig) -> Standings:
    """Rank the members by their mean loss, each with a bootstrap interval against the base.

    The intervals hold together: each is drawn at the tail `(1 - confidence) / 2` divided by their
    number, for the best of many is chosen by the pairs that it is judged on. Raises: `InputError`
    when the base is missing, or members were scored on other pairs.
    """
    import numpy as np

    finished = [member for member in members if member.scores]
    base = next((m for m in finished if m.experiment == f"{name}-{BASE}"), None)
    if base is None:
        states = ", ".join(f"{m.experiment} {m.status}" for m in members) or "no run yet"
        raise InputError(
            f"sweep {name}: its base `{name}-{BASE}` has not finished ({states}); let the workers "
            "end: `dvc queue start -j 1`, or `groundwork sweep run`"
        )
    _check_pairs(base, finished)
    keys = sorted(base.scores)
    base_Q = np.array([base.scores[key].loss for key in keys])
    alpha = round((1 - config.confidence) / 2 / max(1, len(finished) - 1), 12)
    differing = _differing(finished)
    standings = []
    for member in finished:
        losses_Q = np.array([member.scores[key].loss for key in keys])
        found = compare(
            base_Q - losses_Q, alpha=alpha, resamples=config.resamples, seed=config.seed
        )
        scores = member.scores.values()
        standings.append(
            Standing(
                experiment=member.experiment,
                run_id=member.run_id,
                loss=round(float(losses_Q.mean()), 6),
                token_accuracy=round(
                    sum(s.right for s in scores) / sum(s.tokens for s in scores), 6
                ),
                values={key: member.params.get(key, "") for key in differing},
                comparison=None if member is base else found,
            )
        )
    ranked = sorted(standings, key=lambda standing: standing.loss)
    others = {m.experiment: m.status for m in members if not m.scores}
    return Standings(tuple(ranked), others, pairs=len(keys))


def _check_pairs(base: Member, members: Sequence[Member]) -> None:
    for member in members:
        if member.scores.keys() != base.scores.keys():
            raise InputError(
                f"{member.experiment}: scored on {len(member.scores)} validation pairs, "
                f"{len(member.scores.keys() & base.scores.keys())} of the base's "
                f"{len(base.scores)}: expected the same pairs; begin another sweep on one state of "
                "the data"
            )


def _differing(members: Sequence[Member]) -> list[str]:
    """Keys of `train` that have more than one value."""
    keys = {key for member in members for key in member.params if key.startswith("train.")}
    return sorted(
        key for key in keys if len({member.params.get(key, "") for member in members}) > 1
    )

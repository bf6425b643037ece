"""Sweeps: trainings that differ in a few values, their runs under one parent, and the best."""

from groundwork.sweep.best import Standing, Standings, judge
from groundwork.sweep.config import SweepConfig
from groundwork.sweep.members import Member, newest_sweep, open_sweep, read_members
from groundwork.sweep.points import Space, grid_points, make_space
from groundwork.sweep.queue import queue
from groundwork.sweep.study import Study, run_study

__all__ = [
    "Member",
    "Space",
    "Standing",
    "Standings",
    "Study",
    "SweepConfig",
    "grid_points",
    "judge",
    "make_space",
    "newest_sweep",
    "open_sweep",
    "queue",
    "read_members",
    "run_study",
]

"""Scores answers, aggregates them with intervals, and draws the report."""

from groundwork.evaluate.answering import ask, calibrate
from groundwork.evaluate.config import EvaluateConfig
from groundwork.evaluate.plots import plot_tables
from groundwork.evaluate.report import render_report
from groundwork.evaluate.row import Row
from groundwork.evaluate.scoring import score_rows
from groundwork.evaluate.summary import summarise

__all__ = [
    "EvaluateConfig",
    "Row",
    "ask",
    "calibrate",
    "plot_tables",
    "render_report",
    "score_rows",
    "summarise",
]

"""Tables that `dvc plots` draws."""

from typing import Any


def plot_tables(summary: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Tables for `dvc plots`, by file name without suffix, about the headline questions."""
    head = summary["headline"]
    groups = {
        answerer: group[head["dataset"]][head["split"]]
        for answerer, group in summary["groups"].items()
    }
    return {
        "calibration": [
            {"answerer": name, **row}
            for name, group in groups.items()
            for row in group["calibration"]
        ],
        "refusal": [
            {"answerer": name, **row}
            for name, group in groups.items()
            for row in group["refusal_curve"]
        ],
        **{
            f"by_{field}": [
                {"answerer": name, field: value, **cell["metrics"]["score"]}
                for name, group in groups.items()
                for value, cell in group[f"by_{field}"].items()
            ]
            for field in ("category", "kind")
        },
    }

"""What other domains taught: ranker and refusal for a domain without questions of its own.

In: `prior.json`, which `scripts/make_prior.py` writes from an evaluation whose ranker was fitted on
questions that people wrote. Out: the extractive answerer's `Logistic` and `Calibration`. Their
features know no domain; generated pairs, which repeat the page's words, teach them badly: on a
documentation site 7 of 12 real questions were refused after fitting on pairs, none with the prior.
"""

from dataclasses import dataclass
from importlib.resources import files

from groundwork.answer.calibration import Calibration
from groundwork.answer.linear import Logistic


@dataclass(frozen=True, slots=True)
class Prior:
    """Fitted once, used wherever nothing better is known."""

    ranker: Logistic
    extractive: Calibration


def read_prior() -> Prior:
    """The prior that the package ships."""
    import json

    value = json.loads(files("groundwork.answer").joinpath("prior.json").read_text("utf-8"))
    return Prior(Logistic(**value["ranker"]), Calibration.from_json(value["extractive"]))

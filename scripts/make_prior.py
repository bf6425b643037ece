"""Writes `src/groundwork/answer/prior.json` from the last evaluation of the bundled domain.

    dvc repro evaluate && python scripts/make_prior.py

Run it after a change of the ranker's features or of the refusal's signals, and commit the file.
"""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "artifacts" / "evaluate" / "calibration.json"
TARGET = ROOT / "src" / "groundwork" / "answer" / "prior.json"


def main() -> None:
    """Copy ranker and extractive calibration, three digits being more than they know."""
    fitted = json.loads(SOURCE.read_text(encoding="utf-8"))
    prior = {"ranker": fitted["ranker"], "extractive": fitted["answerers"]["extractive"]}
    text = json.dumps(_rounded(prior), indent=1, sort_keys=True)
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(prior['ranker']['weights'])} features of the ranker")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    main()

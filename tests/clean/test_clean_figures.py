"""Figures on texts that nobody here wrote, where the archives lie beside the checkout."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA_DIR = ROOT.parent / "shared" / "data"


def _figures(benchmark: str, part: str, *archives: str) -> dict[str, list[float]]:
    """Numbers of each line that `benchmarks/<benchmark>.py <part>` prints, by the line's name."""
    for archive in archives:
        if not (DATA_DIR / archive).exists():
            pytest.skip(
                f"{DATA_DIR / archive} is absent: third-party data, not part of this project"
            )
    command = [sys.executable, str(ROOT / "benchmarks" / f"{benchmark}.py"), part, str(DATA_DIR)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = (line.partition(": ") for line in done.stdout.splitlines())
    return {name: [float(x) for x in re.findall(r"\d+\.\d+", rest)] for name, _, rest in lines}


def test_editions_of_a_page_are_near_duplicates() -> None:
    """F1 over the labelled pairs, on clusters that no threshold has seen, too; no pair is lost."""
    found = _figures("near_duplicates", "labelled", "near-duplicates.tar.xz")
    for name in ("pairs, all", "pairs, other half", "clusters, all"):
        assert found[name][0] >= 0.95, name
    assert found["against all pairs compared"] == [1.0, 1.0, 1.0]
    assert min(found["Jaccard index of five words >= .5"]) >= 0.99


def test_personal_data_with_a_form_is_found() -> None:
    """Recall and precision over the eight types of the set that have a form."""
    found = _figures("personal_data", "labelled", "pii.tar.xz")
    assert found["all eight"][0] >= 0.95
    assert found["all but ZIP_CODE"][0] >= 0.99
    assert found["all eight"][1] >= 0.99


def test_identifiers_of_the_united_kingdom_are_not_seen_everywhere() -> None:
    """At most one in 10,000 words of pages and documents in which there are none."""
    found = _figures("personal_data", "false_positives", "sites.tar.xz", "documents.tar.xz")
    assert found["sites"] == [0.0]
    assert found["documents"][0] <= 1

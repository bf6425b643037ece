"""What `make run` ends with."""

import subprocess
from pathlib import Path

from groundwork.artifacts import write_json
from groundwork.command.tour import tour
from groundwork.config import compose

ROOT = Path(__file__).resolve().parents[1]
LOCK = """stages:
  index: {outs: [{path: artifacts/index, md5: aa}]}
  adapt: {outs: [{path: artifacts/adapt, md5: bb}]}
  crawl: {outs: [{path: artifacts/crawl/pages.parquet, md5: cc}]}
"""


def test_results_stand_in_the_order_of_the_stages(tmp_path: Path) -> None:
    """Not in that of dvc.lock, which DVC appends new stages to; what differs is named."""
    (tmp_path / "params.yaml").write_text(compose(["domain.examples=[]"], ROOT / "conf"))
    (tmp_path / "dvc.lock").write_text(LOCK)
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "dvc.lock"], [*who, "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    (tmp_path / "dvc.lock").write_text(LOCK.replace("bb", "dd"))
    decision = {"promoted": True, "candidate": "extractive", "release": "pets/1", "details": []}
    write_json(tmp_path / "artifacts/promote/decision.json", decision)
    lines = tour(tmp_path).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["crawl", "adapt", "index"]
    assert lines[1].endswith("same bytes as committed")
    assert lines[2].endswith("differs from the committed hashes: adapt")

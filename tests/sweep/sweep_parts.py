"""A small sweep, and a stage `train` of a few lines that trains nothing, but is a real process."""

from pathlib import Path
from typing import Any

import yaml

from groundwork.sweep import SweepConfig
from groundwork.sweep.config import Choice, Fixed, Range

STAGE = '''
"""Says losses that follow from the configuration, and leaves a run as the real stage does."""
import json, os, sys, time
from pathlib import Path
import yaml
from groundwork.lifetime import end_with_dvc
from groundwork.tracking import stage_run

end_with_dvc()
train = yaml.safe_load(Path("params.yaml").read_text())["train"]
root = Path.cwd().parents[3]
loss = train["lora"]["rank"] / 10 + train["learning_rate"]
tell, hear = (int(n) for n in os.environ["GROUNDWORK_WATCH"].split(","))
with stage_run("train", inputs=[]) as run:
    if loss > 90:
        sys.exit("out of memory")
    for step in (10, 20):
        os.write(tell, (json.dumps({"step": step, "eval_loss": loss}) + "\\n").encode())
        if os.read(hear, 10) != b"go\\n":
            sys.exit("stopped")
        if (root / "slow").exists():
            (root / "slow").write_text(str(os.getpid()))
            time.sleep(300)
    rows = [
        {"question_id": f"q{i}", "loss": loss + i / 100, "tokens": 10, "right": 5}
        for i in range(train["eval_pairs"])
    ]
    run.log_text("".join(json.dumps(row) + "\\n" for row in rows), "validation.jsonl")
    run.log_metrics({"validation_loss": sum(row["loss"] for row in rows) / len(rows)})
'''


def sweep_config(**changes: Any) -> SweepConfig:
    """Two ranks and two lengths; a range of learning rates for studies."""
    values: dict[str, Any] = {
        "eval_pairs": 3,
        "fixed": [Fixed("train.max_steps", None)],
        "choices": [Choice("train.lora.rank", [2, 4]), Choice("train.epochs", [1, 2])],
        "ranges": [Range("train.learning_rate", 1e-4, 1e-2, True)],
        "startup_trials": 1,
        "warmup_steps": 0,
        "heartbeat_s": 1,
        "retries": 1,
        "confidence": 0.95,
        "resamples": 2000,
        "seed": 5,
    }
    return SweepConfig(**(values | changes))


def write_checkout(root: Path, params: dict[str, Any]) -> None:
    """What a study needs of a checkout, with the stage above."""
    (root / "stages").mkdir()
    (root / "stages" / "__init__.py").write_text("")
    (root / "stages" / "train.py").write_text(STAGE)
    (root / "src").mkdir()
    for stage in ("qa", "index", "base"):
        folder = root / "artifacts" / stage
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
    (root / "params.yaml").write_text(yaml.safe_dump(params))

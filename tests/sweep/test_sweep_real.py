"""A study over the real stage `train`, on a tiny base model."""

from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from sweep_parts import sweep_config
from tiny_base import DOMAIN, make_chunks, make_questions, model_config, train_config, write_base

from groundwork.artifacts import write_jsonl, write_manifest
from groundwork.index import Encoder, IndexConfig, build_index
from groundwork.sweep import Study, judge, make_space, read_members, run_study
from groundwork.sweep.config import Choice
from groundwork.tracking import client

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


def test_trials_are_trainings_whose_runs_can_be_compared(checkout: Path) -> None:
    """Base and trial are finished runs of `train`, scored on the same pairs as TRL scores them."""
    write_base(checkout / "artifacts" / "base")
    config = IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75)
    build_index(
        make_chunks(), config=config, encoder=Encoder.load(), folder=checkout / "artifacts/index"
    )
    write_jsonl(checkout / "artifacts/qa/train.jsonl", make_questions())
    write_jsonl(checkout / "artifacts/qa/validation.jsonl", make_questions("validation", range(3)))
    write_manifest(checkout / "artifacts/qa", ["train.jsonl", "validation.jsonl"])
    for name in ("src", "stages"):
        (checkout / name).symlink_to(ROOT / name)
    params = {
        "domain": asdict(DOMAIN),
        "model": asdict(model_config()),
        "train": asdict(train_config()),
    }
    (checkout / "params.yaml").write_text(yaml.safe_dump(params))
    settings = sweep_config(choices=[Choice("train.lora.rank", [2])], fixed=[], heartbeat_s=60)
    study = Study(
        name="s",
        storage="sqlite:///sweeps.db",
        trials=1,
        space=make_space(settings, params, grid=False),
        config=settings,
        params=params,
        root=checkout,
    )
    run_study(study, say=print)
    members = read_members(client(), "s", domain="plants")
    assert [(m.experiment, m.status) for m in members] == [
        ("s-base", "FINISHED"),
        ("s-1", "FINISHED"),
    ]
    assert [m.params["train.lora.rank"] for m in members] == ["4", "2"]
    standings = judge("s", members, settings)
    assert standings.pairs == 3
    for standing in standings.ranked:
        looks = client().get_metric_history(standing.run_id, "eval_loss")
        assert standing.loss == pytest.approx(looks[-1].value, abs=1e-3)
    assert not list((checkout / ".cache").rglob("checkpoint-*"))
    assert not list((checkout / ".dvc/tmp/exps").iterdir())

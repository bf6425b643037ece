"""The stage's script: first champion, an unchanged run, a better and a worse candidate, damage."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from groundwork.artifacts import read_jsonl, write_json, write_jsonl, write_manifest
from groundwork.config import DomainConfig, MirrorConfig
from groundwork.promote import champion, exported_release, list_releases
from groundwork.tracking import client

sys.path.insert(0, str(Path(__file__).parents[2]))

DOMAIN = DomainConfig(
    name="pets",
    title="pets",
    languages=["en"],
    licence="CC-BY-4.0",
    depends_on="data/pets",
    mirror=MirrorConfig(dir="data/pets", public_url="https://pets.example", include=[], exclude=[]),
    site=None,
    files=None,
    git=None,
    feed=None,
    api=None,
    golden_path=None,
    labelled_path=None,
    intents_path=None,
    categories={},
    allowed_personal_data=[],
    persona="You answer questions about pets.",
    refusal="I cannot answer that.",
    examples=[],
)
PROMOTE = yaml.safe_load(
    (Path(__file__).parents[2] / "conf/promote/default.yaml").read_text(encoding="utf-8")
)
SIZE = 60
Evaluated = Callable[..., None]


@pytest.fixture
def evaluated(checkout: Path, artifacts_dir: Path) -> Evaluated:
    """Write artifacts/evaluate anew: `evaluated(extractive=0.5, tuned=0.8)`, shares of right."""
    params = {"domain": asdict(DOMAIN), "promote": PROMOTE | {"seed": 13}, "seed": 13}
    (checkout / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    folder = artifacts_dir / "evaluate"
    template = read_jsonl(folder / "rows.jsonl")[0]

    def write(
        *, question: str = "What of {}?", retriever: Any = MappingProxyType({}), **shares: float
    ) -> None:
        rows = [
            template
            | {"answerer": name, "question_id": f"q{n:02}", "question": question.format(n)}
            | {"scores": {"score": float(n < share * SIZE), "grounded": 1.0}}
            for name, share in shares.items()
            for n in range(SIZE)
        ]
        figures = {name: {"score": share, "bleu": None} for name, share in shares.items()}
        write_jsonl(folder / "rows.jsonl", rows)
        write_json(
            folder / "metrics.json",
            {"headline": {"answerers": figures}, "retriever": {"questions": dict(retriever)}},
        )
        write_manifest(folder, ["rows.jsonl", "metrics.json", "calibration.json"])

    return write


def _promote() -> dict[str, Any]:
    from stages.promote import promote

    promote()
    decision: dict[str, Any] = json.loads(
        Path("artifacts/promote/decision.json").read_text(encoding="utf-8")
    )
    return decision


SEARCH = {"base": 0.8, "adapted": 0.785, "difference": -0.015, "low": -0.03, "high": 0.0, "n": 60}


def test_an_adapter_that_searches_worse_is_not_promoted(
    evaluated: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even as the first champion; the reason names the way out."""
    half = {"ndcg_at_10": SEARCH}
    evaluated(extractive=0.8, retriever={"golden": {"test": half}})
    decision = _promote()
    assert (decision["promoted"], decision["reasons"]) == (False, ["retriever"])
    assert "set adapt.enabled=false" in decision["details"][0]
    assert decision["release"] == "pets/1"
    assert "nothing stays champion" in capsys.readouterr().out


@pytest.mark.parametrize(
    "retriever",
    [
        {"golden": {"test": {"ndcg_at_10": SEARCH | {"adapted": 0.79}}}},
        {"generated": {"test": {"ndcg_at_10": SEARCH}}},
        {},
    ],
    ids=["within the margin", "not of the questions that decide", "no adapter"],
)
def test_an_adapter_within_the_margin_stops_nothing(
    evaluated: Evaluated, retriever: dict[str, Any]
) -> None:
    """A fall of .01 of nDCG@10 is allowed, and only the gate's own questions count."""
    evaluated(extractive=0.8, retriever=retriever)
    decision = _promote()
    assert decision["promoted"] is True
    guards = [guard["name"] for guard in decision["guards"]]
    assert guards == (["retriever_ndcg_at_10"] if "golden" in retriever else [])


def test_best_candidate_becomes_the_first_champion(
    evaluated: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is registered, exported and named; the run carries decision and numbers."""
    evaluated(extractive=0.8, tuned=0.5)
    decision = _promote()
    assert decision["promoted"] is True
    assert (decision["candidate"], decision["release"], decision["against"]) == (
        "extractive",
        "pets/1",
        None,
    )
    release = champion("pets")
    assert (release.version, release.answerer, release.metrics) == (
        "1",
        "extractive",
        {"score": 0.8},
    )
    assert exported_release(Path("release")).version == "1"
    run = client().get_run(release.run_id)
    assert (run.data.metrics["promoted"], run.data.metrics["questions"]) == (1.0, SIZE)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "promote: pets/1 (extractive) is the champion",
        "  mean score on 60 golden test questions: extractive 0.8000, tuned 0.5000",
    ]
    assert lines[2].startswith("  first_champion: ")


def test_unchanged_run_keeps_the_champion(
    evaluated: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    """The candidate is the champion itself: no second version of the same content."""
    evaluated(extractive=0.8)
    _promote()
    decision = _promote()
    assert (decision["promoted"], decision["release"], decision["against"]) == (
        False,
        "pets/1",
        "pets/1",
    )
    assert "pets/1 (extractive) stays champion: nothing it serves" in capsys.readouterr().out
    assert len(list_releases("pets")) == 1


def test_better_candidate_replaces_the_champion(evaluated: Evaluated) -> None:
    """By the paired test over the same questions; the one before is kept as previous."""
    evaluated(extractive=0.5)
    _promote()
    evaluated(extractive=0.5, tuned=0.9)
    decision = _promote()
    assert (decision["promoted"], decision["against"], decision["release"]) == (
        True,
        "pets/1",
        "pets/2",
    )
    assert decision["comparison"]["improvement"] == pytest.approx(0.4)
    assert [(r.answerer, r.aliases) for r in list_releases("pets")] == [
        ("tuned", ("champion",)),
        ("extractive", ("previous",)),
    ]


def test_worse_candidate_is_registered_and_does_not_serve(
    evaluated: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    """It can be looked at and asked by name; the alias stays."""
    evaluated(extractive=0.8)
    _promote()
    evaluated(tuned=0.5)
    decision = _promote()
    assert (decision["promoted"], decision["release"]) == (False, "pets/2")
    assert champion("pets").version == "1"
    assert exported_release(Path("release")).version == "1"
    out = capsys.readouterr().out
    assert "pets/1 stays champion; the candidate is pets/2" in out
    assert "not_better" in out


def test_changed_questions_are_said(
    evaluated: Evaluated, capsys: pytest.CaptureFixture[str]
) -> None:
    """With no question in common nothing is promoted, and the way out is named."""
    evaluated(extractive=0.5)
    _promote()
    evaluated(tuned=0.9, question="What of the new {}?")
    decision = _promote()
    assert (decision["promoted"], decision["reasons"], decision["release"]) == (
        False,
        ["other_questions"],
        None,
    )
    assert "0 of 60 are the same" in decision["note"]
    assert "groundwork release rollback VERSION" in capsys.readouterr().out


def test_damaged_champion_is_replaced_and_that_is_said(evaluated: Evaluated) -> None:
    """It cannot serve, so the best candidate is taken as the first one would be."""
    evaluated(extractive=0.8)
    _promote()
    shutil.rmtree(champion("pets").folder / "index")
    evaluated(extractive=0.6)
    decision = _promote()
    assert (decision["promoted"], decision["against"], decision["release"]) == (
        True,
        None,
        "pets/2",
    )
    assert decision["note"].startswith("the champion cannot be read and was left out: ")
    assert champion("pets").version == "2"

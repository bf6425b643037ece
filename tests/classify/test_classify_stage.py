"""Stage `classify` on utterances of its own: files, figures, tracked run, errors."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from tiny_base import DOMAIN, PLANTS, make_chunks, make_questions, run_stage
from tiny_encoder import classify_config, write_encoder

import stages.classify
import stages.train
from groundwork.artifacts import (
    check_manifest,
    read_json,
    read_jsonl,
    sha256_file,
    write_json,
    write_jsonl,
    write_manifest,
    write_parquet,
)
from groundwork.classify import HEAD, LABELS, PASSAGES, Classifier, Head
from groundwork.errors import ArtifactError, InputError
from groundwork.index import Encoder, encoder_sha256
from groundwork.records import Chunk
from groundwork.tracking import client, find_run
from stages.classify import _judge, _material

pytestmark = pytest.mark.slow
OUT = Path("artifacts/classify")
INTENTS = Path("intents.jsonl")


@pytest.fixture(scope="module")
def encoder_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny encoder."""
    return write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture
def ready(checkout: Path, encoder_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout in which the stages before have run, and whose encoder is the tiny one."""
    monkeypatch.setattr("groundwork.index.encoder.encoder_dir", lambda: encoder_dir)
    monkeypatch.setattr("stages.classify.encoder_dir", lambda: encoder_dir)
    write_parquet(Path("artifacts/chunk/chunks.parquet"), make_chunks(), Chunk)
    write_manifest(Path("artifacts/chunk"), ["chunks.parquet"])
    for split in ("train", "validation"):
        write_jsonl(Path(f"artifacts/qa/{split}.jsonl"), make_questions(split))
    write_manifest(Path("artifacts/qa"), ["train.jsonl", "validation.jsonl"])
    write_manifest(Path("artifacts/index"), [])  # utterances need no passages
    rows = [
        {"text": f"what {plant} {word}", "label": "trees" if n % 2 else "herbs"}
        for n, plant in enumerate(PLANTS)
        for word in ("likes", "needs", "wants")
    ]
    _write_intents(*rows, {"text": "who won the match", "label": None})
    _write_params(intents_path=str(INTENTS))
    encoder_sha256.cache_clear()
    yield checkout
    encoder_sha256.cache_clear()


def _write_intents(*rows: dict[str, Any]) -> None:
    INTENTS.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")


def _write_params(*, intents_path: str | None, **changes: Any) -> None:
    params = {
        "domain": asdict(DOMAIN) | {"intents_path": intents_path},
        "classify": asdict(classify_config(**changes)),
        "seed": 5,
    }
    Path("params.yaml").write_text(yaml.safe_dump(params))


def test_files_figures_and_run(ready: Path, encoder_dir: Path) -> None:
    """Adapter, head, labels with their calibration; what was written classifies."""
    run_stage("classify")
    names = set(check_manifest(OUT)["files"])
    assert names >= {HEAD, LABELS, "history.jsonl", "metrics.json", "rejects.jsonl"}
    metrics = read_json(OUT / "metrics.json")
    assert (metrics["serves"], metrics["source"], metrics["texts"]) == (True, "utterances", 18)
    assert metrics["held_out"] == 6
    assert read_json(OUT / LABELS)["labels"] == ["herbs", "trees"]
    run_id = find_run("classify", sha256_file(OUT / "manifest.json"))
    assert [m.step for m in client().get_metric_history(run_id, "loss")] == [1, 2, 3, 4]
    assert not list(Path(".cache/groundwork/classify").glob("*"))
    found = Classifier.load(OUT, Encoder.load(encoder_dir))
    assert found is not None
    guess = found.guess("what oak likes")
    assert guess.label in ("herbs", "trees")
    assert guess.scores[0][0] == guess.label
    assert sum(share for _, share in guess.scores) == pytest.approx(1, abs=1e-3)


def test_the_same_inputs_give_the_same_bytes(ready: Path) -> None:
    """Everything but the run in MLflow."""
    run_stage("classify")
    first = {p.relative_to(OUT): sha256_file(p) for p in OUT.rglob("*") if p.is_file()}
    run_stage("classify")
    assert {p.relative_to(OUT): sha256_file(p) for p in OUT.rglob("*") if p.is_file()} == first


@pytest.mark.parametrize(
    ("changes", "intents", "detail"),
    [
        ({"enabled": False}, True, "classify.enabled=false: the first citation"),
        ({"min_texts": 19}, True, "18 texts to learn from, fewer than classify.min_texts=19"),
        ({"min_held_out": 7}, True, "6 texts held out, fewer than classify.min_held_out=7"),
        ({}, False, "1 category, expected at least two"),
    ],
)
def test_with_too_little_there_is_no_classifier(
    ready: Path,
    encoder_dir: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    intents: bool,
    detail: str,
) -> None:
    """The stage says so and succeeds; nothing is loaded later."""
    _write_params(intents_path=str(INTENTS) if intents else None, **changes)
    run_stage("classify")
    assert detail in read_json(OUT / "metrics.json")["detail"]
    assert detail in capsys.readouterr().out
    assert set(check_manifest(OUT)["files"]) == {"history.jsonl", "metrics.json", "rejects.jsonl"}
    assert Classifier.load(OUT, Encoder.load(encoder_dir)) is None


def test_rejects_are_kept(ready: Path) -> None:
    """A label with one example, and a line that is none."""
    with INTENTS.open("a", encoding="utf-8") as file:
        file.write('\n{"text": "who reads this", "label": "alone"}\n{')
    run_stage("classify")
    assert [(r["key"], r["reason"]) for r in read_jsonl(OUT / "rejects.jsonl")] == [
        ("intents.jsonl:27", "broken_line"),
        ("intents.jsonl:26", "few_examples"),
    ]


def test_examples_teach_their_categories_and_generated_questions_the_others(ready: Path) -> None:
    """A category that persons gave examples of is not learned from its pages."""
    _write_intents(
        {"text": "who prunes an oak", "label": "trees"},
        {"text": "when is an elm felled", "label": "trees"},
        {"text": "what is a shrub", "label": "tree"},
        {"text": "who won the match", "label": None},
    )
    domain = replace(DOMAIN, intents_path=str(INTENTS), categories={"plants": "", "trees": ""})
    material = _material(domain, classify_config(passages=False))
    assert material.source == "questions"
    assert [item.label for item in material.texts[:2]] == ["trees", "trees"]
    assert {item.label for item in material.texts[2:]} == {"plants"}
    assert len(material.texts) == 2 + len(make_questions())
    assert [item.text for item in material.outside] == ["who won the match"]
    assert [(r.key, r.reason) for r in material.rejects] == [("intents.jsonl:3", "unknown_label")]
    with INTENTS.open("a", encoding="utf-8") as file:
        file.write('\n{"text": "what is a fern", "label": "plants"}')
        file.write('\n{"text": "what is moss", "label": "plants"}')
    material = _material(domain, classify_config(passages=True))
    assert len(material.texts) == 4


def test_training_questions_are_as_people_ask_them(ready: Path) -> None:
    """Without the words that name page and section, in `classify` and in `train`."""
    asked = make_questions()[0]
    led = replace(asked, question="About oaks (how they grow): how tall is an oak?")
    write_jsonl(Path("artifacts/qa/train.jsonl"), [led])
    for questions in (stages.classify._questions, stages.train._questions):
        assert [q.question for q in questions("train")] == ["how tall is an oak?"]


@pytest.mark.parametrize("most", [100, 1])
def test_passages_are_judged_up_to_a_number(ready: Path, encoder_dir: Path, most: int) -> None:
    """Each gets its probabilities; of a larger corpus none."""
    encoder, chunks = Encoder.load(encoder_dir), make_chunks()
    prototypes_CKD = encoder.encode(["an oak", "a stone"])[:, None]
    head = Head(("plants", "stones"), prototypes_CKD, np.zeros((2, 1), np.float32), 20.0)
    OUT.mkdir(parents=True)
    ensemble = SimpleNamespace(head=head, encoder=encoder)
    judged = _judge(SimpleNamespace(ensemble=ensemble), chunks, most)
    assert set(judged) == ({c.passage_id for c in chunks} if most == 100 else set())
    assert all(row.sum() == pytest.approx(1, abs=1e-3) for row in judged.values())
    assert len(list(read_jsonl(OUT / PASSAGES))) == len(judged)


def test_one_label_and_a_missing_file_are_errors(ready: Path) -> None:
    """Utterances were asked for, so falling back in silence would hide the mistake."""
    _write_intents(*({"text": f"text {n}", "label": "one"} for n in range(20)))
    with pytest.raises(InputError, match=r"all 15 texts have the label 'one'"):
        run_stage("classify")
    INTENTS.unlink()
    with pytest.raises(InputError, match=r"intents.jsonl: cannot be read"):
        run_stage("classify")


def test_a_classifier_of_another_encoder_is_refused(ready: Path, encoder_dir: Path) -> None:
    """Its adapter would turn other vectors."""
    run_stage("classify")
    about = read_json(OUT / LABELS)
    write_json(OUT / LABELS, about | {"encoder_sha256": "0" * 64})
    with pytest.raises(ArtifactError, match=r"made for the encoder 000000000000"):
        Classifier.load(OUT, Encoder.load(encoder_dir))
    write_json(OUT / LABELS, {"labels": []})
    with pytest.raises(ArtifactError, match=r"labels.json: unexpected content"):
        Classifier.load(OUT, Encoder.load(encoder_dir))

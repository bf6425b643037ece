"""The command line on a real release: real index, real calibration, nothing stood in for."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import yaml

from groundwork import cli
from groundwork.answer import AnswerConfig, Retrieval, fit_ranker, make_answerer
from groundwork.artifacts import short_id, write_json, write_manifest
from groundwork.config import DomainConfig, check
from groundwork.evaluate import calibrate
from groundwork.index import Encoder, IndexConfig, build_index, load_index
from groundwork.promote import Ingredients, build_release, crown, register
from groundwork.records import Chunk, Evidence, Question
from groundwork.tracking import stage_run

CONF_DIR = Path(__file__).parents[1] / "conf"
TEXTS = {
    "cats": "Cats purr when they are content. A cat sleeps for about 15 hours a day.",
    "dogs": "Dogs bark at strangers. A large dog eats 400 g of dry food a day.",
}
ASKED = {"cats": "How long does a cat sleep?", "dogs": "How much food does a large dog eat?"}


def _conf(name: str) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load((CONF_DIR / name).read_text(encoding="utf-8"))
    return found


def _chunk(name: str) -> Chunk:
    url = f"https://pets.example/{name}/"
    return Chunk(
        passage_id=short_id(name),
        document_id=short_id(url),
        url=url,
        title=name.title(),
        heading="",
        text=TEXTS[name],
        start=0,
        end=len(TEXTS[name]),
        tokens=20,
        category=name,
        licence="CC-BY-4.0",
    )


def _question(name: str, *, answerable: bool) -> Question:
    quote = TEXTS[name].split(". ")[1]
    evidence = (Evidence(short_id(name), quote, f"https://pets.example/{name}/"),)
    return Question(
        question_id=f"{name}{answerable}",
        question=ASKED[name] if answerable else f"Who invented {name}?",
        answer=quote if answerable else "",
        answerable=answerable,
        category=name,
        kind="fact",
        evidence=evidence if answerable else (),
        facts=(),
        document_id="",
        split="dev",
        origin="golden",
    )


@pytest.fixture
def project(checkout: Path, ingredients: Ingredients) -> Path:
    """A checkout whose champion answers from two passages."""
    answer = _conf("answer/default.yaml")
    answer["calibration"]["seed"] = 13  # type: ignore[index]
    domain = _conf("domain/ev_charging.yaml") | {"name": "pets", "title": "pets"}
    params = {"domain": domain, "answer": answer, "serve": _conf("serve/default.yaml"), "seed": 13}
    (checkout / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    config = check("answer", AnswerConfig, answer, Path("params.yaml"))
    encoder, index_dir = Encoder.load(), checkout / "artifacts/index"
    chunks = [_chunk(name) for name in TEXTS]
    build_index(
        chunks,
        config=IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75),
        encoder=encoder,
        folder=index_dir,
    )
    retrieval = Retrieval(load_index(index_dir, encoder), encoder, config.retrieval)
    learn = [_question(name, answerable=found) for name in TEXTS for found in (True, False)]
    ranker = asdict(fit_ranker(learn, retrieval))
    answerer = make_answerer(
        "extractive",
        config=config,
        domain=check("domain", DomainConfig, domain, Path("params.yaml")),
        retrieval=retrieval,
        ranker=ranker,
        base_dir=checkout / "artifacts/base",
        adapter_dir=checkout / "artifacts/train/adapter",
    )
    calibration = calibrate(answerer, learn, retrieval=retrieval, config=config)
    answerers = {"extractive": replace(calibration, threshold=0.0).as_json()}
    evaluate_dir = checkout / "artifacts/evaluate"
    write_json(evaluate_dir / "calibration.json", {"ranker": ranker, "answerers": answerers})
    write_manifest(evaluate_dir, ["rows.jsonl", "metrics.json", "calibration.json"])
    decision = {"promoted": True, "reasons": ["first_champion"], "details": ["none yet"]}
    build_release(
        checkout / "built",
        answerer="extractive",
        decision=decision,
        ingredients=replace(ingredients, params=params),
    )
    with stage_run("promote", inputs=[]) as run:
        crown(register(checkout / "built", run=run, domain="pets", metrics={"score": 1.0}))
    return checkout


@pytest.mark.slow
def test_question_is_answered_and_traced_to_its_page(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """ask, search and trace on the registered release."""
    assert cli.main(["ask", "How long does a cat sleep each day?", "--json"]) == 0
    view = json.loads(capsys.readouterr().out)
    assert "15 hours" in view["answer"]
    assert view["citations"][0]["url"] == "https://pets.example/cats/"
    assert view["citations"][0]["fetched_at"] == "2026-01-01T00:00:00Z"
    assert view["model_version"] == "pets/1 (extractive)"

    assert cli.main(["trace", view["answer_id"], "--json"]) == 0
    trace = json.loads(capsys.readouterr().out)
    assert trace["passages"][0]["document"]["title"] == "Cats"
    assert trace["passages"][0]["page"]["robots"] == "allowed"
    assert trace["release"]["provenance"]["git_commit"] == "c0ffee"

    assert cli.main(["search", "barking", "--top-k", "1", "--category", "dogs"]) == 0
    assert capsys.readouterr().out.startswith("1. Dogs")
    assert cli.main(["ask", "How long?", "--category", "birds"]) == 1
    assert "category='birds': expected one of cats, dogs" in capsys.readouterr().err


@pytest.mark.slow
def test_damaged_index_of_the_champion_is_one_clear_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found by its checksum before anything is answered."""
    path = next(project.glob("mlartifacts/pets/*/artifacts/release/index/vectors.faiss"))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert cli.main(["ask", "How long does a cat sleep?"]) == 1
    error = capsys.readouterr().err
    assert "vectors.faiss: sha256 is" in error
    assert error.count("\n") == 1

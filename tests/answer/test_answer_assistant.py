"""A release, opened: checks, answers with citations, refusals, search, lineage."""

import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from groundwork.answer import (
    AnswerConfig,
    Assistant,
    Calibration,
    Draft,
    ReleaseInfo,
    Retrieval,
    Support,
    judge,
    make_answerer,
)
from groundwork.answer.extractive import SIGNALS
from groundwork.answer.linear import Logistic
from groundwork.answer.signals import ANSWER_SIGNALS, RETRIEVAL_SIGNALS
from groundwork.artifacts import read_json, write_json, write_manifest, write_parquet
from groundwork.classify import Calibration as LabelCalibration
from groundwork.classify import Head, describe
from groundwork.classify.head import save_head
from groundwork.config import DomainConfig, check
from groundwork.errors import ArtifactError, ConfigError, InputError
from groundwork.index import Encoder
from groundwork.promote import Lineage
from groundwork.records import Answer

INFO = ReleaseInfo(name="bikes", version="7", answerer="extractive")
REFUSAL = "I cannot answer that from the pages I know about bicycles."
QUESTION = "How long does charging the battery take?"
ROOT = Path(__file__).resolve().parents[2]
DOMAIN: dict[str, Any] = {
    "name": "bikes",
    "title": "hiring bicycles",
    "languages": ["en"],
    "licence": "CC-BY-4.0",
    "depends_on": "data/bikes",
    "mirror": None,
    "site": None,
    "files": None,
    "git": None,
    "feed": None,
    "api": None,
    "golden_path": None,
    "labelled_path": None,
    "categories": {},
    "allowed_personal_data": [],
    "persona": "You answer questions about hiring bicycles.",
    "refusal": REFUSAL,
    "examples": [QUESTION],
}


def _answer_section() -> dict[str, Any]:
    path = ROOT / "conf" / "answer" / "default.yaml"
    section: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    section["calibration"]["seed"] = 13
    section["retrieval"]["top_k"] = 4
    return section


def _calibration(*, bias: float = 0.0, threshold: float = 0.3) -> Calibration:
    """Answerable when the passages hold the question's words; right by a constant .8."""
    none = dict.fromkeys([*RETRIEVAL_SIGNALS, *SIGNALS, *ANSWER_SIGNALS], 0.0)
    return Calibration(
        answerable=Logistic({**none, "overlap_all": 8.0}, -4.0 + bias),
        subject=(),
        right=Logistic(none, 1.3862944),
        threshold=threshold,
    )


def _lineage(url: str, document_id: str) -> Lineage:
    return Lineage(
        document_id=document_id,
        url=url,
        title="A page",
        date="2025-05-01",
        language="en",
        page_sha256="ab" * 32,
        licence="CC-BY-4.0",
        source="site",
        content_type="text/html",
        fetched_at=f"2026-01-02T00:00:00Z#{url}",
        robots="allowed",
        status=200,
    )


@pytest.fixture(scope="module")
def shared_dir(
    tmp_path_factory: pytest.TempPathFactory, bikes_dir: Path, bikes: Retrieval, ranker: Logistic
) -> Path:
    """A release folder of the extractive answerer, to be read only."""
    folder = tmp_path_factory.mktemp("release") / "bikes"
    shutil.copytree(bikes_dir, folder / "index")
    write_json(folder / "config.json", {"answer": _answer_section(), "domain": DOMAIN, "seed": 13})
    calibration = {"extractive": _calibration().as_json()}
    write_json(folder / "calibration.json", {"ranker": asdict(ranker), "answerers": calibration})
    write_json(folder / "release.json", {"git_commit": "c0ffee", "answerer": "extractive"})
    pages = sorted({(chunk.document_id, chunk.url) for chunk in bikes.index.chunks})
    write_parquet(folder / "lineage.parquet", [_lineage(url, key) for key, url in pages], Lineage)
    _sign(folder)
    return folder


def _sign(folder: Path) -> None:
    (folder / "manifest.json").unlink(missing_ok=True)
    write_manifest(
        folder, [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()]
    )


@pytest.fixture
def release_dir(shared_dir: Path, tmp_path: Path) -> Path:
    """The same release, to be damaged."""
    return Path(shutil.copytree(shared_dir, tmp_path / "release"))


@pytest.fixture(scope="module")
def assistant(shared_dir: Path) -> Assistant:
    """The release, opened."""
    return Assistant.open(shared_dir, INFO)


def test_names_of_a_release() -> None:
    """As citations, logs and the page show them."""
    assert INFO.release == "bikes/7"
    assert INFO.model_version == "bikes/7 (extractive)"


def test_opened_release_knows_itself(assistant: Assistant) -> None:
    """Wording from its own configuration, categories from its own passages, its provenance."""
    assert (assistant.info, assistant.title, assistant.refusal) == (
        INFO,
        "hiring bicycles",
        REFUSAL,
    )
    assert assistant.examples == (QUESTION,)
    assert assistant.categories == ("electric", "money", "repairs", "returns", "visit")
    assert assistant.provenance["git_commit"] == "c0ffee"


def test_answer_cites_what_it_says(assistant: Assistant, bikes: Retrieval) -> None:
    """Sentence, number, quote, page, licence, time of fetch."""
    answer = assistant.answer(QUESTION)
    assert not answer.refused
    assert "Charging takes 4 hours from empty. [1]" in answer.text
    first = answer.citations[0]
    assert (first.n, first.title, first.heading) == (1, "Electric bicycles", "Range")
    assert first.url == "https://bikes.example/batteries/"
    assert (first.licence, first.fetched_at) == (
        "CC-BY-4.0",
        f"2026-01-02T00:00:00Z#{first.url}",
    )
    assert answer.category == "electric"
    assert answer.confidence == pytest.approx(0.8)


@pytest.mark.parametrize(
    "question",
    [
        QUESTION,
        "What does a tandem cost per day? Does it open early on Sundays?",
        "What are the steps to return a bicycle?",
        "battery winter deposit price",
    ],
)
def test_citations_are_numbered_in_order_and_stand_in_their_passage(
    assistant: Assistant, bikes: Retrieval, question: str
) -> None:
    """1, 2, … as they first appear in the text; every quote verbatim; no number without one."""
    answer = assistant.answer(question)
    assert not answer.refused
    assert [citation.n for citation in answer.citations] == list(
        range(1, len(answer.citations) + 1)
    )
    places = [answer.text.index(f"[{citation.n}]") for citation in answer.citations]
    assert places == sorted(places)
    assert f"[{len(answer.citations) + 1}]" not in answer.text
    for citation in answer.citations:
        chunk = bikes.index.chunks[bikes.numbers[citation.passage_id]]
        assert citation.quote
        assert citation.quote in chunk.text
        assert (citation.url, citation.document_id) == (chunk.url, chunk.document_id)


@pytest.mark.parametrize(
    "question", ["Zebra crossings by moonlight?", "?", "the", "Ω" * 50, "\u200b"]
)
def test_foreign_question_is_refused(assistant: Assistant, question: str) -> None:
    """The domain's own words, no citation, and a confidence that is a probability."""
    answer = assistant.answer(question)
    assert (answer.text, answer.refused, answer.citations) == (REFUSAL, True, ())
    assert 0 <= answer.confidence <= 1
    assert answer.category in assistant.categories


def test_category_narrows_answer_and_search(assistant: Assistant) -> None:
    """Nothing of another category is cited or found."""
    found = assistant.search("deposit", category="money")
    assert {item.chunk.category for item in found} == {"money"}
    answer = assistant.answer("What is the deposit for a cargo bike?", category="money")
    assert answer.category == "money"
    assert {citation.title for citation in answer.citations} == {"Prices"}


def test_a_release_without_a_classifier_takes_the_first_citations_category(
    assistant: Assistant,
) -> None:
    """As all did before there was one; nothing is sure of that category."""
    assert assistant.classify(QUESTION) is None
    assert assistant.answer(QUESTION).category_confidence is None


@pytest.fixture
def classified(release_dir: Path, encoder: Encoder) -> Assistant:
    """A release whose classifier knows two labels, by two words, and no adapter's delta."""
    folder = release_dir / "classify"
    config = {"r": 2, "lora_alpha": 4, "bias": "none", "peft_type": "LORA"}
    write_json(folder / "adapter" / "adapter_config.json", config)
    name = "base_model.model.encoder.layer.0.attention.self.query.lora"
    lora = {f"{name}_A.weight": torch.ones(2, 384), f"{name}_B.weight": torch.zeros(384, 2)}
    save_file(lora, folder / "adapter" / "adapter_model.safetensors")
    vectors_CKD = torch.tensor(encoder.encode(["battery charging", "an umbrella"]))[:, None]
    save_head(folder, {"prototypes": vectors_CKD, "bias": torch.zeros(2, 1)})
    head = Head(("battery", "umbrella"), vectors_CKD.numpy(), np.zeros((2, 1)), 20.0)
    about = describe(head, LabelCalibration(1.0, 0.0, 3.0), {"battery": 2}, "utterances")
    write_json(folder / "labels.json", about)
    _sign(release_dir)
    return Assistant.open(release_dir, INFO)


def test_the_classifier_gives_the_category_and_how_sure_it_is(classified: Assistant) -> None:
    """Of answers and refusals alike, unless a category was asked for."""
    answer = classified.answer(QUESTION)
    guess = classified.classify(QUESTION)
    assert guess is not None
    assert (answer.category, answer.category_confidence) == ("battery", guess.confidence)
    assert guess.confidence > 0.9
    wanted = classified.categories[0]
    narrowed = classified.answer(QUESTION, category=wanted)
    assert (narrowed.category, narrowed.category_confidence) == (wanted, None)


@pytest.mark.parametrize("category", ["boats", "", "Money"])
def test_unknown_category_is_an_input_error(assistant: Assistant, category: str) -> None:
    """Not an empty answer; the message lists the known ones."""
    expected = r"expected one of electric, money, repairs, returns, visit"
    with pytest.raises(InputError, match=expected):
        assistant.answer(QUESTION, category=category)
    with pytest.raises(InputError, match=expected):
        assistant.search(QUESTION, category=category)


def test_number_of_passages_can_be_chosen(assistant: Assistant) -> None:
    """For one call; else the release's own."""
    assert len(assistant.search(QUESTION)) == 4
    assert len(assistant.search(QUESTION, top_k=2)) == 2
    assert len(assistant.answer(QUESTION, top_k=1).citations) == 1


def test_threads_get_the_same_answers(assistant: Assistant) -> None:
    """Four at once, one model."""
    questions = [QUESTION, "Does it open early on Sundays?", "Who rides free on Mondays?"] * 4
    expected = [assistant.answer(question) for question in questions]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(assistant.answer, questions)) == expected


def test_lineage_leads_from_passage_to_page(assistant: Assistant, bikes: Retrieval) -> None:
    """Offsets and text, the document, and how its page was fetched."""
    chunk = bikes.index.chunks[0]
    assert assistant.lineage(chunk.passage_id) == {
        "passage": {
            "passage_id": chunk.passage_id,
            "heading": "",
            "start": 0,
            "end": len(chunk.text),
            "text": chunk.text,
        },
        "document": {
            "document_id": chunk.document_id,
            "title": "A page",
            "date": "2025-05-01",
            "language": "en",
        },
        "page": {
            "url": chunk.url,
            "sha256": "ab" * 32,
            "content_type": "text/html",
            "fetched_at": f"2026-01-02T00:00:00Z#{chunk.url}",
            "robots": "allowed",
            "status": 200,
            "source": "site",
            "licence": "CC-BY-4.0",
        },
    }


def test_lineage_of_an_unknown_passage_is_a_key_error(assistant: Assistant) -> None:
    """The service answers 404."""
    with pytest.raises(KeyError, match="nowhere"):
        assistant.lineage("nowhere")


@pytest.mark.parametrize(
    "name",
    ["config.json", "calibration.json", "lineage.parquet", "release.json", "index/manifest.json"],
)
def test_changed_file_is_found_and_named(release_dir: Path, name: str) -> None:
    """Before anything is served."""
    with (release_dir / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(ArtifactError, match=f"{name}: sha256 is"):
        Assistant.open(release_dir, INFO)


def test_missing_file_is_found_and_named(release_dir: Path) -> None:
    """Also inside the index."""
    (release_dir / "index" / "vectors.faiss").unlink()
    with pytest.raises(ArtifactError, match=r"vectors\.faiss: no such file"):
        Assistant.open(release_dir, INFO)


def test_damaged_lineage_is_an_artifact_error(release_dir: Path) -> None:
    """Even when the manifest was written over the damage."""
    (release_dir / "lineage.parquet").write_bytes(b"PAR1")
    _sign(release_dir)
    with pytest.raises(ArtifactError, match=r"lineage\.parquet: damaged Parquet"):
        Assistant.open(release_dir, INFO)


def test_unfit_configuration_names_its_key(release_dir: Path) -> None:
    """A release of another version of the code."""
    params = read_json(release_dir / "config.json")
    params["answer"]["retrieval"]["depth"] = 3
    write_json(release_dir / "config.json", params)
    _sign(release_dir)
    with pytest.raises(ConfigError, match=r"answer\.retrieval\.depth=3 in .*unknown key"):
        Assistant.open(release_dir, INFO)


def _judged(
    bikes: Retrieval, draft: Draft, *, calibration: Calibration | None = None
) -> tuple[Answer, Draft]:
    retrieved = bikes.retrieve(QUESTION)
    signals: Mapping[str, float] = dict.fromkeys(SIGNALS, 0.0)
    verdict = judge(
        QUESTION,
        retrieved,
        Draft(draft.supports, draft.refused, signals),
        retrieval=bikes,
        calibration=calibration or _calibration(),
    )
    return verdict.answer(retrieved, refusal=REFUSAL, fetched_at={}), verdict.draft


def _support(bikes: Retrieval) -> Support:
    """The first sentence of the best passage."""
    chunk = bikes.retrieve(QUESTION)[0].chunk
    quote = chunk.text.partition(". ")[0] + "."
    return Support(quote, chunk.passage_id, quote)


def test_unsupported_sentences_are_left_out(bikes: Retrieval) -> None:
    """A language model's invention has no quote: it is not said."""
    supported = _support(bikes)
    draft = Draft((Support("It is made of cheese.", "", ""), supported), False, {})
    answer, kept = _judged(bikes, draft)
    assert answer.text == f"{supported.text} [1]"
    assert kept.supports == (supported,)


def test_nothing_supported_is_a_refusal(bikes: Retrieval) -> None:
    """However sure the calibration is."""
    draft = Draft((Support("It is made of cheese.", "", ""),), False, {})
    answer, kept = _judged(bikes, draft, calibration=_calibration(bias=20.0))
    assert (answer.text, answer.refused) == (REFUSAL, True)
    assert kept.refused
    assert answer.confidence == pytest.approx(0.0, abs=1e-6)


def test_answerers_own_refusal_stands(bikes: Retrieval) -> None:
    """The model declined, whatever it said beside that."""
    answer, _ = _judged(bikes, Draft((_support(bikes),), True, {}))
    assert answer.refused
    assert answer.category == bikes.retrieve(QUESTION)[0].chunk.category


def test_threshold_refuses(bikes: Retrieval) -> None:
    """The same draft is said below and refused above the threshold."""
    draft = Draft((_support(bikes),), False, {})
    assert not _judged(bikes, draft, calibration=_calibration(threshold=0.0))[0].refused
    assert _judged(bikes, draft, calibration=_calibration(threshold=1.0))[0].refused


def test_refusal_without_any_passage_has_no_category(bikes: Retrieval) -> None:
    """Nothing was found: nothing to name."""
    calibration = _calibration()
    draft = Draft((), True, dict.fromkeys(SIGNALS, 0.0))
    verdict = judge(QUESTION, [], draft, retrieval=bikes, calibration=calibration)
    answer = verdict.answer([], refusal=REFUSAL, fetched_at={})
    assert (answer.category, answer.refused) == ("", True)


def test_endpoint_without_a_url_is_a_config_error(
    bikes: Retrieval, encoder: Encoder, ranker: Logistic, tmp_path: Path
) -> None:
    """The message names the key."""
    params_path = Path("params.yaml")
    with pytest.raises(ConfigError, match=r"answer\.endpoint\.base_url=None: expected the URL"):
        make_answerer(
            "endpoint",
            config=check("answer", AnswerConfig, _answer_section(), params_path),
            domain=check("domain", DomainConfig, DOMAIN | {"intents_path": None}, params_path),
            retrieval=bikes,
            ranker=asdict(ranker),
            base_dir=tmp_path / "base",
            adapter_dir=tmp_path / "adapter",
        )

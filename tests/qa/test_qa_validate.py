"""Validation and the whole of `generate_pairs`, with the real encoder."""

import json
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from groundwork.artifacts import short_id
from groundwork.config import check
from groundwork.errors import ConfigError, InputError
from groundwork.index import Encoder
from groundwork.qa import QaConfig, Reason, generate_pairs
from groundwork.qa.passages import Passages, embed_passages
from groundwork.qa.validate import drop_across_splits, validate
from groundwork.records import Chunk, Evidence, Question, Split

CONF = Path(__file__).parents[2] / "conf" / "qa"
FACTS = {
    "levels": (
        "A domestic wallbox draws 7.4 kW from a single-phase supply. The control pilot wire "
        "carries a square wave of 1 kHz. A tethered unit must have a holster for its plug."
    ),
    "winter": (
        "A cold battery accepts little current because ions move sluggishly. Preconditioning takes "
        "30 minutes on a frosty morning. A heat pump can halve the energy for the cabin."
    ),
    "payment": (
        "A bank card reserves £45 at the start of a session. Roaming is the use of one account on "
        "many networks. If the screen rejects the card, many operators release the reservation."
    ),
    "safety": (
        "A residual current device trips at 30 mA. An extension lead must never be coiled. "
        "A thunderstorm may interrupt the charging session at a motorway hub."
    ),
}


def config(**changes: Any) -> QaConfig:
    text = (CONF / "rules.yaml").read_text(encoding="utf-8").replace("${seed}", "13")
    made = check("qa", QaConfig, yaml.safe_load(text), Path("rules.yaml"))
    plenty = replace(made.rules, per_hundred_words=99.0)  # these pages are a few sentences
    return replace(made, rules=plenty, **changes)


def chunk(name: str, text: str) -> Chunk:
    return Chunk(
        passage_id=short_id(name, text), document_id=name, url=f"https://example.org/{name}/",
        title=name.title(), heading="", text=text, start=0, end=len(text), tokens=40,
        category=name, licence="CC",
    )  # fmt: skip


CHUNKS = [chunk(name, text) for name, text in FACTS.items()]


def question(text: str, **changes: Any) -> Question:
    plain = Question(
        question_id=short_id(text), question=text,
        answer="A domestic wallbox draws 7.4 kW from a single-phase supply.", answerable=True,
        category="levels", kind="number",
        evidence=(
            Evidence(
                passage_id=CHUNKS[0].passage_id,
                quote="A domestic wallbox draws 7.4 kW from a single-phase supply.",
                url=CHUNKS[0].url,
            ),
        ),
        facts=(), document_id="levels", split="", origin="rules",
    )  # fmt: skip
    return replace(plain, **changes)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load()


@pytest.fixture(scope="module")
def passages(encoder: Encoder) -> Passages:
    return embed_passages(CHUNKS, encoder)


GOOD = "How much power does a domestic wallbox draw from a single-phase supply?"


def reasons(
    given: list[Question], encoder: Encoder, passages: Passages, **changes: Any
) -> list[str]:
    golden = changes.pop("golden", [])
    limits = replace(config().validate, **changes)
    checked = validate(given, passages=passages, golden=golden, encoder=encoder, config=limits)
    assert len(checked.questions) + len(checked.rejects) == len(given)
    assert checked.vectors_QD.shape[0] == len(checked.questions)
    return [reject.reason for reject in checked.rejects]


def test_a_good_pair_passes(encoder: Encoder, passages: Passages) -> None:
    """It retrieves its passage, which supports the answer."""
    assert reasons([question(GOOD)], encoder, passages) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"question": "Power?"}, Reason.QUESTION_LENGTH),
        ({"question": "Why " + "very " * 40 + "long?"}, Reason.QUESTION_LENGTH),
        ({"answer": "word " * 130}, Reason.ANSWER_LENGTH),
        ({"answer": "A domestic wallbox draws 11 kW."}, Reason.UNSUPPORTED),
        ({"answer": "Penguins live in Antarctica."}, Reason.UNSUPPORTED),
        ({"answer": "It is."}, Reason.UNSUPPORTED),
    ],
)
def test_pairs_are_checked_alone(
    changes: dict[str, Any], reason: Reason, encoder: Encoder, passages: Passages
) -> None:
    """Lengths, and support of the answer by the passage; a wrong number is never supported."""
    assert reasons([question(GOOD, **changes)], encoder, passages) == [reason]


def test_the_quote_must_be_verbatim(encoder: Encoder, passages: Passages) -> None:
    """Evidence that is not in the passage is no evidence."""
    false = Evidence(passage_id=CHUNKS[0].passage_id, quote="A wallbox draws", url=CHUNKS[0].url)
    assert reasons([question(GOOD, evidence=(false,))], encoder, passages) == [Reason.QUOTE]


def test_a_question_that_does_not_find_its_passage_is_rejected(
    encoder: Encoder, passages: Passages
) -> None:
    """Asked about the weather, the passage on wallboxes is not the first."""
    lost = question("How long does preconditioning take on a frosty morning?")
    assert reasons([lost], encoder, passages, top_k=1) == [Reason.ROUND_TRIP]


def test_duplicates_are_found_by_words_and_by_meaning(encoder: Encoder, passages: Passages) -> None:
    """The first stays; questions that are alike but rest on other evidence stay both."""
    same = question(GOOD.upper(), question_id="b")
    near = question("How much power will a domestic wallbox draw from a single-phase supply?")
    other = replace(
        near,
        question_id="c",
        answer="The control pilot wire carries a square wave of 1 kHz.",
        evidence=(
            replace(
                near.evidence[0], quote="The control pilot wire carries a square wave of 1 kHz."
            ),
        ),
    )
    assert reasons([question(GOOD), same], encoder, passages) == [Reason.DUPLICATE]
    assert reasons([question(GOOD), near], encoder, passages) == [Reason.NEAR_DUPLICATE]
    assert reasons([question(GOOD), other], encoder, passages) == []


def test_the_golden_set_is_kept_out_by_meaning_and_by_words(
    encoder: Encoder, passages: Passages
) -> None:
    """Either measure is enough; the detail names the golden question."""
    close = question("How much power does a home wallbox draw from a single-phase supply?")
    golden = [replace(close, question_id="G-1", origin="golden")]
    assert reasons([question(GOOD)], encoder, passages, golden=golden) == [Reason.GOLDEN]
    by_words = reasons(
        [question(GOOD)], encoder, passages, golden=golden, golden_cosine=1.0, golden_overlap=0.6
    )
    assert by_words == [Reason.GOLDEN]
    none = reasons(
        [question(GOOD)], encoder, passages, golden=golden, golden_cosine=1.0, golden_overlap=1.0
    )
    assert none == []


def test_near_duplicates_across_splits_leave_training(encoder: Encoder) -> None:
    """Test keeps its question, training yields; a twin within one split is no matter."""
    texts = [GOOD, GOOD.replace("does", "will"), "What trips at 30 mA?"]
    given = [
        question(texts[0], split="train", question_id="a"),
        question(texts[1], split="test", question_id="b"),
        question(texts[2], split="train", question_id="c"),
        question(texts[2], split="train", question_id="d"),
    ]
    vectors_QD = encoder.encode([q.question for q in given])
    kept, rejects = drop_across_splits(given, vectors_QD, config=config().validate)
    assert [q.question_id for q in kept] == ["b", "c", "d"]
    assert [(r.key, r.reason) for r in rejects] == [("a", Reason.CROSS_SPLIT)]


def test_pairs_of_a_small_corpus(encoder: Encoder) -> None:
    """Counts add up, documents are not shared, and a second run gives the same bytes."""
    result = generate_pairs(CHUNKS, golden=[], encoder=encoder, config=config())
    assert result.generated == len(result.questions) + len(result.rejects)
    assert result.report["generated"] == result.generated
    assert result.report["accepted"] == len(result.questions) >= 8
    by_split = {s: {q.document_id for q in result.of(s)} for s in Split if result.of(s)}
    assert sorted(by_split) == ["test", "train", "validation"]
    assert sum(len(ids) for ids in by_split.values()) == len(FACTS)
    assert set(Counter(q.kind for q in result.questions)) >= {"number", "cause"}
    again = generate_pairs(CHUNKS[::-1], golden=[], encoder=encoder, config=config())
    assert [asdict(q) for q in again.questions] == [asdict(q) for q in result.questions]
    assert json.dumps(again.report) == json.dumps(result.report)


def test_unanswerable_questions_are_training_questions_without_evidence(encoder: Encoder) -> None:
    """A share of the training pairs, under ids of their own, in training alone."""
    plain = generate_pairs(CHUNKS, golden=[], encoder=encoder, config=config())
    result = generate_pairs(
        CHUNKS, golden=[], encoder=encoder, config=config(unanswerable_ratio=0.5)
    )
    added = [q for q in result.questions if not q.answerable]
    assert len(added) == round(0.5 * len(plain.of(Split.TRAIN)))
    assert {(q.split, q.kind, q.answer, q.evidence) for q in added} == {
        ("train", "unanswerable", "", ())
    }
    assert not {q.question_id for q in added} & {q.question_id for q in plain.questions}
    assert {q.question for q in added} <= {q.question for q in plain.of(Split.TRAIN)}
    assert result.report["unanswerable"] == len(added)


def test_a_corpus_without_questions_is_an_error(encoder: Encoder) -> None:
    """Passages of fragments ask nothing; one document cannot be split."""
    bare = [chunk("a", "Menu. Home. Contact."), chunk("b", "Imprint.")]
    with pytest.raises(InputError, match="none of 0 pairs from 2 passages passed"):
        generate_pairs(bare, golden=[], encoder=encoder, config=config())
    with pytest.raises(InputError, match="expected at least 2"):
        generate_pairs(CHUNKS[:1], golden=[], encoder=encoder, config=config())


def test_the_teacher_needs_its_settings() -> None:
    """qa.generator=teacher without qa=teacher is refused with the way out."""
    text = (CONF / "rules.yaml").read_text(encoding="utf-8").replace("${seed}", "13")
    value = yaml.safe_load(text) | {"generator": "teacher"}
    with pytest.raises(ConfigError, match="qa=teacher"):
        check("qa", QaConfig, value, Path("params.yaml"))


def test_both_configurations_are_complete() -> None:
    """teacher.yaml is rules.yaml with a teacher."""
    text = (CONF / "rules.yaml").read_text(encoding="utf-8").replace("${seed}", "13")
    teacher = yaml.safe_load((CONF / "teacher.yaml").read_text(encoding="utf-8"))
    assert teacher.pop("defaults") == ["rules", "_self_"]
    made = check("qa", QaConfig, yaml.safe_load(text) | teacher, Path("teacher.yaml"))
    assert made.generator == "teacher"
    assert made.teacher is not None


def test_yes_and_no_of_one_sentence_are_two_questions(encoder: Encoder, passages: Passages) -> None:
    """They are near in meaning and stand on one quote; what they ask for differs."""
    told = "A domestic wallbox draws 7.4 kW from a single-phase supply."
    pairs = [
        question(f"Does a domestic wallbox draw {power} kW from a single-phase supply?", **changes)
        for power, changes in (
            ("7.4", {"answer": f"Yes. {told}", "kind": "yes_no"}),
            ("14.8", {"answer": f"No. {told}", "kind": "yes_no"}),
        )
    ]
    checked = validate(
        pairs, passages=passages, golden=[], encoder=encoder, config=config().validate
    )
    assert [q.answer.split(".")[0] for q in checked.questions] == ["Yes", "No"]

"""Utterances, head and calibration: rule by rule, with the arithmetic shown."""

import json
from pathlib import Path

import numpy as np
import pytest

from groundwork.classify import (
    PASSAGES,
    Calibration,
    Head,
    Utterance,
    among,
    energy,
    figures,
    fit_calibration,
    hold_out,
    passage_shares,
    read_intents,
    save_judged,
    separation,
    usable,
)
from groundwork.classify.calibration import likelihood
from groundwork.classify.classifier import read_judged
from groundwork.classify.head import HEAD, class_means, read_head
from groundwork.errors import ArtifactError, InputError

NOTHING = np.zeros(0)


def _write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _texts(**counts: int) -> list[Utterance]:
    return [
        Utterance(f"{label}{n}", f"{label} {n}", label)
        for label, count in counts.items()
        for n in range(count)
    ]


def test_utterances_are_read_and_broken_lines_are_rejected(tmp_path: Path) -> None:
    """Neither broken JSON nor a missing, empty or unknown field stops the reading."""
    good = json.dumps({"text": " My card is lost ", "label": "lost_card"})
    outside = json.dumps({"text": "What is love?", "label": None})
    broken = (
        "{", "[]", '{"text": "a"}', '{"text": " ", "label": "b"}', '{"text": "a", "label": ""}',
        '{"text": 1, "label": "b"}', '{"text": "a", "label": "b", "more": 1}',
    )  # fmt: skip
    path = _write(tmp_path / "intents.jsonl", good, *broken, "", outside)
    found, rejects = read_intents(path)
    assert [(item.key, item.text, item.label) for item in found] == [
        ("intents.jsonl:1", "My card is lost", "lost_card"),
        ("intents.jsonl:10", "What is love?", None),
    ]
    assert [reject.key for reject in rejects] == [f"intents.jsonl:{n}" for n in range(2, 9)]
    assert {reject.reason for reject in rejects} == {"broken_line"}


def test_a_file_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    """With the key to change."""
    with pytest.raises(InputError, match=r"none.jsonl: cannot be read.*domain.intents_path"):
        read_intents(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match=r"bad.jsonl: no utterance in 2 lines"):
        read_intents(_write(tmp_path / "bad.jsonl", "{", "}"))


def test_examples_of_no_category_are_rejected_with_the_nearest(tmp_path: Path) -> None:
    """A misspelt category is told; null is out of scope whatever the categories."""
    rows = [("a", "safety"), ("b", "saftey"), ("c", "love"), ("d", None)]
    texts = [Utterance(key, f"text {key}", label) for key, label in rows]
    kept, rejects = among(texts, {"safety": "", "winter": ""})
    assert [item.key for item in kept] == ["a", "d"]
    assert [(reject.key, reject.reason) for reject in rejects] == [
        ("b", "unknown_label"),
        ("c", "unknown_label"),
    ]
    assert rejects[0].detail.endswith("nearest: safety")
    assert rejects[1].detail.endswith("none like it")


def test_look_does_not_depend_on_how_sure_the_scores_are() -> None:
    """Scores ten times as large have another temperature and the same likelihood."""
    scores_BC = np.random.default_rng(1).normal(size=(40, 3))
    right_B = scores_BC.argmax(axis=1)
    right_B[:10] = (right_B[:10] + 1) % 3
    assert likelihood(scores_BC * 4, right_B) == pytest.approx(
        likelihood(scores_BC, right_B), abs=0.01
    )
    assert likelihood(scores_BC, right_B) > likelihood(-scores_BC, right_B)


def test_labels_with_one_example_and_repeated_texts_are_rejected_with_a_reason() -> None:
    """The first of equal texts counts, whatever its label; null needs no second example."""
    texts = [
        Utterance("1", "Lost card", "lost"),
        Utterance("2", "lost  CARD", "lost"),
        Utterance("3", "lost card", "found"),
        Utterance("4", "card gone", "lost"),
        Utterance("5", "pin", "pin"),
        Utterance("6", "weather", None),
    ]
    kept, rejects = usable(texts, min_examples=2)
    assert [item.key for item in kept] == ["1", "4", "6"]
    assert [(reject.key, reject.reason) for reject in rejects] == [
        ("2", "repeated"), ("3", "contradicted"), ("5", "few_examples"),
    ]  # fmt: skip
    assert len(kept) + len(rejects) == len(texts)


def test_some_of_each_label_is_held_out_and_never_all() -> None:
    """A tenth of 20 is 2, of 3 none, of 2 at a share of 0.9 one; nothing is lost or doubled."""
    texts = _texts(a=20, b=3)
    learned, held = hold_out(texts, share=0.1, seed=1)
    assert [item.label for item in held] == ["a", "a"]
    assert sorted(item.key for item in (*learned, *held)) == sorted(item.key for item in texts)
    assert hold_out(texts, share=0.1, seed=1) == (learned, held)
    assert hold_out(texts, share=0.1, seed=2)[1] != held
    assert len(hold_out(_texts(c=2), share=0.9, seed=1)[1]) == 1


def test_the_head_scores_cosines(tmp_path: Path) -> None:
    """Scale 10: a vector on its prototype scores 10, whatever the prototype's length."""
    labels, means_CD = class_means(np.array([[1.0, 0], [0, 2], [0, 4]]), ["b", "a", "a"])
    assert labels == ("a", "b")
    assert means_CD.tolist() == [[0, 3], [1, 0]]
    head = Head(labels, means_CD, np.array([0.0, 0.5]), 10.0)
    assert head.logits(np.array([[0.6, 0.8]])).round(4).tolist() == [[8.0, 6.5]]
    (tmp_path / HEAD).write_bytes(b"no")
    with pytest.raises(ArtifactError, match=r"head.safetensors: damaged.*classify"):
        read_head(tmp_path, labels=labels, scale=10.0)


def test_energy_and_separation() -> None:
    """log(e^0 + e^0) = log 2; of 2 x 2 pairs 3 in order and 1 tied are 3.5 / 4."""
    assert energy(np.array([[0.0, 0.0]])) == pytest.approx([np.log(2)])
    assert separation(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == pytest.approx(0.875)


def test_figures_by_hand() -> None:
    """Guesses a a b of a b b: 2 of 3; F1 of a is 2/3, of b 2/3. Three bins of one text each."""
    found_BC = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    got = figures(found_BC, np.array([0, 1, 1]))
    assert got["accuracy"] == pytest.approx(2 / 3, abs=1e-6)
    assert got["macro_f1"] == pytest.approx(2 / 3, abs=1e-6)
    assert got["calibration_error"] == pytest.approx((0.1 + 0.6 + 0.2) / 3, abs=1e-6)


def test_an_overconfident_head_is_made_as_sure_as_it_is_right() -> None:
    """Three of four right at logits of 8 to 0: the likeliest odds are 3, a logit of 1.1."""
    logits_BC = np.array([[8.0, 0.0]] * 4)
    fitted = fit_calibration(
        logits_BC, np.array([0, 0, 0, 1]), shares_BC=None,
        in_scope_B=np.arange(100.0), outside_B=NOTHING, max_wrong_out=0.05,
    )  # fmt: skip
    assert fitted.probabilities(logits_BC, None)[0, 0] == pytest.approx(0.75, abs=0.01)
    assert fitted.threshold == pytest.approx(4.95)
    assert fitted.passages == 0


def test_a_head_that_knows_nothing_leaves_it_to_the_passages() -> None:
    """The head guesses against the labels, the passages with them."""
    right_B = np.array([0, 1, 0, 1])
    wrong_BC = np.eye(2)[1 - right_B] * 5
    shares_BC = np.clip(np.eye(2)[right_B], 0.1, 0.9)
    fitted = fit_calibration(
        wrong_BC, right_B, shares_BC=shares_BC,
        in_scope_B=np.ones(1), outside_B=np.zeros(1), max_wrong_out=0.05,
    )  # fmt: skip
    assert fitted.sharpness == 0
    assert fitted.probabilities(wrong_BC, shares_BC).argmax(axis=1).tolist() == right_B.tolist()


def test_known_outsiders_set_the_threshold() -> None:
    """Between 2 and 5: the lowest of those inside."""
    fitted = fit_calibration(
        np.array([[1.0, 0.0]]), np.array([0]), shares_BC=None,
        in_scope_B=np.array([5.0, 6.0, 7.0]), outside_B=np.array([1.0, 2.0]), max_wrong_out=0.05,
    )  # fmt: skip
    assert fitted.threshold == 5.0
    assert Calibration(**fitted.as_json()) == fitted


def test_shares_of_the_passages_fall_with_their_scores() -> None:
    """A passage 0.1 behind weighs 1/e; a label without a passage keeps a little."""
    from tiny_base import make_retrieved

    found = make_retrieved(0, 1)
    found = [
        type(item)(item.chunk, score, item.dense, item.lexical)
        for item, score in zip(found, (1.0, 0.9), strict=True)
    ]
    weight = 1 + np.exp(-1) + 0.01
    shares_C = passage_shares(found, ("plants", "stones"))
    assert shares_C == pytest.approx([weight / (weight + 0.01), 0.01 / (weight + 0.01)])


def test_half_a_passage_is_what_the_head_judged_its_text_to_be() -> None:
    """The other half is its page's category."""
    from tiny_base import make_retrieved

    found = make_retrieved(0)
    judged = {found[0].chunk.passage_id: np.array([0.2, 0.8])}
    shares_C = passage_shares(found, ("plants", "stones"), judged)
    assert shares_C == pytest.approx([0.61 / 1.02, 0.41 / 1.02])


def test_judged_passages_are_read_back_and_checked(tmp_path: Path) -> None:
    """Nothing where there is no file; another number of labels and broken rows are errors."""
    path = tmp_path / PASSAGES
    assert read_judged(path, labels=2) == {}
    save_judged(path, {"p1": np.array([0.25, 0.75])})
    assert read_judged(path, labels=2)["p1"].tolist() == [0.25, 0.75]
    with pytest.raises(ArtifactError, match=r"passages.jsonl: 2 shares of passage p1, expected 3"):
        read_judged(path, labels=3)
    path.write_text('{"passage_id": "p1"}\n')
    with pytest.raises(
        ArtifactError, match=r"passages.jsonl: damaged \('shares'\); run `dvc repro"
    ):
        read_judged(path, labels=2)

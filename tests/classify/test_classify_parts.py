"""Utterances, head and calibration: rule by rule, with the arithmetic shown."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from groundwork.classify import (
    PASSAGES,
    WORDS,
    Calibration,
    Classifier,
    Ensemble,
    Head,
    Scores,
    Utterance,
    among,
    energy,
    figures,
    fit_calibration,
    fit_words,
    hold_out,
    passage_shares,
    read_intents,
    save_judged,
    separation,
    usable,
)
from groundwork.classify.calibration import from_json, likelihood
from groundwork.classify.classifier import read_judged
from groundwork.classify.head import HEAD, read_head, save_head, starts
from groundwork.classify.utterances import some_of_each
from groundwork.classify.words import read_words, save_words, terms
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
    head = Head(("a", "b"), np.array([[[0.0, 3]], [[1, 0]]]), np.array([[0.0], [0.5]]), 10.0)
    assert head.logits(np.array([[0.6, 0.8]])).round(4).tolist() == [[8.0, 6.5]]
    (tmp_path / HEAD).write_bytes(b"no")
    with pytest.raises(ArtifactError, match=r"head.safetensors: damaged.*classify"):
        read_head(tmp_path, labels=("a", "b"), scale=10.0)


def test_prototypes_of_a_label_add_up() -> None:
    """Two that score 8 and 6: log(e^8 + e^6); a label of two places beats one between them."""
    both = Head(("a",), np.array([[[0.0, 1], [1, 0]]]), np.zeros((1, 2)), 10.0)
    wanted = np.log(np.exp(8) + np.exp(6))
    assert both.logits(np.array([[0.6, 0.8]]))[0, 0] == pytest.approx(wanted, abs=1e-5)


def test_prototypes_start_from_the_groups_of_a_labels_texts() -> None:
    """Label a lies in two places, b in one, whose prototype it therefore has twice."""
    vectors_BD = np.array([[1.0, 0], [0.96, 0.28], [0, 1], [-1, 0], [-1, 0]], dtype=np.float32)
    names, found_CKD = starts(vectors_BD, ["a", "a", "a", "b", "b"], prototypes=2, seed=1)
    assert names == ("a", "b")
    places = sorted(found_CKD[0].round(2).tolist())
    assert places == [[0.0, 1.0], pytest.approx([0.98, 0.14])]
    assert found_CKD[1].tolist() == [[-1.0, 0.0]] * 2


def test_a_head_of_one_prototype_a_label_is_read_as_releases_up_to_0_1_wrote_it(
    tmp_path: Path,
) -> None:
    """Their tensors have no axis for several; another number of labels is an error."""
    import torch

    old = {"prototypes": torch.tensor([[0.0, 3.0], [1.0, 0.0]]), "bias": torch.tensor([0.0, 0.5])}
    save_head(tmp_path, old)
    head = read_head(tmp_path, labels=("a", "b"), scale=10.0)
    assert head.logits(np.array([[0.6, 0.8]])).round(4).tolist() == [[8.0, 6.5]]
    with pytest.raises(ArtifactError, match=r"prototypes of 2 labels, expected 3"):
        read_head(tmp_path, labels=("a", "b", "c"), scale=10.0)


def test_words_and_pairs_score_labels(tmp_path: Path) -> None:
    """ "grant" and "the grant" are in two texts, "wind" in one: it is left out."""
    assert terms("The OZEV grant?") == ["the", "ozev", "grant", "the ozev", "ozev grant"]
    texts = ["the grant", "claim the grant", "a plug", "a plug wind", "a plug", "the plug"]
    words = fit_words(texts, ["b", "b", "a", "a", "c", "c"], ("a", "b", "c"), seed=1)
    assert sorted(words.rows) == ["a", "a plug", "grant", "plug", "the", "the grant"]
    scores_BC = words.scores(["Is there a GRANT?", "wind", "plug plug"])
    assert scores_BC[0].argmax() == 1
    assert scores_BC[1].tolist() == [0.0, 0.0, 0.0]
    _, weights_C = words.rows["plug"]
    assert scores_BC[2] == pytest.approx(weights_C)  # one term, of length 1 after normalising
    save_words(tmp_path, words)
    again = read_words(tmp_path, labels=3)
    assert (again.scores(texts) == words.scores(texts)).all()
    with pytest.raises(ArtifactError, match=r"words.jsonl: 3 weights of 'a', expected 2"):
        read_words(tmp_path, labels=2)
    _write(tmp_path / WORDS, '{"term": "a"}')
    with pytest.raises(ArtifactError, match=r"words.jsonl: damaged \('idf'\); run `dvc repro"):
        read_words(tmp_path, labels=3)


def test_some_texts_of_each_label_are_drawn() -> None:
    """At most five of each, in their order, the same for the same seed."""
    texts = _texts(a=20, b=3)
    drawn = some_of_each(texts, 5, seed=1)
    assert [item.label for item in drawn] == ["a"] * 5 + ["b"] * 3
    assert drawn == sorted(drawn, key=texts.index) == some_of_each(texts, 5, seed=1)
    assert some_of_each(texts, 5, seed=2) != drawn


def test_words_score_as_scikit_learn_does() -> None:
    """The same TF-IDF and the same hyperplanes, but for weights rounded to four places."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.svm import LinearSVC

    texts = [item.text for item in _texts(home=6, fast=7, cost=5)] + ["home fast fast 1", "cost 2"]
    labels = [text.split()[0] for text in texts]
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), token_pattern=r"\w+", sublinear_tf=True, min_df=2
    )
    model = LinearSVC(fit_intercept=False, random_state=1)
    model.fit(vectorizer.fit_transform(texts), labels)
    names = tuple(model.classes_)
    words = fit_words(texts, labels, names, seed=1)
    wanted_BC = model.decision_function(vectorizer.transform(texts))
    assert words.scores(texts) == pytest.approx(wanted_BC, abs=1e-3)


def test_two_labels_share_a_hyperplane_and_no_words_score_nothing() -> None:
    """What speaks for the one speaks against the other; texts without a word in common: zeros."""
    words = fit_words(["a x", "a x", "b x", "b x"], ["a", "a", "b", "b"], ("a", "b"), seed=1)
    scores_BC = words.scores(["a", "b"])
    assert scores_BC.argmax(axis=1).tolist() == [0, 1]
    assert scores_BC[:, 0] == pytest.approx(-scores_BC[:, 1])
    assert fit_words(["a", "b"], ["a", "b"], ("a", "b"), seed=1).scores(["a"]).tolist() == [[0, 0]]


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


def _scores(
    head_BC: np.ndarray,
    words_BC: np.ndarray | None = None,
    passages_BC: np.ndarray | None = None,
) -> Scores:
    """Words that are not given say nothing."""
    nothing_BC = np.zeros(head_BC.shape)
    return Scores(head_BC, nothing_BC if words_BC is None else words_BC, passages_BC)


def _fit(scores: Scores, right_B: np.ndarray, **more: np.ndarray) -> Calibration:
    known = {"in_scope_B": np.ones(1), "outside_B": np.zeros(1)} | more
    return fit_calibration(scores, right_B, max_wrong_out=0.05, **known)


def test_an_overconfident_head_is_made_as_sure_as_it_is_right() -> None:
    """Three of four right at logits of 8 to 0: the likeliest odds are 3, a logit of 1.1."""
    scores = _scores(np.array([[8.0, 0.0]] * 4))
    right_B = np.array([0, 0, 0, 1])
    fitted = _fit(scores, right_B, in_scope_B=np.arange(100.0), outside_B=NOTHING)
    assert fitted.probabilities(scores)[0, 0] == pytest.approx(0.75, abs=0.001)
    assert fitted.threshold == pytest.approx(4.95)
    assert fitted.passages == 0


def test_what_knows_nothing_has_no_say() -> None:
    """The head guesses against the labels, words or passages with them."""
    right_B = np.array([0, 1, 0, 1])
    wrong_BC, known_BC = np.eye(2)[1 - right_B] * 5, np.eye(2)[right_B]
    shares_BC = np.clip(known_BC, 0.1, 0.9)
    for scores in (
        _scores(wrong_BC, known_BC),
        _scores(wrong_BC, passages_BC=shares_BC),
        _scores(wrong_BC, known_BC, np.full((4, 2), 0.5)),
    ):
        fitted = _fit(scores, right_B)
        assert fitted.head == 0
        assert fitted.probabilities(scores).argmax(axis=1).tolist() == right_B.tolist()
    unsure = Calibration(head=0.0, passages=1.0, threshold=0.0)
    alone = unsure.probabilities(_scores(wrong_BC))
    assert alone.argmax(axis=1).tolist() == (1 - right_B).tolist()


def test_factors_end_where_texts_are_all_told_apart() -> None:
    """The likeliest factor would be infinite."""
    fitted = _fit(_scores(np.eye(2)), np.arange(2))
    assert fitted.head == 4.0


def test_known_outsiders_set_the_threshold() -> None:
    """Between 2 and 5: the lowest of those inside."""
    fitted = _fit(
        _scores(np.array([[1.0, 0.0]])), np.array([0]),
        in_scope_B=np.array([5.0, 6.0, 7.0]), outside_B=np.array([1.0, 2.0]),
    )  # fmt: skip
    assert fitted.threshold == 5.0
    assert from_json(fitted.as_json()) == fitted


def test_a_calibration_of_a_release_up_to_0_1_knows_head_and_passages() -> None:
    """Theirs names three numbers, one of them otherwise."""
    old = from_json({"sharpness": 1.2, "passages": 0.6, "threshold": 5.8})
    assert old == Calibration(head=1.2, passages=0.6, threshold=5.8)


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


def test_passages_have_their_say_in_a_guess_where_they_are_known() -> None:
    """Head and words are of one mind, the passages of another: with weight 3 they decide."""
    from tiny_base import make_retrieved

    encoder = SimpleNamespace(encode=lambda texts: np.array([[0.0, 1.0]] * len(texts)))
    head = Head(("plants", "stones"), np.array([[[1.0, 0]], [[0, 1]]]), np.zeros((2, 1)), 1.0)
    words = fit_words(["an oak", "an oak", "a rock", "a rock"], [*"ppss"], ("p", "s"), seed=1)
    ensemble: Any = Ensemble(encoder, head, words)
    weighed = Calibration(head=1.0, words=1.0, passages=3.0, threshold=0.0)
    classifier = Classifier(ensemble, weighed, judged={})
    assert classifier.guess("a rock").label == "stones"
    assert classifier.guess("a rock", make_retrieved(0)).label == "plants"
    deaf = Classifier(ensemble, replace(weighed, passages=0.0), judged={})
    assert deaf.guess("a rock", make_retrieved(0)) == deaf.guess("a rock")
    assert deaf.guess("a rock").confidence > deaf.guess("a tree").confidence


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

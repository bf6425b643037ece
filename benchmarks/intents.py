"""How well the classifier knows intents and categories, beside TF-IDF with a linear SVM.

    python benchmarks/intents.py DATA_DIR [banking|clinc|golden …] [16bit] [classify.KEY=VALUE …]

DATA_DIR is `../shared/data` unpacked: `intents` is used. Every task learns as stage `classify` does
and is asked what training never saw:

- `banking`: a tenth of Banking77's training questions, held out by a fixed seed; `16bit` learns the
  same again with weights that are not quantised
- `clinc`: CLINC150's test questions, and its questions that are out of scope
- `golden`: the golden set's `test` half, by the release's own files (after `dvc repro classify`)
"""

import csv
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import yaml

from groundwork.answer import AnswerConfig, Retrieval
from groundwork.classify import (
    Classifier,
    ClassifyConfig,
    Scores,
    Utterance,
    energy,
    figures,
    fit_calibration,
    hold_out,
    learn,
    passage_shares,
    separation,
    usable,
)
from groundwork.config import DomainConfig, check, compose
from groundwork.index import Encoder, encoder_dir, load_index
from groundwork.qa import golden_of

ROOT = Path(__file__).resolve().parents[1]
SHARE, SEED = 0.1, 13
"""Of Banking77's questions that are asked, drawn label by label."""
NEIGHBOURS = 10


def section(overrides: Sequence[str], name: str, kind: Any) -> Any:
    """A section of the configuration that ships, with overrides."""
    composed = yaml.safe_load(compose(["~chosen", *overrides], ROOT / "conf"))
    return check(name, kind, composed[name], ROOT / "conf")


def banking(data_dir: Path) -> tuple[list[Utterance], list[Utterance], list[Utterance]]:
    """Questions to learn from, to ask, and none out of scope."""
    path = next(data_dir.rglob("banking_data/train.csv"))
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            Utterance(str(number), row["text"], row["category"])
            for number, row in enumerate(csv.DictReader(file))
        ]
    learned, asked = hold_out(rows, share=SHARE, seed=SEED)
    return learned, asked, []


def clinc(data_dir: Path) -> tuple[list[Utterance], list[Utterance], list[Utterance]]:
    """Training and validation together, test, and the test questions out of scope."""
    path = next(data_dir.rglob("data_full.json"))
    found = json.loads(path.read_text(encoding="utf-8"))
    parts = {
        name: [Utterance(f"{name}{n}", text, label) for n, (text, label) in enumerate(rows)]
        for name, rows in found.items()
    }
    return [*parts["train"], *parts["val"]], parts["test"], parts["oos_test"]


def baseline(learned: Sequence[Utterance], asked: Sequence[Utterance]) -> dict[str, float]:
    """TF-IDF of words and pairs of words, with a linear SVM."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import f1_score
    from sklearn.svm import LinearSVC

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    svm = LinearSVC(random_state=SEED)
    labels = [item.label for item in asked]
    svm.fit(
        vectorizer.fit_transform([item.text for item in learned]), [item.label for item in learned]
    )
    guessed = svm.predict(vectorizer.transform([item.text for item in asked]))
    return {
        "accuracy": float(np.mean(guessed == np.array(labels))),
        "macro_f1": float(f1_score(labels, guessed, average="macro")),
    }


def run(
    learned: Sequence[Utterance],
    asked: Sequence[Utterance],
    outside: Sequence[Utterance],
    config: ClassifyConfig,
) -> dict[str, Any]:
    """Learn as the stage does, and ask."""
    kept, _ = usable(learned, min_examples=config.min_examples)
    texts, held = hold_out(kept, share=config.held_out, seed=config.seed)
    started, cpu = time.monotonic(), time.process_time()
    with TemporaryDirectory() as work_dir:
        found = learn(encoder_dir(), texts=texts, held=held, config=config, work_dir=Path(work_dir))
    took, cpu = time.monotonic() - started, time.process_time() - cpu

    ensemble = found.ensemble

    def vectors(items: Sequence[Utterance]) -> np.ndarray:
        return ensemble.encoder.encode([item.text for item in items])

    def scores(items: Sequence[Utterance]) -> Scores:
        return ensemble.scores([item.text for item in items])

    def right(items: Sequence[Utterance]) -> np.ndarray:
        return np.array([ensemble.head.labels.index(str(item.label)) for item in items])

    of_held, of_asked = scores(held), scores(asked)
    calibration = fit_calibration(
        of_held,
        right(held),
        in_scope_B=energy(of_held.head_BC),
        outside_B=np.zeros(0),
        max_wrong_out=config.max_wrong_out,
    )
    served_BC = calibration.probabilities(of_asked)
    told: dict[str, Any] = figures(served_BC, right(asked))
    told |= alone(of_asked, right(asked)) | {"calibration": calibration.as_json()}
    told |= {"best_step": found.best_step, "steps": found.steps}
    told |= {"seconds": round(took), "processor_seconds": round(cpu)}
    if outside:
        of_outside = scores(outside)
        known_ND = vectors(texts)
        told["auroc"] = {
            "energy": separation(energy(of_asked.head_BC), energy(of_outside.head_BC)),
            "likeliest": separation(
                served_BC.max(axis=1), calibration.probabilities(of_outside).max(axis=1)
            ),
            "best label": separation(of_asked.head_BC.max(axis=1), of_outside.head_BC.max(axis=1)),
            "neighbours": separation(
                near(vectors(asked), known_ND), near(vectors(outside), known_ND)
            ),
        }
        flagged = energy(of_outside.head_BC) < calibration.threshold
        told["out_of_scope_found"] = float(flagged.mean())
        told["in_scope_lost"] = float((energy(of_asked.head_BC) < calibration.threshold).mean())
    return told


def alone(scores: Scores, right_B: np.ndarray) -> dict[str, float]:
    """Accuracy of each of those that are weighed."""
    return {
        f"{name} alone": figures(part_BC, right_B)["accuracy"]
        for name, part_BC in scores.parts().items()
    }


def near(vectors_BD: np.ndarray, known_ND: np.ndarray) -> np.ndarray:
    """Cosine (B,) with the tenth nearest text that was learned (Sun et al. 2022)."""
    cosines_BN = vectors_BD @ known_ND.T
    return np.asarray(np.partition(cosines_BN, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS])


def golden(overrides: Sequence[str]) -> dict[str, Any]:
    """What `artifacts/classify` says of the golden set's `test` half, with the passages found."""
    domain = section(overrides, "domain", DomainConfig)
    encoder = Encoder.load()
    config = section(overrides, "answer", AnswerConfig).retrieval
    retrieval = Retrieval(load_index(Path("artifacts/index"), encoder), encoder, config)
    classifier = Classifier.load(Path("artifacts/classify"), encoder)
    assert classifier is not None, "artifacts/classify holds no classifier"
    labels = classifier.ensemble.head.labels
    questions = [q for q in golden_of(domain) if q.split == "test" and q.category in labels]
    found = [retrieval.retrieve(retrieval.mend(q.question)) for q in questions]
    right_B = np.array([labels.index(q.category) for q in questions])
    shares_BC = np.stack(
        [passage_shares(retrieved, labels, classifier.judged) for retrieved in found]
    )
    scores = classifier.ensemble.scores([q.question for q in questions], shares_BC)
    answerable_B = np.array([q.answerable for q in questions])
    served_BC = classifier.calibration.probabilities(scores)
    first_B = np.array([items[0].chunk.category for items in found])
    wanted_B = np.array([q.category for q in questions])
    return {
        "questions": len(questions),
        "calibration": classifier.calibration.as_json(),
        "served": figures(served_BC, right_B),
        "served, answerable": figures(served_BC[answerable_B], right_B[answerable_B]),
        **alone(scores, right_B),
        "nearest passage": float((first_B == wanted_B).mean()),
    }


def show(name: str, told: Mapping[str, Any]) -> None:
    """One line of figures."""
    print(f"{name}: {json.dumps(told)}", flush=True)


def main() -> None:
    """Print the figures of every task."""
    data_dir, words = Path(sys.argv[1]), sys.argv[2:]
    overrides = [word for word in words if "=" in word]
    config = section(overrides, "classify", ClassifyConfig)
    tasks = {"banking": banking, "clinc": clinc}
    for name in [w for w in words if w in (*tasks, "golden")] or (*tasks, "golden"):
        if name == "golden":
            show(name, golden(overrides))
            continue
        learned, asked, outside = tasks[name](data_dir)
        show(f"{name}, TF-IDF + SVM", baseline(learned, asked))
        show(f"{name}, 4-bit", run(learned, asked, outside, config))
        if "16bit" in words:
            with ExitStack() as stack:
                stack.enter_context(patch("groundwork.adapt.trainer.quantization", lambda _: None))
                show(f"{name}, not quantised", run(learned, asked, outside, config))


if __name__ == "__main__":
    main()

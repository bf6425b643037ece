"""Stage `classify`: labelled texts -> adapter and head that say what a question is about."""

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.answer import AnswerConfig, Retrieval
from groundwork.artifacts import (
    check_manifest,
    code_version,
    read_parquet,
    read_records,
    write_json,
    write_jsonl,
    write_manifest,
)
from groundwork.classify import (
    HEAD,
    LABELS,
    PASSAGES,
    WORDS,
    ClassifyConfig,
    Learned,
    Utterance,
    among,
    describe,
    energy,
    figures,
    fit_calibration,
    hold_out,
    judge,
    learn,
    of_passages,
    of_questions,
    passage_shares,
    read_intents,
    save_judged,
    save_learned,
    usable,
)
from groundwork.config import DomainConfig, load
from groundwork.index import Encoder, encoder_dir, encoder_sha256, load_index
from groundwork.qa import as_people_ask, golden_of
from groundwork.records import Chunk, Question, Reject
from groundwork.scribe import scribed_run
from groundwork.train import checkpoint_dir, forget_checkpoints
from stages import main

QA = Path("artifacts/qa")
CHUNKS_PATH = Path("artifacts/chunk/chunks.parquet")
INDEX_DIR = Path("artifacts/index")
OUT_DIR = Path("artifacts/classify")
PACKAGES = ("torch", "transformers", "sentence-transformers", "peft", "bitsandbytes")


@dataclass(frozen=True, slots=True)
class Material:
    """What there is to learn."""

    source: str
    """`questions` of the domain, or `utterances`."""
    texts: Sequence[Utterance]
    held: Sequence[Utterance]
    outside: Sequence[Utterance]
    """Known to be out of scope."""
    rejects: Sequence[Reject]


def classify() -> None:
    """Train, calibrate and write the classifier, or say why there is none."""
    started = time.monotonic()
    config, domain = load("classify", ClassifyConfig), load("domain", DomainConfig)
    for folder in (QA, CHUNKS_PATH.parent, INDEX_DIR):
        check_manifest(folder)
    shutil.rmtree(OUT_DIR, ignore_errors=True)
    material = _material(domain, config)
    inputs = [QA / "manifest.json", CHUNKS_PATH]
    inputs += [Path(domain.intents_path)] if domain.intents_path else []
    with scribed_run("classify", inputs=inputs) as run:
        detail = _too_few(material, config)
        learned = None if detail else _train(material, config)
        found = _calibrate(learned, material, config) if learned else {}
        _write(material, learned, found, detail)
        run.log_series(learned.history if learned else [])
        run.log_metrics({"texts": len(material.texts), "serves": float(not detail), **found})
        run.set_output(OUT_DIR / "manifest.json")
    for note in learned.notes if learned else ():
        print(f"classify: {note}")
    told = detail or ", ".join(f"{name} {value:.3f}" for name, value in found.items())
    print(
        f"classify: {told}; {len(material.texts)} texts, {len(material.held)} held out, "
        f"{len(material.rejects)} rejected, in {time.monotonic() - started:.0f} s"
    )


def _material(domain: DomainConfig, config: ClassifyConfig) -> Material:
    if not config.enabled:
        return Material("none", (), (), (), ())
    read, broken = read_intents(Path(domain.intents_path)) if domain.intents_path else ([], [])
    if read and not any(item.label in domain.categories for item in read):
        return _of_utterances(read, broken, config)
    return _of_questions(read, broken, domain, config)


def _of_utterances(
    read: Sequence[Utterance], broken: Sequence[Reject], config: ClassifyConfig
) -> Material:
    """Labels of their own, of which the domain's pages know nothing."""
    kept, rejects = usable(read, min_examples=config.min_examples)
    inside = [item for item in kept if item.label is not None]
    outside = [item for item in kept if item.label is None]
    texts, held = hold_out(inside, share=config.held_out, seed=config.seed)
    return Material("utterances", texts, held, outside, (*broken, *rejects))


def _of_questions(
    read: Sequence[Utterance],
    broken: Sequence[Reject],
    domain: DomainConfig,
    config: ClassifyConfig,
) -> Material:
    """The domain's categories: example questions that were `read`, else what was generated.

    Generated questions have their page's category, which somebody who reads the question alone
    gives to three in four: they teach categories of which there are no examples.
    """
    examples, strangers = among(read, domain.categories)
    dev = [question for question in golden_of(domain) if question.split == "dev"]
    found = [item for item in examples if item.label is not None]
    told = {item.label for item in found}
    made = of_questions(_questions("train"))
    made += of_passages(read_parquet(CHUNKS_PATH, Chunk)) if config.passages else []
    found += [item for item in made if item.label not in told]
    texts, rejects = usable(found, min_examples=config.min_examples)
    known = {item.label for item in texts}
    held = [item for item in of_questions(dev or _questions("validation")) if item.label in known]
    outside = [item for item in examples if item.label is None]
    return Material("questions", texts, held, outside, (*broken, *strangers, *rejects))


def _questions(split: str) -> list[Question]:
    return as_people_ask(read_records(QA / f"{split}.jsonl", Question))


def _too_few(material: Material, config: ClassifyConfig) -> str:
    """Why nothing is trained; empty when there is enough."""
    otherwise = "the first citation gives the category"
    if not config.enabled:
        return f"classify.enabled=false: {otherwise}"
    for name, key, found, least in (
        ("texts to learn from", "min_texts", material.texts, config.min_texts),
        ("texts held out", "min_held_out", material.held, config.min_held_out),
    ):
        if len(found) < least:
            return f"{len(found)} {name}, fewer than classify.{key}={least}: {otherwise}"
    labels = len({item.label for item in material.texts})
    if material.source == "questions" and labels < 2:
        return f"{labels} category, expected at least two: {otherwise}"
    return ""


def _train(material: Material, config: ClassifyConfig) -> Learned:
    """Train, and write what was learned; checkpoints are those of this very work."""
    rooms = Path(__file__).parents[1] / "src" / "groundwork"
    work = {
        "config": asdict(config),
        "texts": [[item.text, item.label] for item in material.texts],
        "held": [[item.text, item.label] for item in material.held],
        "encoder": encoder_sha256(),
        "code": code_version(*(rooms / name for name in ("adapt", "classify", "index", "train"))),
    }
    work_dir = checkpoint_dir("classify", work=work, packages=PACKAGES)
    learned = learn(
        encoder_dir(), texts=material.texts, held=material.held, config=config, work_dir=work_dir
    )
    save_learned(learned, OUT_DIR)
    forget_checkpoints(work_dir)
    return learned


def _calibrate(learned: Learned, material: Material, config: ClassifyConfig) -> dict[str, float]:
    """Write `labels.json`; the figures on the texts held out."""
    ensemble = learned.ensemble
    right_B = np.array([ensemble.head.labels.index(str(item.label)) for item in material.held])
    shares_BC = _shares(learned, material, config) if material.source == "questions" else None
    scores = ensemble.scores([item.text for item in material.held], shares_BC)
    outside_B = np.zeros(0)
    if material.outside:
        outside_B = energy(ensemble.scores([item.text for item in material.outside]).head_BC)
    calibration = fit_calibration(
        scores,
        right_B,
        in_scope_B=energy(scores.head_BC),
        outside_B=outside_B,
        max_wrong_out=config.max_wrong_out,
    )
    counts = Counter(str(item.label) for item in material.texts)
    write_json(OUT_DIR / LABELS, describe(ensemble.head, calibration, counts, material.source))
    found = figures(calibration.probabilities(scores), right_B)
    for name, part_BC in scores.parts().items():
        found[f"{name}_accuracy"] = figures(part_BC, right_B)["accuracy"]
    return found


def _judge(learned: Learned, chunks: Sequence[Chunk], most: int) -> dict[str, np.ndarray]:
    """What the head takes each passage to be about, written down; nothing of more than `most`."""
    judged = judge(learned.ensemble, chunks) if len(chunks) <= most else {}
    save_judged(OUT_DIR / PASSAGES, judged)
    return judged


def _shares(learned: Learned, material: Material, config: ClassifyConfig) -> np.ndarray:
    """The labels' shares (B, C) of the passages that are found for the texts held out."""
    encoder = Encoder.load()
    retrieval = Retrieval(
        load_index(INDEX_DIR, encoder), encoder, load("answer", AnswerConfig).retrieval
    )
    judged = _judge(learned, retrieval.index.chunks, config.max_judged)
    found = [retrieval.retrieve(retrieval.mend(item.text)) for item in material.held]
    return np.stack([passage_shares(hits, learned.ensemble.head.labels, judged) for hits in found])


def _write(
    material: Material, learned: Learned | None, found: dict[str, float], detail: str
) -> None:
    """The rejects, the history, the figures and, last, the manifest."""
    write_jsonl(OUT_DIR / "rejects.jsonl", material.rejects)
    write_jsonl(OUT_DIR / "history.jsonl", learned.history if learned else [])
    about: dict[str, Any] = {
        "serves": learned is not None,
        "source": material.source,
        "detail": detail,
        "texts": len(material.texts),
        "held_out": len(material.held),
        "held": found,
    }
    if learned:
        about |= {"best_step": learned.best_step, "steps": learned.steps}
    write_json(OUT_DIR / "metrics.json", about)
    adapter_dir = OUT_DIR / "adapter"
    trained = [f"adapter/{path.name}" for path in adapter_dir.iterdir()] if learned else []
    trained += [HEAD, WORDS, LABELS] if learned else []
    trained += [PASSAGES] if (OUT_DIR / PASSAGES).exists() else []
    write_manifest(OUT_DIR, [*trained, "history.jsonl", "metrics.json", "rejects.jsonl"])


if __name__ == "__main__":
    main(classify)

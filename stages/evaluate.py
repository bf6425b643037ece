"""Stage `evaluate`: index, pairs, golden set, base and adapter -> `artifacts/evaluate/`."""

import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from groundwork.adapt import compare_on
from groundwork.answer import AnswerConfig, Retrieval, fit_ranker, make_answerer, read_prior
from groundwork.artifacts import (
    check_manifest,
    read_json,
    read_records,
    write_json,
    write_jsonl,
    write_manifest,
    write_text,
)
from groundwork.config import DomainConfig, load
from groundwork.evaluate import (
    EvaluateConfig,
    Row,
    ask,
    calibrate,
    plot_tables,
    render_report,
    score_rows,
    summarise,
)
from groundwork.index import Encoder, load_index
from groundwork.qa import golden_of, labelled_of
from groundwork.records import Question
from groundwork.tracking import stage_run
from stages import main

ARTIFACTS_DIR = Path("artifacts")
QA_DIR = ARTIFACTS_DIR / "qa"
OUT_DIR = ARTIFACTS_DIR / "evaluate"
INPUTS = [
    ARTIFACTS_DIR / "index" / "manifest.json",
    ARTIFACTS_DIR / "base" / "manifest.json",
    ARTIFACTS_DIR / "train" / "manifest.json",
    QA_DIR / "manifest.json",
]


def evaluate() -> None:
    """Calibrate every answerer, ask it the test questions, score, summarise and report."""
    started = time.monotonic()
    config = load("evaluate", EvaluateConfig)
    domain = load("domain", DomainConfig)
    for stage in ("index", "qa", "base", "train"):
        check_manifest(ARTIFACTS_DIR / stage)
    learn, test = _questions(domain, config)
    with stage_run("evaluate", inputs=INPUTS) as run:
        encoder = Encoder.load()
        answer = load("answer", AnswerConfig)
        index = load_index(ARTIFACTS_DIR / "index", encoder)
        retrieval = Retrieval(index, encoder, answer.retrieval)
        rows, calibration = _answer(domain, answer, retrieval, learn=learn, test=test)
        rows = score_rows(rows, encoder, config=config)
        summary = summarise(rows, config=config)
        summary["retriever"] = _retriever(test, retrieval, config)
        _write(rows, summary, calibration, title=domain.title)
        run.log_metrics(_flat(summary["headline"]["answerers"]))
        for name in ("metrics.json", "report.html"):
            run.log_artifact(OUT_DIR / name)
        run.set_output(OUT_DIR / "manifest.json")
    _tell(summary)
    print(f"evaluate: {len(rows)} answers in {time.monotonic() - started:.0f} s")


def _questions(
    domain: DomainConfig, config: EvaluateConfig
) -> tuple[list[Question], list[Question]]:
    """Questions to learn from (golden `dev`, labelled, validation pairs), and those that count."""
    golden = golden_of(domain)
    pairs = {
        split: read_records(QA_DIR / f"{split}.jsonl", Question) for split in ("validation", "test")
    }
    drawn = {
        split: sorted(found, key=lambda q: q.question_id)[: config.max_generated]
        for split, found in pairs.items()
    }
    learn = [q for q in golden if q.split == "dev"] + labelled_of(domain) + drawn["validation"]
    return learn, [q for q in golden if q.split == "test"] + drawn["test"]


def _answer(
    domain: DomainConfig,
    config: AnswerConfig,
    retrieval: Retrieval,
    *,
    learn: list[Question],
    test: list[Question],
) -> tuple[list[Row], dict[str, Any]]:
    prior = None if any(q.origin == "golden" for q in learn) else read_prior()
    ranker = prior.ranker if prior else fit_ranker(learn, retrieval)
    rows: list[Row] = []
    calibrations = {}
    for name in config.answerers:
        answerer = make_answerer(
            name,
            config=config,
            domain=domain,
            retrieval=retrieval,
            ranker=asdict(ranker),
            base_dir=ARTIFACTS_DIR / "base",
            adapter_dir=ARTIFACTS_DIR / "train" / "adapter",
        )
        if prior and name == "extractive":
            calibration = prior.extractive
        else:
            calibration = calibrate(answerer, learn, retrieval=retrieval, config=config)
        calibrations[name] = calibration.as_json()
        rows += ask(
            answerer,
            test,
            retrieval=retrieval,
            calibration=calibration,
            refusal=domain.refusal,
            batch_size=config.generative.batch_size,
        )
    return rows, {"ranker": asdict(ranker), "answerers": calibrations}


def _retriever(
    test: list[Question], retrieval: Retrieval, config: EvaluateConfig
) -> dict[str, Any]:
    """What the adapter does to the search that serves; without one there is nothing to compare."""
    manifest = read_json(ARTIFACTS_DIR / "index" / "manifest.json")
    about: dict[str, Any] = {
        "serves": "adapted" if retrieval.index.retriever else "base",
        "questions": {},
    }
    if retrieval.index.retriever:
        plain = retrieval.unadapted()
        about["questions"] = compare_on(
            test,
            retrieval.index.chunks,
            base=lambda question: plain.ranking(retrieval.mend(question)),
            adapted=lambda question: retrieval.ranking(retrieval.mend(question)),
            resamples=config.resamples,
            seed=config.seed,
        )
    return {**about, **manifest["retriever"]}


def _write(
    rows: list[Row], summary: dict[str, Any], calibration: dict[str, Any], *, title: str
) -> None:
    shutil.rmtree(OUT_DIR, ignore_errors=True)
    write_jsonl(OUT_DIR / "rows.jsonl", rows)
    write_json(OUT_DIR / "metrics.json", summary)
    write_json(OUT_DIR / "calibration.json", calibration)
    write_text(OUT_DIR / "report.html", render_report(summary, rows, title=title))
    for name, table in plot_tables(summary).items():
        write_json(OUT_DIR / "plots" / f"{name}.json", table)
    files = [p.relative_to(OUT_DIR).as_posix() for p in OUT_DIR.rglob("*") if p.is_file()]
    write_manifest(OUT_DIR, files)


def _flat(answerers: dict[str, dict[str, float | None]]) -> dict[str, float]:
    return {
        f"{answerer}.{metric}": value
        for answerer, metrics in answerers.items()
        for metric, value in metrics.items()
        if isinstance(value, int | float)
    }


def _tell(summary: dict[str, Any]) -> None:
    head = summary["headline"]
    for dataset, splits in summary["retriever"]["questions"].items():
        for split, figures in splits.items():
            found = figures["ndcg_at_10"]
            print(
                f"evaluate: search of {found['n']} {dataset} questions, {split}: nDCG@10 "
                f"{found['base']:.3f} -> {found['adapted']:.3f} by the adapted encoder "
                f"[{found['low']:+.3f}, {found['high']:+.3f}]"
            )
    print(f"evaluate: {head['dataset']} questions, {head['split']}")
    for name, metrics in head["answerers"].items():
        shown = ("score", "fact_coverage", "token_f1", "refusal_recall", "latency_p50_ms")
        words = [f"{m} {metrics[m]:.3f}" for m in shown if metrics.get(m) is not None]
        print(f"  {name}: {', '.join(words)}")


if __name__ == "__main__":
    main(evaluate)

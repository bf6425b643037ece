"""Stage `adapt`: question-passage pairs -> an adapter of the encoder, and whether it serves."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from groundwork.adapt import (
    AdaptConfig,
    Adapted,
    Decision,
    Pair,
    Watched,
    adapt_encoder,
    answered,
    compare_searches,
    decide,
    make_pairs,
    save_encoder_adapter,
    search_figures,
    switched_off,
    too_few,
    watch,
)
from groundwork.artifacts import (
    check_manifest,
    code_version,
    read_parquet,
    read_records,
    write_json,
    write_jsonl,
    write_manifest,
)
from groundwork.config import load
from groundwork.engine import load_engine
from groundwork.index import (
    ADAPTER_FILES,
    Encoder,
    RememberingEncoder,
    adapter_sha256,
    embed_passages,
    encoder_dir,
    encoder_sha256,
)
from groundwork.records import Chunk, Question, Reject
from groundwork.scribe import scribed_run
from groundwork.train import checkpoint_dir, forget_checkpoints
from stages import main

QA = Path("artifacts/qa")
CHUNKS_PATH = Path("artifacts/chunk/chunks.parquet")
OUT_DIR = Path("artifacts/adapt")
PACKAGES = ("torch", "transformers", "sentence-transformers", "peft", "bitsandbytes")


@dataclass(frozen=True, slots=True)
class Found:
    """What came of the pairs."""

    decision: Decision
    adapted: Adapted | None
    rejects: Sequence[Reject]
    metrics: dict[str, Any]


def adapt() -> None:
    """Train the adapter, compare it with the base encoder, and say which one searches."""
    started = time.monotonic()
    config = load("adapt", AdaptConfig)
    for folder in (QA, CHUNKS_PATH.parent):
        check_manifest(folder)
    chunks = read_parquet(CHUNKS_PATH, Chunk)
    shutil.rmtree(OUT_DIR, ignore_errors=True)
    with scribed_run("adapt", inputs=[QA / "manifest.json", CHUNKS_PATH]) as run:
        found = _tune(config, chunks) if config.enabled else Found(switched_off(), None, (), {})
        decision, adapted = found.decision, found.adapted
        write_jsonl(OUT_DIR / "rejects.jsonl", found.rejects)
        _write(decision, adapted, found.metrics)
        run.log_series(adapted.history if adapted else [])
        run.log_metrics(_numbers(decision, found.metrics))
        run.set_output(OUT_DIR / "manifest.json")
    for note in adapted.notes if adapted else ():
        print(f"adapt: {note}")
    print(
        f"adapt: {decision.detail}; {found.metrics.get('pairs', 0)} pairs, "
        f"{len(found.rejects)} rejected, in {time.monotonic() - started:.0f} s"
    )


def _tune(config: AdaptConfig, chunks: Sequence[Chunk]) -> Found:
    """Pairs, the adapter where they are enough, and which encoder searches."""
    encoder = RememberingEncoder(engine=load_engine())
    asked, relevant, lost = answered(_questions("validation"), chunks)
    pairs, rejects = make_pairs(
        _questions("train"),
        chunks,
        encoder=encoder,
        vectors_ND=embed_passages(chunks, encoder),
        negatives=config.hard_negatives,
        ceiling=config.negative_ceiling,
    )
    metrics: dict[str, Any] = {"pairs": len(pairs), "validation_pairs": len(asked)}
    decision, adapted = too_few(len(pairs), len(asked), config), None
    if decision is None:
        watched = watch(asked, relevant, chunks, passages=config.eval_passages)
        adapted = _train(pairs, watched, config)
        figures = _compare(asked, relevant, chunks, encoder=encoder, config=config)
        decision = decide(figures)
        metrics |= {"figures": figures, "best_step": adapted.best_step, "steps": adapted.steps}
    return Found(decision, adapted, (*rejects, *lost), metrics)


def _questions(split: str) -> list[Question]:
    return read_records(QA / f"{split}.jsonl", Question)


def _train(pairs: Sequence[Pair], watched: Watched, config: AdaptConfig) -> Adapted:
    """Train, and write the adapter; checkpoints are those of this very work."""
    work_dir = _work_dir(pairs, watched, config)
    adapted = adapt_encoder(
        encoder_dir(), pairs=pairs, watched=watched, config=config, work_dir=work_dir
    )
    save_encoder_adapter(adapted, OUT_DIR)
    forget_checkpoints(work_dir)
    return adapted


def _compare(
    asked: Sequence[Question],
    relevant: Sequence[set[int]],
    chunks: Sequence[Chunk],
    *,
    encoder: Encoder,
    config: AdaptConfig,
) -> dict[str, Any]:
    """Both encoders, exactly as they would serve, over all passages."""
    gains = [dict.fromkeys(numbers, 1.0) for numbers in relevant]
    texts = [question.question for question in asked]
    base, adapted = (
        search_figures(one.encode(texts), embed_passages(chunks, one), gains)
        for one in (encoder, encoder.adapted(OUT_DIR))
    )
    return compare_searches(
        base, adapted, alpha=config.alpha, resamples=config.resamples, seed=config.seed
    )


def _write(decision: Decision, adapted: Adapted | None, metrics: dict[str, Any]) -> None:
    """The decision, the history and, last, the manifest."""
    write_jsonl(OUT_DIR / "history.jsonl", adapted.history if adapted else [])
    about = {"serves": decision.serves, "decision": decision.outcome, "detail": decision.detail}
    write_json(OUT_DIR / "metrics.json", metrics | about)
    write_manifest(
        OUT_DIR,
        [*(ADAPTER_FILES if adapted else ()), "history.jsonl", "metrics.json", "rejects.jsonl"],
        encoder_sha256=encoder_sha256(),
        adapter_sha256=adapter_sha256(OUT_DIR) if adapted else None,
    )


def _numbers(decision: Decision, metrics: dict[str, Any]) -> dict[str, float]:
    """What the run's page shows."""
    numbers = {
        "pairs": metrics.get("pairs", 0),
        "serves_adapted": float(decision.serves == "adapted"),
    }
    for name, found in metrics.get("figures", {}).items():
        numbers |= {f"{name}.{side}": found[side] for side in ("base", "adapted", "low", "high")}
    return numbers


def _work_dir(pairs: Sequence[Pair], watched: Watched, config: AdaptConfig) -> Path:
    """Checkpoints of this very work: same data, configuration, encoder, code, packages, device."""
    rooms = Path(__file__).parents[1] / "src" / "groundwork"
    work = {
        "config": asdict(config),
        "pairs": [asdict(pair) for pair in pairs],
        "watched": [watched.questions, [sorted(n) for n in watched.relevant], watched.passages],
        "encoder": encoder_sha256(),
        "code": code_version(rooms / "adapt", rooms / "index", rooms / "train"),
    }
    return checkpoint_dir("adapt", work=work, packages=PACKAGES)


if __name__ == "__main__":
    main(adapt)

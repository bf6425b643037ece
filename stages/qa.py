"""Stage `qa`: passages and golden set -> `artifacts/qa/`."""

import shutil
import time
from pathlib import Path

from groundwork.artifacts import (
    check_manifest,
    read_parquet,
    write_json,
    write_jsonl,
    write_manifest,
    write_text,
)
from groundwork.config import DomainConfig, load
from groundwork.engine import load_engine
from groundwork.errors import RejectsError
from groundwork.index import RememberingEncoder
from groundwork.qa import QaConfig, generate_pairs, golden_of, render_report
from groundwork.records import Chunk, Split
from groundwork.scribe import scribed_run
from groundwork.store import reused
from stages import main

CHUNKS_PATH = Path("artifacts/chunk/chunks.parquet")
OUT_DIR = Path("artifacts/qa")
SPLITS = (Split.TRAIN, Split.VALIDATION, Split.TEST)
STEPS = {"rules": "qa", "teacher": "qa_teacher"}
"""Step of the content-addressed store that a generator remembers its work in."""


def qa() -> None:
    """Generate, validate and split pairs; write them, the rejects and the report."""
    started = time.monotonic()
    config, domain = load("qa", QaConfig), load("domain", DomainConfig)
    engine = load_engine()
    check_manifest(CHUNKS_PATH.parent)
    chunks = read_parquet(CHUNKS_PATH, Chunk)
    golden = golden_of(domain)
    inputs = [CHUNKS_PATH, *([Path(domain.golden_path)] if domain.golden_path else [])]
    shutil.rmtree(OUT_DIR, ignore_errors=True)
    with scribed_run("qa", inputs=inputs) as run:
        encoder = RememberingEncoder(engine=engine)
        result = generate_pairs(
            chunks, golden=golden, encoder=encoder, config=config, engine=engine
        )
        for split in SPLITS:
            write_jsonl(OUT_DIR / f"{split}.jsonl", result.of(split))
        write_jsonl(OUT_DIR / "rejects.jsonl", result.rejects)
        share = len(result.rejects) / result.generated
        if share > config.max_reject_ratio:
            raise RejectsError(
                f"{len(result.rejects)} of {result.generated} pairs were rejected ({share:.0%}, at "
                f"most {config.max_reject_ratio:.0%} allowed by qa.max_reject_ratio): "
                f"{result.report['rejects']}; read {OUT_DIR}/rejects.jsonl"
            )
        write_json(OUT_DIR / "report.json", result.report)
        write_text(OUT_DIR / "report.html", render_report(result, title=domain.title))
        reports = ["rejects.jsonl", "report.json", "report.html"]
        names = [*(f"{split}.jsonl" for split in SPLITS), *reports]
        write_manifest(OUT_DIR, names)
        counts = {split: len(result.of(split)) for split in SPLITS}
        questions, embedded = reused(STEPS[config.generator]), reused("embed")
        run.log_metrics(
            {
                "reused_questions": questions.found,
                "reused_embed": embedded.found,
                "pairs_generated": result.generated,
                "pairs_rejected": len(result.rejects),
                **{f"pairs_{split}": count for split, count in counts.items()},
                "prompt_tokens": result.report["prompt_tokens"],
                "completion_tokens": result.report["completion_tokens"],
                "cost": result.report["cost"],
            }
        )
        run.set_output(OUT_DIR / "manifest.json")
    reasons = ", ".join(f"{n} {reason}" for reason, n in result.report["rejects"].items())
    print(
        f"qa: {sum(counts.values())} pairs ({', '.join(f'{n} {s}' for s, n in counts.items())}), "
        f"{len(result.rejects)} rejected ({reasons or 'none'}), "
        f"reused {questions} generations, {embedded} embeddings "
        f"in {time.monotonic() - started:.0f} s"
    )
    if not counts[Split.VALIDATION]:
        print("qa: validation is empty: two documents make training and test only")


if __name__ == "__main__":
    main(qa)

"""Stage `chunk`: documents become passages."""

import time
from pathlib import Path

from groundwork.artifacts import (
    check_manifest,
    read_parquet,
    write_json,
    write_manifest,
    write_parquet,
)
from groundwork.chunk import ChunkConfig, Meaning, build_report, chunk_documents
from groundwork.config import load
from groundwork.errors import InputError
from groundwork.records import Chunk, Document
from groundwork.store import reused
from groundwork.tracking import stage_run
from stages import main

CLEAN_DIR = Path("artifacts/clean")
OUT_DIR = Path("artifacts/chunk")


def chunk() -> None:
    """Read `artifacts/clean`, write `artifacts/chunk`."""
    started = time.monotonic()
    config = load("chunk", ChunkConfig)
    check_manifest(CLEAN_DIR)
    documents = read_parquet(CLEAN_DIR / "documents.parquet", Document)
    with stage_run("chunk", inputs=[CLEAN_DIR / "manifest.json"]) as run:
        chunks = chunk_documents(documents, config=config, meaning=_meaning(config))
        if not chunks:
            raise InputError(
                f"{CLEAN_DIR}/documents.parquet: {len(documents)} documents and no passage in "
                "them; expected text; see artifacts/clean/rejects.jsonl"
            )
        write_parquet(OUT_DIR / "chunks.parquet", chunks, Chunk)
        report = build_report(documents, chunks)
        write_json(OUT_DIR / "report.json", report)
        write_manifest(OUT_DIR, ["chunks.parquet", "report.json"])
        again = reused("chunk")
        mean_tokens = report["tokens"]["mean"]
        run.log_metrics(
            {**report["funnel"], "mean_tokens": mean_tokens, "reused_chunk": again.found}
        )
        run.set_output(OUT_DIR / "manifest.json")
    print(
        f"chunk: {len(chunks)} passages of {len(documents)} documents, "
        f"{mean_tokens:.0f} tokens on average, "
        f"reused {again} documents, in {time.monotonic() - started:.0f} s"
    )


def _meaning(config: ChunkConfig) -> Meaning | None:
    if config.strategy != "semantic":
        return None
    from groundwork.index import RememberingEncoder, encoder_sha256

    return Meaning(RememberingEncoder().encode, encoder_sha256())


if __name__ == "__main__":
    main(chunk)

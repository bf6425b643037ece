"""Stage `chunk`: documents become passages."""

import time
from functools import partial
from pathlib import Path

from groundwork.artifacts import (
    check_manifest,
    write_json,
    write_manifest,
)
from groundwork.chunk import ChunkConfig, build_report, chunk_documents, semantic_meaning
from groundwork.config import load
from groundwork.engine import load_engine
from groundwork.errors import InputError
from groundwork.records import Chunk, Document
from groundwork.scribe import scribed_run
from groundwork.store import reused
from groundwork.tables import Rows, write_rows
from stages import main

CLEAN_DIR = Path("artifacts/clean")
OUT_DIR = Path("artifacts/chunk")


def chunk() -> None:
    """Read `artifacts/clean`, write `artifacts/chunk`."""
    started = time.monotonic()
    config = load("chunk", ChunkConfig)
    check_manifest(CLEAN_DIR)
    documents = Rows(CLEAN_DIR / "documents.parquet", Document)
    with scribed_run("chunk", inputs=[CLEAN_DIR / "manifest.json"]) as run:
        chunks = chunk_documents(
            documents,
            config=config,
            meaning=semantic_meaning() if config.strategy == "semantic" else None,
            engine=load_engine(),
            keep=partial(write_rows, OUT_DIR / "chunks.parquet", record=Chunk),
        )
        if not chunks:
            raise InputError(
                f"{CLEAN_DIR}/documents.parquet: {len(documents)} documents and no passage in "
                "them; expected text; see artifacts/clean/rejects.jsonl"
            )
        report = build_report(documents, chunks)
        write_json(OUT_DIR / "report.json", report)
        names = Rows(OUT_DIR / "chunks.parquet", Chunk).names()
        write_manifest(OUT_DIR, [*names, "report.json"])
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


if __name__ == "__main__":
    main(chunk)

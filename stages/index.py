"""Stage `index`: chunks -> `artifacts/index/`."""

import shutil
import time
from pathlib import Path

from groundwork.artifacts import check_manifest, read_json, read_parquet
from groundwork.config import load
from groundwork.engine import load_engine
from groundwork.index import IndexConfig, RememberingEncoder, build_index
from groundwork.records import Chunk
from groundwork.scribe import scribed_run
from groundwork.store import reused
from stages import main

CHUNKS_PATH = Path("artifacts/chunk/chunks.parquet")
ADAPT_DIR = Path("artifacts/adapt")
OUT_DIR = Path("artifacts/index")


def index() -> None:
    """Embed passages and sentences; write FAISS, BM25 and the manifest."""
    started = time.monotonic()
    config = load("index", IndexConfig)
    for folder in (CHUNKS_PATH.parent, ADAPT_DIR):
        check_manifest(folder)
    adapted = read_json(ADAPT_DIR / "metrics.json")["serves"] == "adapted"
    chunks = read_parquet(CHUNKS_PATH, Chunk)
    shutil.rmtree(OUT_DIR, ignore_errors=True)
    inputs = [CHUNKS_PATH, ADAPT_DIR / "manifest.json"]
    with scribed_run("index", inputs=inputs) as run:
        build_index(
            chunks,
            config=config,
            encoder=RememberingEncoder(engine=load_engine()),
            folder=OUT_DIR,
            adapter_dir=ADAPT_DIR if adapted else None,
        )
        manifest = read_json(OUT_DIR / "manifest.json")
        run.log_metrics({name: manifest[name] for name in ("passages", "sentences")})
        passages, sentences = reused("embed"), reused("embed_tokens")
        run.log_metrics({"reused_embed": passages.found, "reused_embed_tokens": sentences.found})
        run.set_output(OUT_DIR / "manifest.json")
    print(
        f"index: {manifest['passages']} passages and {manifest['sentences']} sentences "
        f"(reused those of {passages} and {sentences} documents), searched by the "
        f"{'adapted' if adapted else 'base'} encoder, "
        f"in {time.monotonic() - started:.0f} s"
    )


if __name__ == "__main__":
    main(index)

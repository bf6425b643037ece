"""Stage `clean`: pages become documents."""

import time
from collections import Counter
from functools import partial
from pathlib import Path

from groundwork.artifacts import (
    check_manifest,
    write_json,
    write_jsonl,
    write_manifest,
    write_text,
)
from groundwork.clean import (
    Categorise,
    CleanConfig,
    CleanResult,
    MeaningCategoriser,
    clean_pages,
    render_card,
    render_page,
)
from groundwork.config import DomainConfig, load
from groundwork.engine import load_engine
from groundwork.errors import InputError, RejectsError
from groundwork.records import Document, Page
from groundwork.scribe import scribed_run
from groundwork.store import reused
from groundwork.tables import Rows, write_rows
from stages import main

CRAWL_DIR = Path("artifacts/crawl")
OUT_DIR = Path("artifacts/clean")
NAMES = ("datacard.md", "rejects.jsonl", "report.html", "report.json")


def clean() -> None:
    """Read `artifacts/crawl`, write `artifacts/clean`."""
    started = time.monotonic()
    config = load("clean", CleanConfig)
    domain = load("domain", DomainConfig)
    check_manifest(CRAWL_DIR)
    pages = Rows(CRAWL_DIR / "pages.parquet", Page)
    with scribed_run("clean", inputs=[CRAWL_DIR / "manifest.json"]) as run:
        result = clean_pages(
            pages,
            config=config,
            domain=domain,
            categorise=_categoriser(config, domain),
            engine=load_engine(),
            keep=partial(write_rows, OUT_DIR / "documents.parquet", record=Document),
        )
        write_jsonl(OUT_DIR / "rejects.jsonl", result.rejects)
        write_json(OUT_DIR / "report.json", result.report)
        write_text(OUT_DIR / "report.html", render_page(result, title=domain.title))
        write_text(OUT_DIR / "datacard.md", render_card(result, config=config, domain=domain))
        _check_enough(result, config)
        documents = Rows(OUT_DIR / "documents.parquet", Document)
        write_manifest(OUT_DIR, [*NAMES, *documents.names()])
        extracted, embedded = reused("clean"), reused("embed")
        run.log_metrics(
            {"reused_clean": extracted.found, "reused_embed": embedded.found}
            | {f"pages_{name}": count for name, count in result.report["funnel"].items()}
            | {f"rejected_{name}": count for name, count in result.report["rejects"].items()}
            | {f"masked_{name}": count for name, count in result.report["masked"].items()}
        )
        run.set_output(OUT_DIR / "manifest.json")
    print(
        f"clean: {_summary(result)}, reused {extracted} extractions, "
        f"{embedded} embeddings, in {time.monotonic() - started:.0f} s"
    )


def _categoriser(config: CleanConfig, domain: DomainConfig) -> Categorise | None:
    if not domain.categories:
        return None
    from groundwork.index import RememberingEncoder

    return MeaningCategoriser(
        RememberingEncoder(), domain.title, domain.categories, config.category
    )


def _check_enough(result: CleanResult, config: CleanConfig) -> None:
    """Raises: `RejectsError` or `InputError` when too little is left; the rejects are written."""
    total = len(result.documents) + len(result.rejects)
    if total and len(result.rejects) > config.max_reject_ratio * total:
        raise RejectsError(
            f"{_summary(result)}: more than clean.max_reject_ratio={config.max_reject_ratio} "
            f"of the pages; read {OUT_DIR}/rejects.jsonl"
        )
    if not result.documents:
        raise InputError(f"{CRAWL_DIR}/pages.parquet: it holds no page; expected at least one")


def _summary(result: CleanResult) -> str:
    reasons = Counter(str(reject.reason) for reject in result.rejects)
    named = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return (
        f"{len(result.documents)} documents kept, {len(result.rejects)} rejected"
        f"{f' ({named})' if named else ''}"
    )


if __name__ == "__main__":
    main(clean)

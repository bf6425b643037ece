"""Stage `crawl`: the domain's source -> `artifacts/crawl/`."""

import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from groundwork.artifacts import write_jsonl, write_manifest
from groundwork.config import DomainConfig, load
from groundwork.crawl import CrawlConfig, CrawlResult, collect
from groundwork.errors import RejectsError
from groundwork.records import Page
from groundwork.scribe import scribed_run
from groundwork.tables import Rows, write_rows
from stages import main

OUT_DIR = Path("artifacts/crawl")


def crawl() -> None:
    """Fetch the pages; write them, the rejects, the fetch log and the manifest."""
    started = time.monotonic()
    config = load("crawl", CrawlConfig)
    domain = load("domain", DomainConfig)
    with scribed_run("crawl", inputs=[]) as run:
        sizes: list[int] = []
        result = collect(domain, config, keep=lambda pages: _keep(pages, sizes))
        _write(result)
        reasons = Counter(reject.reason for reject in result.rejects)
        run.log_metrics(
            {
                "pages": len(result.pages),
                "rejects": len(result.rejects),
                "offsite_links": result.offsite,
                "excluded_links": result.excluded,
                "size_bytes": sum(sizes),
                **{f"rejects_{reason}": number for reason, number in reasons.items()},
            }
        )
        _check_ratio(result, config)
        run.set_output(OUT_DIR / "manifest.json")
    words = ", ".join(f"{number} {reason}" for reason, number in sorted(reasons.items()))
    print(
        f"crawl: {len(result.pages)} pages kept, "
        f"{len(result.rejects)} rejected ({words or 'none'}), "
        f"{result.offsite} links to other sites in {time.monotonic() - started:.0f} s"
    )


def _keep(pages: Iterator[Page], sizes: list[int]) -> Rows[Page]:
    """Write the pages in the place of all earlier outputs; `sizes` takes the bytes of each."""
    shutil.rmtree(OUT_DIR, ignore_errors=True)
    return write_rows(OUT_DIR / "pages.parquet", _sized(pages, sizes), Page)


def _sized(pages: Iterator[Page], sizes: list[int]) -> Iterator[Page]:
    for page in pages:
        sizes.append(len(page.body))
        yield page


def _write(result: CrawlResult) -> None:
    """Write what else a crawl leaves."""
    write_jsonl(OUT_DIR / "rejects.jsonl", result.rejects)
    write_jsonl(OUT_DIR / "fetch_log.jsonl", result.fetches)
    names = Rows(OUT_DIR / "pages.parquet", Page).names()
    write_manifest(OUT_DIR, [*names, "rejects.jsonl"])


def _check_ratio(result: CrawlResult, config: CrawlConfig) -> None:
    found = len(result.pages) + len(result.rejects)
    if result.failed() > config.max_reject_ratio * found:
        raise RejectsError(
            f"{result.failed()} of {found} URLs failed, more than "
            f"crawl.max_reject_ratio={config.max_reject_ratio:g}; "
            f"see {OUT_DIR / 'rejects.jsonl'}"
        )


if __name__ == "__main__":
    main(crawl)

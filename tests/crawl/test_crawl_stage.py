"""The stage's script: files, counts and its limit of failures."""

import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from crawl_servers import PUBLIC, mirror_domain, page, write_site

from groundwork.artifacts import check_manifest, read_jsonl, read_parquet
from groundwork.crawl import CrawlConfig
from groundwork.errors import RejectsError
from groundwork.records import Page

sys.path.insert(0, str(Path(__file__).parents[2]))


@pytest.mark.slow
def test_the_stage_writes_its_files_and_fails_past_its_limit(
    checkout: Path, config: CrawlConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same bytes twice; too many failures end the stage after its files are written."""
    from stages.crawl import OUT_DIR, crawl

    write_site(
        checkout / "site", {"index.html": page("/a", "/b.zip", "/missing"), "a.html": "words"}
    )
    params = {"crawl": asdict(config), "domain": asdict(mirror_domain(Path("site")))}
    (checkout / "params.yaml").write_text(yaml.safe_dump(params))
    crawl()
    summary = capsys.readouterr().out
    assert "crawl: 2 pages kept, 2 rejected (1 content_type, 1 http_error), 0 links" in summary
    manifest = check_manifest(OUT_DIR)
    assert sorted(manifest["files"]) == ["pages.parquet", "rejects.jsonl"]
    pages = read_parquet(OUT_DIR / "pages.parquet", Page)
    assert [p.url for p in pages] == [f"{PUBLIC}/", f"{PUBLIC}/a"]
    log = read_jsonl(OUT_DIR / "fetch_log.jsonl")
    assert [row["url"] for row in log] == sorted(
        f"{PUBLIC}{path}" for path in ("/", "/a", "/b.zip", "/missing")
    )
    params["crawl"]["max_reject_ratio"] = 0.2
    (checkout / "params.yaml").write_text(yaml.safe_dump(params))
    with pytest.raises(RejectsError, match=r"1 of 4 URLs failed.*rejects.jsonl"):
        crawl()
    assert check_manifest(OUT_DIR) == manifest

"""Tables of any number of records: shards, batches, damage."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from groundwork import tables
from groundwork.artifacts import (
    check_manifest,
    read_parquet,
    sha256_file,
    write_manifest,
    write_parquet,
)
from groundwork.errors import ArtifactError
from groundwork.records import Page
from groundwork.tables import Rows, size_of, write_rows

PAGE = Page("https://a.example/", "text/html", "", b"x" * 100, "0" * 64, "site", "CC0-1.0")
PAGES = [replace(PAGE, url=f"https://a.example/{number:03d}") for number in range(250)]
SIZE = size_of(PAGES[0])


def test_one_shard_is_a_file_with_the_bytes_of_write_parquet(tmp_path: Path) -> None:
    """Small corpora have the artifacts that they always had."""
    write_parquet(tmp_path / "whole.parquet", PAGES, Page)
    written = write_rows(tmp_path / "rows.parquet", iter(PAGES), Page)
    assert sha256_file(tmp_path / "rows.parquet") == sha256_file(tmp_path / "whole.parquet")
    assert (list(written), len(written)) == (PAGES, 250)
    assert written.names() == ["rows.parquet"]
    assert PAGES[7] in written
    assert PAGE not in written


def test_more_than_a_shard_is_a_folder(tmp_path: Path) -> None:
    """In the order given; manifests name its files, and every reader reads it."""
    path = tmp_path / "rows.parquet"
    written = write_rows(path, PAGES, Page, shard_bytes=100 * SIZE)
    names = [f"rows.parquet/0000{number}.parquet" for number in range(3)]
    assert written.names() == names
    assert [len(Rows(tmp_path / name, Page)) for name in names] == [100, 100, 50]
    assert list(written) == read_parquet(path, Page) == PAGES
    write_manifest(tmp_path, names)
    assert sorted(check_manifest(tmp_path)["files"]) == names
    assert [place.name for place in tmp_path.iterdir() if place.name.startswith(".")] == []


def test_a_folder_and_a_file_take_each_others_place(tmp_path: Path) -> None:
    """Nothing of the earlier output is left."""
    path = tmp_path / "rows.parquet"
    write_rows(path, PAGES, Page, shard_bytes=100 * SIZE)
    assert list(write_rows(path, PAGES[:5], Page)) == PAGES[:5]
    assert list(write_rows(path, PAGES[:200], Page, shard_bytes=100 * SIZE)) == PAGES[:200]
    assert list(write_rows(path, [], Page)) == []
    assert path.is_file()


def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    """Whole or not at all."""
    path = tmp_path / "rows.parquet"
    write_rows(path, PAGES[:5], Page)

    def broken() -> Iterator[Page]:
        yield from PAGES
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        write_rows(path, broken(), Page, shard_bytes=100 * SIZE)
    assert list(Rows(path, Page)) == PAGES[:5]
    assert [place.name for place in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_record_larger_than_a_shard_has_its_own(tmp_path: Path) -> None:
    """It is never refused."""
    large = replace(PAGE, body=b"y" * 5000)
    written = write_rows(tmp_path / "a.parquet", [PAGE, large, PAGE], Page, shard_bytes=1000)
    assert list(written) == [PAGE, large, PAGE]
    assert len(written.names()) == 3


def test_row_groups_end_at_a_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a reader holds at a time does not grow with the file."""
    import pyarrow.parquet as pq

    monkeypatch.setattr(tables, "GROUP_BYTES", 20 * SIZE)
    write_rows(tmp_path / "a.parquet", PAGES, Page)
    file = pq.ParquetFile(tmp_path / "a.parquet")
    sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert sizes == [20] * 12 + [10]
    monkeypatch.setattr(tables, "GROUP_ROWS", 15)
    write_rows(tmp_path / "a.parquet", PAGES, Page)
    assert pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).num_rows == 15


def test_writing_and_reading_hold_a_group_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 MB no more than a quarter is in Python's memory at once."""
    monkeypatch.setattr(tables, "GROUP_BYTES", 10**6)
    pages = (replace(PAGE, url=f"{n:05d}", body=bytes([n % 256]) * 40_000) for n in range(1000))
    tracemalloc.start()
    try:
        written = write_rows(tmp_path / "a.parquet", pages, Page)
        assert sum(len(page.body) for page in written) == 40_000_000
        assert tracemalloc.get_traced_memory()[1] < 10 * 10**6
    finally:
        tracemalloc.stop()


@dataclass(frozen=True, slots=True)
class _Other:
    url: int


@dataclass(frozen=True, slots=True)
class _More:
    url: str
    colour: str


def test_damage_names_the_file_and_the_way_out(tmp_path: Path) -> None:
    """Missing, cut off, no Parquet, other columns."""
    path = tmp_path / "artifacts/crawl/pages.parquet"
    way_out = r"crawl/pages\.parquet.*dvc repro --force --single-item crawl"
    with pytest.raises(ArtifactError, match=rf"no such file.*{way_out[-30:]}"):
        len(Rows(path, Page))
    write_rows(path, PAGES, Page)
    with pytest.raises(ArtifactError, match=r"damaged Parquet \(column url: string; expected int"):
        list(Rows(path, _Other))
    with pytest.raises(ArtifactError, match=r"column colour: None; expected string"):
        list(Rows(path, _More))
    whole = path.read_bytes()
    for content in (whole[:-9], b"no Parquet", whole[:200] + bytes(3000) + whole[3200:]):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match=rf"damaged Parquet.*|{way_out}"):
            list(Rows(path, Page))


def test_a_large_record_is_written_with_few_copies(tmp_path: Path) -> None:
    """Alone in its row group; its body has no dictionary and no statistics, each a few copies."""
    import pyarrow.parquet as pq

    large = replace(PAGE, url="https://a.example/999", body=b"y" * 2 * tables.LARGE_BYTES)
    written = write_rows(tmp_path / "a.parquet", [*PAGES, large, *PAGES], Page)
    assert list(written) == [*PAGES, large, *PAGES]
    assert [len(Rows(path, Page)) for path in written.shards()] == [250, 251]
    group = pq.ParquetFile(written.shards()[1]).metadata.row_group(0)
    columns = {group.column(n).path_in_schema: group.column(n) for n in range(group.num_columns)}
    assert group.num_rows == 1
    assert not columns["body"].has_dictionary_page
    assert not columns["body"].is_stats_set
    assert columns["url"].is_stats_set

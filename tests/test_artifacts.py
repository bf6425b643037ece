"""Files on disk: whole or not at all, checked when read, the same bytes for the same rows."""

import math
from dataclasses import dataclass
from pathlib import Path

import pytest

from groundwork.artifacts import (
    check_manifest,
    code_version,
    from_mapping,
    project_root,
    read_json,
    read_jsonl,
    read_parquet,
    replacing,
    sha256_bytes,
    sha256_file,
    short_id,
    write_bytes,
    write_json,
    write_jsonl,
    write_manifest,
    write_parquet,
    write_text,
)
from groundwork.errors import ArtifactError
from groundwork.records import Evidence, Page, Question, Reject
from groundwork.store import cached, remembered, reused

PAGE = Page("https://a.example/", "text/html", "", b"<p>\xff</p>", "ab", "site", "CC-BY-4.0")
QUESTION = Question(
    question_id="q1",
    question="How fast?",
    answer="7.4 kW",
    answerable=True,
    category="levels",
    kind="number",
    evidence=(Evidence("p1", "It is 7.4 kW.", "https://a.example/"),),
    facts=(("7.4 kW", "7,4 kW"),),
    document_id="",
    split="dev",
    origin="golden",
)


def test_hash_of_a_file_is_the_hash_of_its_bytes(tmp_path: Path) -> None:
    """SHA-256 of `abc` from FIPS 180-2, appendix B.1."""
    write_bytes(tmp_path / "f", b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_file(tmp_path / "f") == sha256_bytes(b"abc") == expected


def test_short_id_keeps_its_parts_apart() -> None:
    """16 hexadecimal digits; `a, bc` and `ab, c` differ."""
    assert len(short_id("a", 1)) == 16
    assert short_id("a", "bc") != short_id("ab", "c")


def test_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    """An error in the middle of writing changes nothing on disk."""
    path = tmp_path / "f.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError), replacing(path) as temporary_path:
        temporary_path.write_text("half \ud800", encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["f.txt"]
    assert path.read_text(encoding="utf-8") == "old"


def test_json_is_sorted_and_refuses_nan(tmp_path: Path) -> None:
    """Equal values give equal bytes; NaN is an error, not a file."""
    write_json(tmp_path / "a.json", {"b": 1, "a": [2]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (
        '{\n  "a": [\n    2\n  ],\n  "b": 1\n}\n'
    )
    with pytest.raises(ValueError, match="Out of range"):
        write_json(tmp_path / "b.json", {"loss": math.nan})
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(
    ("name", "way_out"),
    [
        ("artifacts/clean/report.json", "dvc repro --force --single-item clean"),
        ("data/golden.json", "dvc pull data"),
        ("other/file.json", "restore it from its source"),
    ],
)
def test_missing_file_names_the_way_out(tmp_path: Path, name: str, way_out: str) -> None:
    """What to do depends on where the file belongs."""
    with pytest.raises(ArtifactError, match="no such file") as caught:
        read_json(tmp_path / name)
    assert way_out in str(caught.value)


def test_broken_json_is_an_artifact_error(tmp_path: Path) -> None:
    """The message names the file."""
    write_text(tmp_path / "a.json", "{")
    with pytest.raises(ArtifactError, match=r"a\.json: not JSON"):
        read_json(tmp_path / "a.json")


def test_jsonl_holds_records_and_mappings(tmp_path: Path) -> None:
    """Rows come back as they were, text unescaped, the number of rows returned."""
    rows = [Reject("k", "too_short", "3 words – fewer than 20"), {"key": "m"}]
    assert write_jsonl(tmp_path / "r.jsonl", rows) == 2
    assert read_jsonl(tmp_path / "r.jsonl") == [
        {"key": "k", "reason": "too_short", "detail": "3 words – fewer than 20"},
        {"key": "m"},
    ]
    assert "–" in (tmp_path / "r.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "expected"),
    [("{", "r.jsonl:2: not JSON"), ("[1]", "r.jsonl:2: expected a JSON object")],
)
def test_broken_line_is_named(tmp_path: Path, line: str, expected: str) -> None:
    """The second line is broken and the message says so."""
    write_text(tmp_path / "r.jsonl", f'{{"a": 1}}\n{line}\n')
    with pytest.raises(ArtifactError, match=expected):
        read_jsonl(tmp_path / "r.jsonl")


def test_unreadable_jsonl_is_an_artifact_error(tmp_path: Path) -> None:
    """A missing file and bytes that are not UTF-8."""
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_jsonl(tmp_path / "r.jsonl")
    write_bytes(tmp_path / "r.jsonl", b"\xff\xfe")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_jsonl(tmp_path / "r.jsonl")


def test_parquet_round_trip_keeps_rows_order_and_bytes(tmp_path: Path) -> None:
    """The same rows give the same file, and come back as records."""
    for name in ("a.parquet", "b.parquet"):
        write_parquet(tmp_path / name, [PAGE, PAGE], Page)
    assert read_parquet(tmp_path / "a.parquet", Page) == [PAGE, PAGE]
    assert sha256_file(tmp_path / "a.parquet") == sha256_file(tmp_path / "b.parquet")


def test_parquet_reads_some_of_the_columns(tmp_path: Path) -> None:
    """A record with fewer fields reads those columns alone."""

    @dataclass(frozen=True)
    class UrlOnly:
        url: str

    write_parquet(tmp_path / "a.parquet", [PAGE], Page)
    assert read_parquet(tmp_path / "a.parquet", UrlOnly) == [UrlOnly("https://a.example/")]


def test_damaged_parquet_is_an_artifact_error(tmp_path: Path) -> None:
    """Missing, cut short, and with a changed footer."""
    path = tmp_path / "artifacts" / "crawl" / "a.parquet"
    with pytest.raises(ArtifactError, match="no such file"):
        read_parquet(path, Page)
    write_parquet(path, [PAGE], Page)
    whole = path.read_bytes()
    for damaged in (whole[:100], whole[:-4] + b"XXXX"):
        write_bytes(path, damaged)
        with pytest.raises(ArtifactError, match=r"damaged Parquet.*--single-item crawl"):
            read_parquet(path, Page)


def test_nested_record_comes_back_from_json(tmp_path: Path) -> None:
    """Lists become tuples and objects become records."""
    write_jsonl(tmp_path / "q.jsonl", [QUESTION])
    assert from_mapping(Question, read_jsonl(tmp_path / "q.jsonl")[0]) == QUESTION


def test_unknown_or_missing_field_is_refused() -> None:
    """Both are named."""
    with pytest.raises(TypeError, match="'colour'"):
        from_mapping(Reject, {"key": "k", "reason": "r", "detail": "d", "colour": "red"})
    with pytest.raises(KeyError, match="detail"):
        from_mapping(Reject, {"key": "k", "reason": "r"})


def test_manifest_finds_what_was_changed(tmp_path: Path) -> None:
    """Intact files pass; an edited and a deleted file are named with the stage to run."""
    folder = tmp_path / "artifacts" / "chunk"
    write_text(folder / "a.txt", "a")
    write_text(folder / "sub" / "b.txt", "b")
    sha256 = write_manifest(folder, ["sub/b.txt", "a.txt"], passages=2)
    assert sha256 == sha256_file(folder / "manifest.json")
    assert check_manifest(folder) == {
        "files": {"a.txt": sha256_bytes(b"a"), "sub/b.txt": sha256_bytes(b"b")},
        "passages": 2,
    }
    write_text(folder / "a.txt", "A")
    with pytest.raises(ArtifactError, match=r"a\.txt: sha256 is .*--single-item chunk"):
        check_manifest(folder)
    (folder / "a.txt").unlink()
    with pytest.raises(ArtifactError, match=r"a\.txt: no such file"):
        check_manifest(folder)


def test_unfinished_folder_has_no_manifest(tmp_path: Path) -> None:
    """A stage that was killed leaves a folder that no reader accepts."""
    write_text(tmp_path / "a.txt", "a")
    with pytest.raises(ArtifactError, match=r"manifest\.json: no such file"):
        check_manifest(tmp_path)


def test_root_of_a_copy_is_the_users_checkout(tmp_path: Path) -> None:
    """A queued experiment's copy belongs to the checkout it was made in."""
    copy_dir = tmp_path / ".dvc" / "tmp" / "exps" / "tmpabc" / "sub"
    assert project_root(copy_dir) == tmp_path
    assert project_root(tmp_path) == tmp_path


def test_code_version_changes_with_any_python_file(tmp_path: Path) -> None:
    """Names and contents count, other files do not."""
    write_text(tmp_path / "a.py", "1")
    first = code_version(tmp_path)
    write_text(tmp_path / "notes.md", "x")
    assert code_version(tmp_path) == first
    write_text(tmp_path / "a.py", "2")
    second = code_version(tmp_path)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, code_version(tmp_path)}) == 3


def test_work_is_done_once_and_damage_is_redone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second call reads the store; one cut short or changed by a byte is redone."""
    monkeypatch.chdir(tmp_path)
    calls: list[int] = []

    def compute() -> dict[str, int]:
        calls.append(1)
        return {"n": len(calls)}

    assert [cached("step", "abcd", compute) for _ in range(2)] == [{"n": 1}, {"n": 1}]
    assert str(reused("step")) == "1 of 2"
    (entry_path,) = (tmp_path / ".cache/groundwork/step/ab").iterdir()
    whole = entry_path.read_bytes()
    for number, damaged in enumerate((b"", whole[:-1], whole.replace(b"1}", b"7}")), start=2):
        entry_path.write_bytes(damaged)
        assert cached("step", "abcd", compute) == {"n": number}
    assert str(reused("step")) == "0 of 3"
    assert str(reused("step")) == "0 of 0"
    assert remembered("step", "efgh", lambda: b"\x00\n") == b"\x00\n"
    assert remembered("step", "efgh", lambda: b"other") == b"\x00\n"

"""groundwork diff: folders of artifacts, and revisions of a real repository with DVC."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork import cli
from groundwork.artifacts import read_parquet, sha256_bytes, short_id, write_jsonl, write_parquet
from groundwork.records import Chunk, Evidence, Page, Question
from groundwork.tables import write_rows

SITE = "https://pets.example"
PIPELINE = """
stages:
  crawl:
    cmd: mkdir -p artifacts/crawl && cp source/crawl/* artifacts/crawl
    deps: [source/crawl]
    outs: [artifacts/crawl/pages.parquet]
  chunk:
    cmd: mkdir -p artifacts/chunk && cp source/chunk/* artifacts/chunk
    deps: [source/chunk]
    outs: [artifacts/chunk/chunks.parquet]
  qa:
    cmd: mkdir -p artifacts/qa && cp source/qa/* artifacts/qa
    deps: [source/qa]
    outs: [artifacts/qa/train.jsonl, artifacts/qa/validation.jsonl, artifacts/qa/test.jsonl]
"""
BEFORE = {"cats": ["Cats purr.", "Cats sleep."], "dogs": ["Dogs bark."], "owls": ["Owls fly."]}
AFTER = {"cats": ["Cats purr.", "Cats nap."], "owls": ["Some say:", "Owls fly."], "rats": []}
COUNTS = {
    "pages": {"added": 1, "removed": 1, "edited": 2, "moved": 0, "unchanged": 0},
    "passages": {"added": 2, "removed": 2, "edited": 0, "moved": 1, "unchanged": 1},
    "questions": {"added": 1, "removed": 2, "edited": 1, "moved": 1, "unchanged": 0},
}
"""Of the two corpora: dogs are gone, rats new; cats say another thing, owls say theirs later. The
answer about cats is longer, the question about owls goes from training to test."""


def _chunks(name: str, said: list[str]) -> list[Chunk]:
    start, chunks = 0, []
    for text in said:
        chunks.append(
            Chunk(
                passage_id=short_id(name, start, text), document_id=name, url=f"{SITE}/{name}",
                title=name, heading="", text=text, start=start, end=start + len(text), tokens=3,
                category="pets", licence="",
            )
        )  # fmt: skip
        start += len(text) + 2
    return chunks


def _question(name: str, text: str, answer: str) -> Question:
    evidence = (Evidence(passage_id="p", quote=answer, url=f"{SITE}/{name}"),)
    return Question(
        question_id=short_id(text, answer), question=text, answer=answer, answerable=True,
        category="pets", kind="fact", evidence=evidence, facts=(), document_id=name,
        split="train", origin="rules",
    )  # fmt: skip


def write_corpus(folder: Path, corpus: dict[str, list[str]]) -> None:
    """Outputs of crawl, chunk and qa."""
    bodies = {name: " ".join(said).encode() for name, said in corpus.items()}
    pages = [
        Page(f"{SITE}/{name}", "text/html", "", body, sha256_bytes(body), "site", "")
        for name, body in bodies.items()
    ]
    write_parquet(folder / "crawl/pages.parquet", pages, Page)
    chunks = [chunk for name, said in corpus.items() for chunk in _chunks(name, said)]
    write_parquet(folder / "chunk/chunks.parquet", chunks, Chunk)
    train = [_question("cats", "What do cats do?", " ".join(corpus["cats"]))]
    tricks = ("bark", "bite") if "dogs" in corpus else ()
    train += [_question("dogs", f"Do dogs {do}?", "Yes.") for do in tricks]
    owls = [_question("owls", "What do owls do?", "Owls fly.")]
    rats = [_question("rats", "What of rats?", "Nothing.") for name in corpus if name == "rats"]
    early = "dogs" in corpus
    write_jsonl(folder / "qa/train.jsonl", [*train, *(owls if early else rats)])
    write_jsonl(folder / "qa/validation.jsonl", [])
    moved = [replace(question, split="test") for question in owls]
    write_jsonl(folder / "qa/test.jsonl", [] if early else moved)


def _counts(shown: str) -> dict[str, dict[str, int]]:
    found = json.loads(shown)
    return {
        kind: {n: v if n == "unchanged" else len(v) for n, v in found[kind].items()}
        for kind in COUNTS
    }


def test_folders_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each kind with what came, went, was edited or moved; in words and as JSON."""
    write_corpus(tmp_path / "one", BEFORE)
    write_corpus(tmp_path / "two/artifacts", AFTER)
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    assert cli.main(["diff", one, two, "--json"]) == 0
    assert _counts(capsys.readouterr().out) == COUNTS
    cli.main(["diff", one, two])
    assert capsys.readouterr().out.splitlines() == [
        f"{one} -> {two}",
        "pages: 1 added, 1 removed, 2 edited",
        f"  + {SITE}/rats",
        f"  - {SITE}/dogs",
        f"  ~ {SITE}/cats",
        f"  ~ {SITE}/owls",
        "passages: 2 added, 2 removed, 1 moved, 1 unchanged",
        f"  + {SITE}/cats 'Cats nap.'",
        f"  + {SITE}/owls 'Some say:'",
        f"  - {SITE}/cats 'Cats sleep.'",
        f"  - {SITE}/dogs 'Dogs bark.'",
        "questions: 1 added, 2 removed, 1 edited, 1 moved",
        "  + [train] What of rats?",
        "  - [train] Do dogs bark?",
        "  - [train] Do dogs bite?",
        "  ~ [train] What do cats do?",
    ]
    cli.main(["diff", one, one])
    lines = capsys.readouterr().out.splitlines()[1:]
    assert lines == ["pages: 3 unchanged", "passages: 4 unchanged", "questions: 4 unchanged"]


def test_outputs_of_several_shards_are_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of shards stands for the file that a smaller corpus has."""
    for name, corpus in (("one", BEFORE), ("two", AFTER)):
        write_corpus(tmp_path / name, corpus)
        for kind, record in (("crawl/pages", Page), ("chunk/chunks", Chunk)):
            path = tmp_path / name / f"{kind}.parquet"
            write_rows(path, read_parquet(path, record), record, shard_bytes=150)
            assert path.is_dir()
    cli.main(["diff", str(tmp_path / "one"), str(tmp_path / "two"), "--json"])
    assert _counts(capsys.readouterr().out) == COUNTS


def test_what_is_missing_or_damaged_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither folder nor revision, a file that is gone, one cut short, one without a column."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "one"
    write_corpus(folder, BEFORE)
    assert cli.main(["diff", "nowhere", "one"]) == 1
    assert "'nowhere': neither a folder nor a revision" in capsys.readouterr().err
    assert cli.main(["diff", "one"]) == 1
    assert "artifacts/crawl/pages.parquet: no such file; run `dvc checkout`" in (
        capsys.readouterr().err
    )
    path = folder / "chunk/chunks.parquet"
    whole = path.read_bytes()
    for content in (whole[:-9], (folder / "crawl/pages.parquet").read_bytes()):
        path.write_bytes(content)
        assert cli.main(["diff", "one", "one"]) == 1
        assert "artifacts/chunk/chunks.parquet of one: damaged or" in capsys.readouterr().err
    path.write_bytes(whole)
    for line in ("{broken", "[]", '{"question": "What?"}'):
        (folder / "qa/train.jsonl").write_text(f"{line}\n")
        assert cli.main(["diff", "one", "one"]) == 1
        assert "--single-item qa`" in capsys.readouterr().err


@pytest.mark.slow
def test_revisions_come_from_the_cache_and_then_from_the_remote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """HEAD against the working tree by default; what is in neither place is an error."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "t")
        monkeypatch.setenv(f"{name}_EMAIL", "t@example.org")
    bin_dir = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", f"{bin_dir}{os.pathsep}{os.environ['PATH']}")

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)

    run("git", "init", "-q", ".")
    run("dvc", "init", "-q")
    run("dvc", "remote", "add", "-d", "shelf", str(tmp_path / "shelf"))
    Path("dvc.yaml").write_text(PIPELINE)
    Path(".gitignore").write_text("/artifacts/\n/source/\n")
    for corpus in (BEFORE, AFTER):
        write_corpus(Path("source"), corpus)
        run("dvc", "repro")
        run("dvc", "push")
        run("git", "add", "-A")
        run("git", "commit", "-qm", "version")
    assert cli.main(["diff", "HEAD~1", "HEAD", "--json"]) == 0
    assert _counts(capsys.readouterr().out) == COUNTS
    assert cli.main(["diff"]) == 0
    shown = capsys.readouterr().out
    assert "-> working tree" in shown
    assert "pages: 3 unchanged" in shown
    shutil.rmtree(".dvc/cache")
    assert cli.main(["diff", "HEAD~1", "--json"]) == 0
    assert _counts(capsys.readouterr().out) == COUNTS
    shutil.rmtree(".dvc/cache", ignore_errors=True)
    shutil.rmtree(tmp_path / "shelf")
    assert cli.main(["diff", "HEAD~1"]) == 1
    assert "neither in DVC's cache nor in its remote; run `dvc push`" in capsys.readouterr().err

"""A folder of documents: what is read, what is refused, and under which address."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from crawl_servers import make_domain, mirror_domain, write_site

from groundwork.config import DomainConfig
from groundwork.crawl import CrawlConfig, CrawlResult, collect
from groundwork.errors import ConfigError, InputError

BASE = "https://docs.example.org/manual"
ROOT = Path(__file__).parents[2]
OCPI = ROOT / ".." / "shared" / "data" / "documents.tar.xz"


def files_domain(folder: Path, **changes: object) -> DomainConfig:
    """A domain whose source is `folder`, recorded below `BASE`."""
    source = {"dir": str(folder), "public_url": BASE, "include": [], "exclude": [], **changes}
    return make_domain(files=source)


def reasons(result: CrawlResult) -> dict[str, str]:
    """Path to reason."""
    return {reject.key.removeprefix(f"{BASE}/"): reject.reason for reject in result.rejects}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of each type, and some that are none."""
    names = ("a.md", "b/c.adoc", "b/d e.txt", "é.html", "f.pdf", "g.docx", "h.htm", "z.zip")
    files = {name: f"words of {name}" for name in names}
    return write_site(tmp_path / "docs", files | {".hidden/x.md": "no", ".y.md": "no"})


def test_files_are_recorded_below_the_public_address(folder: Path, config: CrawlConfig) -> None:
    """Sorted, with the type of their extension; other types are rejects, hidden files no matter."""
    result = collect(files_domain(folder), config)
    found = {page.url.removeprefix(BASE): page.content_type for page in result.pages}
    docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    assert list(found.items()) == [
        ("/%C3%A9.html", "text/html"),
        ("/a.md", "text/markdown"),
        ("/b/c.adoc", "text/asciidoc"),
        ("/b/d%20e.txt", "text/plain"),
        ("/f.pdf", "application/pdf"),
        ("/g.docx", docx),
        ("/h.htm", "text/html"),
    ]
    assert {(page.source, page.licence) for page in result.pages} == {("files", "MIT")}
    assert reasons(result) == {"z.zip": "content_type"}
    assert [fetch.robots for fetch in result.fetches] == ["not_asked"] * 8
    rows = [*map(asdict, result.pages), *map(asdict, result.rejects), *map(asdict, result.fetches)]
    assert str(folder.parent) not in str(rows)


def test_the_same_folder_elsewhere_gives_the_same_pages(
    folder: Path, config: CrawlConfig, tmp_path: Path
) -> None:
    """Neither the path nor the order of the listing matters."""
    here = collect(files_domain(folder), config)
    moved = folder.rename(tmp_path / "elsewhere")
    there = collect(files_domain(moved), config)
    assert (there.pages, there.rejects) == (here.pages, here.rejects)


def test_include_and_exclude_are_prefixes_of_paths(folder: Path, config: CrawlConfig) -> None:
    """What they leave out is counted, not listed."""
    result = collect(files_domain(folder, include=["b/", "a.md"], exclude=["/b/d"]), config)
    assert [page.url.removeprefix(BASE) for page in result.pages] == ["/a.md", "/b/c.adoc"]
    assert (result.excluded, result.rejects) == (6, [])


def test_links_are_followed_inside_the_folder_alone(folder: Path, config: CrawlConfig) -> None:
    """One that leaves it, leads nowhere, or to what is read anyway is a reject that says so."""
    secret = folder.parent / "secret.md"
    secret.write_text("a secret")
    links = {
        "out.md": secret,
        "up.md": Path("../secret.md"),
        "nowhere.md": Path("none.md"),
        "round.md": Path("round.md"),
        "again.md": Path("a.md"),
        "inner": Path("b"),
        "outer": folder.parent,
        "hidden.md": Path(".y.md"),
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    os.mkfifo(folder / "pipe.md")
    result = collect(files_domain(folder), config)
    assert reasons(result) == {
        "again.md": "duplicate_url",
        "inner": "duplicate_url",
        "nowhere.md": "unreadable",
        "out.md": "outside",
        "outer": "outside",
        "pipe.md": "unreadable",
        "round.md": "unreadable",
        "up.md": "outside",
        "z.zip": "content_type",
    }
    bodies = [page.body for page in result.pages]
    assert b"a secret" not in bodies
    assert b"no" in bodies  # a link to a hidden file is how it is shown


def test_caps_are_those_of_a_crawl(folder: Path, config: CrawlConfig) -> None:
    """Size, number and time; a file as large as allowed is read."""
    (folder / "a.md").write_bytes(b"x" * 101)
    (folder / "h.htm").write_bytes(b"x" * 100)
    small = collect(files_domain(folder), replace(config, max_body_bytes=100))
    assert reasons(small) == {"a.md": "too_large", "z.zip": "content_type"}
    assert small.rejects[0].detail == "101 bytes; expected at most 100"  # it was not opened
    few = collect(files_domain(folder), replace(config, max_pages=2))
    assert len(few.pages) == 2
    assert sorted(reasons(few).values()) == ["content_type"] + ["page_cap"] * 5
    with pytest.raises(InputError, match=r"no document could be kept \(1 content_type, 7 time_cap"):
        collect(files_domain(folder), replace(config, max_total_s=1e-9))


def test_what_may_not_be_read_is_a_reject(
    folder: Path,
) -> None:
    """A file and a folder without permission, as a user whom permissions bind."""
    place = folder.parent
    (folder / "a.md").chmod(0)
    (folder / "b").chmod(0)
    for parent in [place, *place.parents]:
        if parent == Path("/tmp") or parent.owner() != place.owner():  # noqa: S108
            break
        parent.chmod(0o755)
    code = (
        "import os, sys; from pathlib import Path\n"
        "from groundwork.crawl.files import Folder\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "for entry in Folder(Path(sys.argv[1]).resolve()).entries():\n"
        "    try: Folder(Path(sys.argv[1]).resolve()).read(entry.path, max_bytes=9)\n"
        "    except OSError as error: print(entry.path, error.strerror, entry.refusal, sep='|')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False
    )
    (folder / "b").chmod(0o755)
    assert done.stdout.splitlines() == [
        "a.md|Permission denied|None",
        "b|no such file in the folder|(<RejectReason.UNREADABLE: 'unreadable'>, "
        "'a folder: Permission denied')",
    ], done.stderr


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda place: place / "none", "none is no folder.*domain.files.dir"),
        (lambda place: write_site(place / "empty", {".x": ""}), "it holds no file; expected"),
        (lambda place: write_site(place / "zips", {"a.zip": ""}), r"\(1 content_type\).*a\.zip"),
    ],
)
def test_a_folder_without_documents_is_an_error(
    make: Callable[[Path], Path], message: str, tmp_path: Path, config: CrawlConfig
) -> None:
    """With the key or the file to look at."""
    with pytest.raises(InputError, match=message):
        collect(files_domain(make(tmp_path)), config)


def test_exactly_one_source_is_named(folder: Path, config: CrawlConfig) -> None:
    """None and two are configuration errors that list the kinds."""
    with pytest.raises(ConfigError, match=r"no source set; .*domain\.files, domain\.git"):
        collect(make_domain(), config)
    source = asdict(files_domain(folder))["files"]
    mirror = {"dir": "x", "public_url": "https://a.example", "include": [], "exclude": []}
    with pytest.raises(ConfigError, match="mirror and files set"):
        collect(make_domain(files=source, mirror=mirror), config)


def test_examples_of_asciidoc_are_put_in_place(tmp_path: Path, config: CrawlConfig) -> None:
    """Whole, by lines and by tags; chapters stay pages; what is missing or outside is a reject."""
    write_site(
        tmp_path,
        {
            "docs/spec.adoc": ":ex: examples\n= Spec\n----\ninclude::{ex}/a.json[]\n----\n"
            "include::{ex}/a.json[lines=2..3;5]\ninclude::{ex}/a.json[tag=one]\n"
            "include::chapter.adoc[]\ninclude::none.json[]\ninclude::../../etc/passwd[]\n"
            "include::https://a.example/x[]\n\\include::{ex}/a.json[]\ninclude::{no}/a.json[]\n",
            "docs/chapter.adoc": "== Chapter",
            "docs/examples/a.json": "1\n2\n3\n# tag::one[]\n5\n# end::one[]\n7",
        },
    )
    result = collect(files_domain(tmp_path / "docs"), config)
    chapter, spec = result.pages
    assert chapter.body == b"== Chapter"
    assert spec.body.decode().splitlines()[2:] == [
        *("----", "1", "2", "3", "5", "7", "----", "2", "3", "5", "5"),
        "include::chapter.adoc[]",
        "include::none.json[]",
        "include::../../etc/passwd[]",
        "include::https://a.example/x[]",
        "\\include::{ex}/a.json[]",
        "include::{no}/a.json[]",
    ]
    assert reasons(result) == {
        "examples/a.json": "content_type",
        "spec.adoc#include=../../etc/passwd": "unreadable",
        "spec.adoc#include=https://a.example/x": "unreadable",
        "spec.adoc#include=none.json": "unreadable",
        "spec.adoc#include={no}/a.json": "unreadable",
    }
    outside = [r for r in result.rejects if r.detail == "included file: outside the tree"]
    assert len(outside) == 2
    (tmp_path / "docs/examples/a.json").write_text("long " * 200)
    cut = collect(files_domain(tmp_path / "docs"), replace(config, max_body_bytes=900))
    assert reasons(cut)["spec.adoc#include=examples/a.json"] == "unreadable"
    assert b"include::{ex}/a.json[]" in cut.pages[1].body
    assert any("more than 900 bytes" in reject.detail for reject in cut.rejects)


def test_a_document_states_its_own_licence(tmp_path: Path, config: CrawlConfig) -> None:
    """In HTML, in a front matter, by SPDX; else the domain's counts."""
    by = "https://creativecommons.org/licenses/by/4.0/"
    write_site(
        tmp_path,
        {
            "a.html": f"<p>words<a href='/x'>x</a><a rel='nofollow license' href='{by}'>by</a>",
            "b.md": "---\ntitle: B\nlicense: CC0-1.0\n---\nwords",
            "c.adoc": "// SPDX-License-Identifier: Apache-2.0\n= C",
            "d.md": "license: of a driver",
            "e.html": "<a href='/licence'>licence</a>",
        },
    )
    pages = collect(files_domain(tmp_path), config).pages
    assert [page.licence for page in pages] == [by, "CC0-1.0", "Apache-2.0", "MIT", "MIT"]
    site = write_site(tmp_path / "m", {"index.html": f"<p>words<a rel=license href={by}>"})
    mirror = collect(mirror_domain(site), config)
    assert [page.licence for page in mirror.pages] == [by]

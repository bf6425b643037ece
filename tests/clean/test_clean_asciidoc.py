"""AsciiDoc as the document it makes, construct by construct, and a real specification."""

import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork.clean import CleanConfig, Reason
from groundwork.clean.asciidoc import extract_asciidoc
from groundwork.clean.extraction import Extraction
from groundwork.clean.reasons import PageRefusedError
from groundwork.crawl.files import Folder
from groundwork.crawl.includes import put_includes
from groundwork.records import Page

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT.parent / "shared" / "data" / "documents.tar.xz"
Read = Callable[[str], Extraction]


@pytest.fixture
def read(config: CleanConfig, make_page: Callable[..., Page]) -> Read:
    """Extraction of a text."""

    def run(text: str) -> Extraction:
        page = make_page(text, content_type="text/asciidoc", charset="")
        return extract_asciidoc(page, config.extract)

    return run


def test_the_header_names_title_author_and_date(read: Read) -> None:
    """Attributes of the header count in the text; those that nobody sets stay as written."""
    found = read(
        "// SPDX-License-Identifier: MIT\n= The _Charging_ Guide\nAnn Lee <a@b.example>; Ben\n"
        "v1.2, 2025-06-01: final\n:kw: 22 kW\n:lang: en\n\nUp to {kw} of {unknown}."
    )
    assert found.text == "# The Charging Guide\n\nUp to 22 kW of {unknown}."
    assert (found.title, found.headed, found.media) == ("The Charging Guide", True, "asciidoc")
    assert (found.author, found.date) == ("Ann Lee, Ben", "2025-06-01")
    assert found.declared_language == "en"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("== One\n\na\n\n=== Two\n\nb", "# One\n\na\n\n## Two\n\nb"),
        ("Title\n-----\n\nwords", "# Title\n\nwords"),
        ("a line\nwrapped", "a line wrapped"),
        ("one +\ntwo", "one\ntwo"),
        ("*bold* _it_ `co de` **b**old #m# x^2^ H~2~O", "bold it `co de` bold m x2 H2O"),
        ("`*not bold*` and 2 * 3 * 4 and snake_case_name", "`*not bold*` and 2 * 3 * 4 and "
         "snake_case_name"),
        ("`+{a}+` +*x*+ pass:[*y*] \\*z*", "`{a}` *x* *y* *z*"),
        ("[[a]]\n== Goal\n\nSee <<a>>, <<a,this>>, <<f.adoc#a,that>>, xref:b.adoc[B], <<_no_one>>.",
         "# Goal\n\nSee Goal, this, that, B, no one."),
        ("https://a.example[A], link:b.html[B^], https://c.example/d_e_f and <https://d.example>",
         "A, B, https://c.example/d_e_f and https://d.example"),
        ("a footnote:[the note] b image:x.png[X] kbd:[Ctrl] menu:File[Save]",
         "a (the note) b Ctrl File > Save"),
        ("\"`quoted`\" it...\n(C) a -- b", "“quoted” it… © a — b"),
        ("* a\n** b\n* c\ngoes on\n\n* d", "- a\n    - b\n- c goes on\n- d"),
        (". a\n. b\n.. c\n. d", "1. a\n2. b\n    1. c\n3. d"),
        ("1. a\n2. b", "1. a\n2. b"),
        ("CPU:: The brain.\nDisk::\n  The memory.\n\nAfter.", "- CPU: The brain.\n"
         "- Disk: The memory.\n\nAfter."),
        ("* a\n+\n----\ncode\n----\n* b", "- a\n\n    ```\n    code\n    ```\n\n- b"),
        ("* a\n+\nmore\n* b", "- a\n    - more\n- b"),
        ("NOTE: Mind\nthe gap.", "Note: Mind the gap."),
        ("[WARNING]\n====\nHot.\n\n* a\n====", "Warning: Hot.\n\n- a"),
        (".Caption\n[source,json]\n----\n{\"a\": 1}  // <1>\n\n  x\n----\n<1> One",
         "Caption\n\n```\n{\"a\": 1}  // <1>\n\n  x\n```\n\n1. One"),
        ("[source]\ncode here\nand here\n\ntext", "```\ncode here\nand here\n```\n\ntext"),
        (" indented\n  code", "```\n indented\n  code\n```"),
        ("....\n== no\n....", "```\n== no\n```"),
        ("____\nSaid.\n____", "> Said."),
        ("====\nInside.\n\n=====\nDeeper.\n=====\n====\n\nOut.", "Inside.\n\nDeeper.\n\nOut."),
        ("++++\n<video/>\n++++\n\nwords", "words"),
        ("a\n\n'''\n\nimage::x.png[]\n\ninclude::y.adoc[]\n\n<<<\n\nb", "a\n\nb"),
        ("a // b\n// no\n////\nno\n////\nc", "a // b c"),
        ("ifdef::x[]\nno\nendif::[]\nifndef::x[]\nyes\nendif::[]\n\n:x:\n\nifdef::x[and this]",
         "yes\n\nand this"),
        ("----\nnever closed", "```\nnever closed\n```"),
    ],
)  # fmt: skip
def test_constructs(read: Read, source: str, expected: str) -> None:
    """What a reader of the finished page would see."""
    assert read(source).text == expected


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ("|===\n|A |B\n\n|1 |2\n|3\n|4\n|===", ["A|B", "1|2", "3|4"]),
        ("|===\n|1 |2\n|3 |4\n|===", ["|", "1|2", "3|4"]),
        ("before\n\n|===\nno cell\n|===", ["fo"]),
        ('[cols="1,2",options="header"]\n|===\n|A\n|B\n|1\n|2 \\| 3\n|===', ["A|B", "1|2 \\| 3"]),
        ('[%header,cols="2*"]\n|===\n|A |B\n|*1* |`x`\n|===', ["A|B", "1|`x`"]),
        ("|===\n|A |B\n\n2+|both\n.2+|down |1\n|2\n|===", ["A|B", "both|", "down|1", "down|2"]),
        ("|===\n|A |B\n\n2*|x\n|===", ["A|B", "x|x"]),
        ("|===\n|A |B\n\n|1 a|\n* x\n* y\n|===", ["A|B", "1|x; y"]),
        ("[%header]\n,===\nA,B\n\"1,0\",2\n,===", ["A|B", "1,0|2"]),
        ('[%header,format=dsv]\n|===\nA:B\n1:2\n|===', ["A|B", "1|2"]),
    ],
)  # fmt: skip
def test_tables(read: Read, source: str, rows: list[str]) -> None:
    """Heads by option or blank line, cells over lines, columns and rows, lists in cells, CSV."""
    lines = [line for line in read(source).text.split("\n") if "---" not in line]
    cells = [re.split(r" \| ", line[2:-2]) if line != "|  |  |" else ["", ""] for line in lines]
    assert ["|".join(cell.strip() for cell in row) for row in cells] == rows


def test_too_many_marks_are_refused(config: CleanConfig, make_page: Callable[..., Page]) -> None:
    """Before they are looked at one by one."""
    page = make_page("|a" * 50, content_type="text/asciidoc", charset="")
    with pytest.raises(PageRefusedError) as caught:
        extract_asciidoc(page, replace(config.extract, max_tags=49))
    assert caught.value.reason == Reason.TOO_MANY_TAGS


def test_a_real_specification_keeps_headings_tables_and_examples(
    read: Read, tmp_path: Path
) -> None:
    """OCPI with its examples in place: counted in the source; no mark is left in the text."""
    if not ARCHIVE.exists():
        pytest.skip(f"third-party data is absent: {ARCHIVE.name} (see its README)")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = Folder(tmp_path / "documents" / "ocpi-spec")
    name = "mod_tokens.asciidoc"
    source = put_includes(
        folder.read(name, max_bytes=1_000_000),
        path=name,
        read=folder.read,
        is_page=lambda _: False,
        max_bytes=1_000_000,
    ).body.decode()
    found = read(source)
    assert found.title == "Tokens module"
    headings = re.findall(r"^=+ (.*)$", source, re.M)
    shown = re.findall(r"^#+ (.*)$", found.text, re.M)
    assert shown == [re.sub(r"[*`]|\b_|_\b", "", heading).strip() for heading in headings]
    assert found.text.count("\n| --- ") == len(re.findall(r"^\|===", source, re.M)) / 2
    assert found.text.count("\n```\n") == len(re.findall(r"^----", source, re.M)) > 0
    assert '"uid": "012345678"' in found.text
    assert not re.search(r"<<|>>|\[\[|include::|\|===|`\+", found.text)

"""Strategies and parents, on text made up and on the pages that ship with the repository."""

import itertools
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from chunk_document import document_of

from groundwork.chunk import ChunkConfig, Meaning, build_report, chunk_documents, count_tokens
from groundwork.chunk.code import cut_code
from groundwork.chunk.meaning import best_cut
from groundwork.config import check
from groundwork.records import Chunk

ROOT = Path(__file__).parents[2]
SHARED_PATH = ROOT.parent / "shared" / "data" / "chunking.tar.xz"
STRATEGIES = ["headings", "semantic", "sentences", "tokens"]


def _config(strategy: str, **changes: Any) -> ChunkConfig:
    path = ROOT / "conf" / "chunk" / f"{strategy}.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8")) | changes
    return check("chunk", ChunkConfig, values, path)


def _letters(texts: list[str]) -> np.ndarray:
    """How often each letter occurs, as unit vectors: alike texts have alike letters."""
    counts = np.array([[t.lower().count(chr(97 + n)) for n in range(26)] for t in texts]) + 1e-6
    return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Chunk]]:
    """Passages of a text, every promise of `Chunk` checked."""
    monkeypatch.chdir(tmp_path)

    def run(text: str, strategy: str, **changes: Any) -> list[Chunk]:
        config = _config(strategy, **changes)
        meaning = Meaning(lambda texts: _letters(list(texts)), "letters")
        chunks = chunk_documents([document_of(text)], config=config, meaning=meaning)
        _check_promises(text, chunks, config)
        return chunks

    return run


def _check_promises(text: str, chunks: list[Chunk], config: ChunkConfig) -> None:
    limit = max(config.max_tokens, config.table_tokens)
    covered = bytearray(len(text))
    for chunk in chunks:
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.tokens == count_tokens(chunk.text)
        assert chunk.tokens <= limit
        assert chunk.parent_start <= chunk.start < chunk.end <= chunk.parent_end <= len(text)
        parent = text[chunk.parent_start : chunk.parent_end]
        assert count_tokens(parent) <= config.parent_tokens
        covered[chunk.start : chunk.end] = b"\1" * (chunk.end - chunk.start)
    assert len({chunk.passage_id for chunk in chunks}) == len(chunks)
    assert all((a.start, a.end) < (b.start, b.end) for a, b in itertools.pairwise(chunks))
    spans = {(chunk.parent_id, chunk.parent_start, chunk.parent_end) for chunk in chunks}
    assert len(spans) == len({chunk.parent_id for chunk in chunks})
    if config.strategy != "headings":  # a heading is in `heading`, not in its passage
        gaps = "".join(letter for letter, held in zip(text, covered, strict=True) if not held)
        assert not any(letter.isalnum() for letter in gaps)


def _pages() -> list[str]:
    """The bundled site's Markdown-like text: pages as they are, tags and all."""
    site_dir = ROOT / "data" / "ev_charging" / "site"
    return [path.read_text(encoding="utf-8") for path in sorted(site_dir.rglob("*.html"))[::9]]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_offsets_reproduce_the_text_of_real_pages(
    strategy: str, cut: Callable[..., list[Chunk]]
) -> None:
    """Raw HTML is the worst text that a strategy meets: no sentences, long lines, odd signs."""
    texts = _pages()
    assert len(texts) > 5
    for text in texts:
        assert cut(text, strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_offsets_reproduce_the_text_of_corpora_of_others(
    strategy: str, cut: Callable[..., list[Chunk]]
) -> None:
    """Speech, finance, medicine, an encyclopedia and chats: a part of each."""
    if not SHARED_PATH.exists():
        pytest.skip(f"{SHARED_PATH} is not here: third-party text that the project does not ship")
    texts = list(_corpora(SHARED_PATH))
    assert len(texts) == 5
    for text in texts:
        assert cut(text[:20_000], strategy)


def _corpora(path: Path) -> Iterator[str]:
    with tarfile.open(path) as archive:
        for member in archive:
            if "/corpora/" in member.name and member.isfile():
                stream = archive.extractfile(member)
                assert stream is not None
                yield stream.read().decode()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n ",
        "---",
        "word",
        "x" * 3000,
        "a " + "\u4e00" * 900,
        "\n\n  indented " * 300,
        "# Only\n\n## Headings\n\n" * 80,
        "| a | b |\n" * 400,
        "```\n" + "{\n" * 400,
        "\n".join(" " * n + "deep:" for n in range(300)),
        "\ufeffcaf\u00e9 \U0001f50c\u200d " * 200,
    ],
    ids=range(12),
)
def test_odd_texts_are_cut_too(text: str, strategy: str, cut: Callable[..., list[Chunk]]) -> None:
    """Nothing is lost and no limit is broken, whatever the text."""
    cut(text, strategy)


def _sections(*sizes: int) -> str:
    return "\n\n".join(
        f"## Part {number}\n\n" + " ".join(f"Cable {n} carries current." for n in range(size))
        for number, size in enumerate(sizes)
    )


def test_windows_have_equal_length_and_repeat_their_ends(cut: Callable[..., list[Chunk]]) -> None:
    """All but the last have the length asked for, a word more or less; words stay whole."""
    text = " ".join(f"word{n}" for n in range(1000))
    chunks = cut(text, "tokens", target_tokens=100, max_tokens=120, overlap_tokens=10)
    assert all(97 <= chunk.tokens <= 100 for chunk in chunks[:-1])
    assert all(set(chunk.text.split()) <= set(text.split()) for chunk in chunks)
    shared = [a.end - b.start for a, b in itertools.pairwise(chunks)]
    assert all(0 < width < 40 for width in shared)


def test_sentences_ignore_headings_but_do_not_end_with_one(
    cut: Callable[..., list[Chunk]],
) -> None:
    """A passage reaches over headings; a heading goes with what it announces."""
    crossed = 0
    for sizes in itertools.product((3, 5, 8, 20), repeat=3):
        text = _sections(*sizes)
        chunks = cut(text, "sentences", target_tokens=50, max_tokens=60, overlap_tokens=0)
        crossed += any("\n\n## Part" in chunk.text for chunk in chunks)
        assert all(chunk.text.endswith(".") for chunk in chunks)
        assert {chunk.heading for chunk in chunks} <= {"", "Part 0", "Part 1", "Part 2"}
    assert crossed > 30


def test_meaning_keeps_alike_units_together(cut: Callable[..., list[Chunk]]) -> None:
    """The topic changes twice; both passages end there, though one longer would fit."""
    topics = ["Zinc fuzz zaps pizza. " * 9, "Mum hums mammoth hymns. " * 9, "Coal cola cocoa. " * 9]
    text = "".join(topics).strip()
    chunks = cut(text, "semantic", semantic={"unit_tokens": 1})
    assert [chunk.text for chunk in chunks] == [topic.strip() for topic in topics]


def test_the_best_cut_is_the_best_of_all() -> None:
    """Against every cut there is: similarity above the mean of all pairs, inside runs."""
    random = np.random.default_rng(3)
    for _ in range(40):
        vectors = random.normal(size=(7, 3))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        lengths = random.integers(1, 5, size=7).tolist()
        similar = vectors @ vectors.T
        mean = similar[np.triu_indices(7, 1)].mean()

        def worth(ends: list[int], similar: np.ndarray = similar, mean: float = mean) -> float:
            runs = itertools.pairwise([0, *ends])
            return sum(
                similar[a, b] - mean
                for first, last in runs
                for a, b in itertools.combinations(range(first, last), 2)
            )

        def fits(ends: list[int], lengths: list[int] = lengths) -> bool:
            return all(
                last - first == 1 or sum(lengths[first:last]) <= 9
                for first, last in itertools.pairwise([0, *ends])
            )

        cuts = [[*inner, 7] for n in range(7) for inner in itertools.combinations(range(1, 7), n)]
        best = max(worth(ends) for ends in cuts if fits(ends))
        found = best_cut(vectors, lengths, 9)
        assert fits(found)
        assert worth(found) == pytest.approx(best)


def test_a_remembered_cut_asks_no_encoder(
    cut: Callable[..., list[Chunk]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time the store answers; another text is embedded."""
    first = cut(_sections(30, 30), "semantic")

    def refuse(texts: list[str]) -> np.ndarray:
        raise AssertionError(f"{len(texts)} texts were embedded again")

    monkeypatch.setitem(globals(), "_letters", refuse)
    assert cut(_sections(30, 30), "semantic") == first
    with pytest.raises(AssertionError, match="embedded again"):
        cut(_sections(30, 31), "semantic")


def test_the_parent_is_the_largest_section_that_is_short_enough(
    cut: Callable[..., list[Chunk]],
) -> None:
    """First the whole text, then a section with what is below it, then its own text."""
    text = f"# Top\n\nIntro stands here.\n\n{_sections(12, 12)}\n\n### Deep\n\nCables. Plugs."
    sizes = {"target_tokens": 30, "max_tokens": 40, "table_tokens": 40, "overlap_tokens": 0}

    def parents(limit: int) -> list[str]:
        chunks = cut(text, "headings", parent_tokens=limit, **sizes)
        spans = dict.fromkeys((chunk.parent_start, chunk.parent_end) for chunk in chunks)
        return [text[start:end] for start, end in spans]

    part0, part1 = text.index("## Part 0"), text.index("## Part 1")
    assert parents(600) == [text]
    assert parents(90) == [
        "# Top\n\nIntro stands here.",
        text[part0 : part1 - 2],
        text[part1:],
    ]


def test_a_section_that_is_too_long_is_parted_among_parents(
    cut: Callable[..., list[Chunk]],
) -> None:
    """Consecutive passages share a parent, as many as fit; each parent is full."""
    chunks = cut(_sections(400), "headings", parent_tokens=600)
    families = [
        [chunk.tokens for chunk in family]
        for _, family in itertools.groupby(chunks, key=lambda chunk: chunk.parent_id)
    ]
    assert len(families) > 2
    assert all(len(family) == len(families[0]) > 1 for family in families[:-1])


CODE = """```yaml
# the house
site:
  title: Home
  meters:
    - name: grid
      power: 5
loadpoints:
  - title: Garage
    charger: wallbox
  - title: Carport
    charger: socket
```"""


def test_code_is_cut_between_statements() -> None:
    """At the least depth that fits; remarks lead in, brackets and fences close."""

    def words(limit: int) -> list[str]:
        def count(start: int, end: int) -> int:
            return len(CODE[start:end].split())

        spans = cut_code(CODE, 0, len(CODE), count=count, limit=limit)
        return [CODE[start:end] for start, end in spans]

    lines = CODE.split("\n")
    assert words(99) == ["\n".join(lines[:7]), "\n".join(lines[7:])]
    assert words(8) == [
        "```yaml",
        "# the house",
        "site:",
        "  title: Home",
        "\n".join(lines[4:7]),
        "loadpoints:",
        "\n".join(lines[8:10]),
        "\n".join(lines[10:]),
    ]


def test_what_opens_a_block_begins_its_passage(cut: Callable[..., list[Chunk]]) -> None:
    """However much stands before: remark, key and key below it go with what they hold."""
    for count in range(20, 80):
        rules = "\n".join(f"    rule_{n}: reject everything from {n}" for n in range(40))
        text = f"{_sections(count)}\n\n```yaml\n# The rules\nserver:\n  rules:\n{rules}\n```"
        chunks = cut(text, "headings", overlap_tokens=0)
        (at,) = [n for n, chunk in enumerate(chunks) if "  rules:" in chunk.text]
        assert "# The rules\nserver:\n  rules:\n    rule_0" in chunks[at].text


def test_a_chain_of_openers_is_parted_too(cut: Callable[..., list[Chunk]]) -> None:
    """Where every line opens a block, passages are full all the same."""
    chunks = cut("```\n" + "open {\n" * 2000 + "```", "headings")
    assert len(chunks) < 2000 * 2 / 200 * 1.5


def test_passages_of_long_code_begin_with_a_statement(cut: Callable[..., list[Chunk]]) -> None:
    """Twenty functions of nine lines each: no passage begins inside one."""
    body = "\n".join(f"    value = combine(value, {n})" for n in range(7))
    functions = [f"def step_{n}(value):\n{body}\n    return value" for n in range(20)]
    text = "Code:\n\n```python\n" + "\n\n".join(functions) + "\n```"
    chunks = cut(text, "headings")
    assert len(chunks) > 5
    assert all(chunk.text.startswith(("def step_", "Code:")) for chunk in chunks)


def test_the_report_counts_what_became_of_documents(cut: Callable[..., list[Chunk]]) -> None:
    """The end of the funnel; lengths by bands that begin where they say."""
    chunks = cut(_sections(30, 30, 400), "headings")
    document = document_of("held")
    report = build_report([document, replace(document, document_id="empty")], chunks)
    assert report["funnel"] == {
        "documents": 2,
        "documents_with_passages": 1,
        "passages": len(chunks),
    }
    assert report["passages_of_a_document"] == dict.fromkeys(
        ("fewest", "median", "most"), len(chunks)
    )
    assert report["parents"] == len({chunk.parent_id for chunk in chunks})
    assert report["tokens"]["longest"] == max(chunk.tokens for chunk in chunks)
    bands = {row["from"]: row["passages"] for row in report["tokens"]["bands"]}
    assert sum(bands.values()) == len(chunks)
    assert bands[200] == sum(200 <= chunk.tokens < 250 for chunk in chunks) > 0
    assert report["under_headings"] == len(chunks)
    edge = build_report([document], [replace(chunks[0], tokens=200)])
    assert {"from": 200, "passages": 1} in edge["tokens"]["bands"]

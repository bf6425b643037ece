"""Token recall and IoU of the chunking strategies on questions with exact evidence spans.

    python benchmarks/chunking.py DATA_DIR CACHE_DIR [STRATEGY | small | shipped …]

DATA_DIR is `../shared/data/chunking.tar.xz`, unpacked: five corpora of plain text, 472 questions.
Each strategy of `conf/chunk/` cuts all corpora, and questions search all of them, by the cosine of
the bundled encoder; vectors are kept in CACHE_DIR, some minutes each. `small` cuts passages of 80
tokens and returns their parents too; `shipped` is the default strategy under the hybrid retrieval
that answers. Of the five passages found, recall is the share of the evidence that they hold, IoU
the evidence held over all that was retrieved or missed, in characters, a mean over questions: the
definitions of Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval" (2024).
"""

import csv
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import yaml

from groundwork.answer import AnswerConfig, Retrieval
from groundwork.artifacts import replacing, sha256_bytes
from groundwork.chunk import ChunkConfig, Meaning, chunk_documents
from groundwork.config import check, compose
from groundwork.index import (
    Encoder,
    IndexConfig,
    build_index,
    documents_of,
    encoder_sha256,
    load_index,
    passage_text,
)
from groundwork.records import Chunk, Document

CONF_DIR = Path(__file__).resolve().parents[1] / "conf"
TOP_K = 5
SMALL = {"target_tokens": 80, "max_tokens": 100, "overlap_tokens": 0}
DEPTH = 40
"""Passages ranked, so that five different parents are among theirs."""
Ranking = list[Chunk]
Section = TypeVar("Section")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and where its evidence stands."""

    question: str
    corpus: str
    evidence: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A retrieved span of a corpus."""

    corpus: str
    start: int
    end: int


def recall_and_iou(asked: Asked, found: Sequence[Found]) -> tuple[float, float]:
    """Overlapping passages count as often as they are retrieved; evidence found counts once."""
    held: set[int] = set()
    wanted = [set(range(start, end)) for start, end in asked.evidence]
    for item in found:
        if item.corpus == asked.corpus:
            span = range(item.start, item.end)
            held.update(n for spans in wanted for n in spans if n in span)
    every = sum(len(spans) for spans in wanted)
    missed = len(set().union(*wanted) - held)
    retrieved = sum(item.end - item.start for item in found)
    return len(held) / every, len(held) / (retrieved + missed)


def read_data(folder: Path) -> tuple[list[Document], list[Asked]]:
    """Corpora as documents without a title, and the questions."""
    (table,) = folder.rglob("questions_df.csv")
    documents = [
        _document(path.stem, path.read_bytes().decode())
        for path in sorted((table.parent / "corpora").glob("*.md"))
    ]
    with table.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    texts = {document.document_id: document.text for document in documents}
    asked = [
        Asked(
            row["question"],
            row["corpus_id"],
            tuple((int(r["start_index"]), int(r["end_index"])) for r in references),
        )
        for row in rows
        for references in [json.loads(row["references"])]
    ]
    for row, item in zip(rows, asked, strict=True):
        for reference, (start, end) in zip(
            json.loads(row["references"]), item.evidence, strict=True
        ):
            assert texts[item.corpus][start:end] == reference["content"], item.question
    return documents, asked


def _document(name: str, text: str) -> Document:
    return Document(
        document_id=name,
        url=name,
        title="",
        text=text,
        language="en",
        date="",
        author="",
        category="",
        category_confidence=1.0,
        media="html",
        licence="",
        source=name,
        page_sha256="",
    )


def config_of(name: str) -> ChunkConfig:
    """The settings that ship with the repository; `small` differs from the default in lengths."""
    if name == "small":
        return replace(_conf("chunk", "headings", ChunkConfig), **SMALL)
    return _conf("chunk", "headings" if name == "shipped" else name, ChunkConfig)


def _conf(group: str, choice: str, section: type[Section]) -> Section:
    params = yaml.safe_load(compose(["~chosen", f"{group}={choice}"], CONF_DIR))
    return check(group, section, params[group], CONF_DIR / group / f"{choice}.yaml")


class Remembering(Encoder):
    """An encoder that keeps the vectors of every batch in a folder."""

    cache_dir: Path

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """As the bundled encoder, once."""
        key = sha256_bytes(json.dumps([encoder_sha256(), *texts]).encode())
        path = self.cache_dir / f"{key}.npy"
        if path.exists():
            return np.asarray(np.load(path, allow_pickle=False))
        vectors_BD = super().encode(texts)
        with replacing(path) as temporary_path, temporary_path.open("wb") as file:
            np.save(file, vectors_BD, allow_pickle=False)
        return vectors_BD


def by_cosine(chunks: Sequence[Chunk], encoder: Encoder, asked: Sequence[Asked]) -> list[Ranking]:
    """All passages, nearest first, for each question: what a plain vector store returns."""
    texts = [passage_text(chunk) for chunk in chunks]
    vectors_ND = np.concatenate([encoder.encode(texts[part]) for part in documents_of(chunks)])
    questions_QD = encoder.encode([item.question for item in asked])
    order_QN = np.argsort(-questions_QD @ vectors_ND.T, axis=1, kind="stable")
    return [[chunks[n] for n in order_N[:DEPTH]] for order_N in order_QN]


def as_shipped(
    chunks: Sequence[Chunk], encoder: Encoder, asked: Sequence[Asked], cache_dir: Path
) -> list[Ranking]:
    """What the retrieval of `conf/answer/default.yaml` returns: cosine, best sentence, BM25."""
    key = sha256_bytes(json.dumps([[c.document_id, c.heading, c.text] for c in chunks]).encode())
    folder = cache_dir / key[:16]
    if not (folder / "manifest.json").exists():
        config = _conf("index", "default", IndexConfig)
        build_index(chunks, config=config, encoder=encoder, folder=folder)
    config = _conf("answer", "default", AnswerConfig).retrieval
    retrieval = Retrieval(load_index(folder, encoder), encoder, config)
    own = {chunk.passage_id: chunk for chunk in chunks}
    return [
        [own[found.chunk.passage_id] for found in retrieval.retrieve(item.question, top_k=DEPTH)]
        for item in asked
    ]


def measured(asked: Sequence[Asked], rankings: Sequence[Ranking], *, parents: bool) -> str:
    """Recall and IoU in words, recall by corpus too."""
    scores = [
        (item.corpus, *recall_and_iou(item, _first(ranking, parents=parents)))
        for item, ranking in zip(asked, rankings, strict=True)
    ]
    corpora = {
        corpus: statistics.mean(recall for name, recall, _ in scores if name == corpus)
        for corpus in sorted({item.corpus for item in asked})
    }
    named = ", ".join(f"{corpus} {recall:.3f}" for corpus, recall in corpora.items())
    recall, iou = (statistics.mean(score[n] for score in scores) for n in (1, 2))
    return f"recall {recall:.3f}, IoU {iou:.4f} ({named})"


def _first(ranking: Ranking, *, parents: bool) -> list[Found]:
    """The first `TOP_K` passages, or the first parents of passages."""
    found: dict[Found, None] = {}
    for chunk in ranking:
        span = (chunk.parent_start, chunk.parent_end) if parents else (chunk.start, chunk.end)
        found.setdefault(Found(chunk.document_id, *span))
    return list(found)[:TOP_K]


def main() -> None:
    """Print for each strategy its passages, their length, recall and IoU at five."""
    data_dir, cache_dir = map(Path, sys.argv[1:3])
    documents, asked = read_data(data_dir)
    encoder = Remembering.load()
    encoder.cache_dir = cache_dir
    print(f"{len(asked)} questions, {len(documents)} corpora; recall and IoU at {TOP_K}")
    for name in sys.argv[3:] or ["headings", "sentences", "semantic", "tokens", "small", "shipped"]:
        config = config_of(name)
        meaning = Meaning(encoder.encode, encoder_sha256()) if config.semantic else None
        chunks = chunk_documents(documents, config=config, meaning=meaning)
        length = statistics.mean(chunk.tokens for chunk in chunks)
        if name == "shipped":
            rankings = as_shipped(chunks, encoder, asked, cache_dir)
        else:
            rankings = by_cosine(chunks, encoder, asked)
        found = measured(asked, rankings, parents=False)
        print(f"{name}: {len(chunks)} passages of {length:.0f} tokens, {found}", flush=True)
        if name == "small":
            print(f"{name}, parents: {measured(asked, rankings, parents=True)}", flush=True)


if __name__ == "__main__":
    main()

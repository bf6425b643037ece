"""Passages of a document: what one retrieval returns and one citation names.

In: documents. Out: chunks, each a span of its document's text. A section (the text under a heading)
is a passage; small neighbours are joined, long sections are cut between sentences, list items,
table rows and lines of code.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from groundwork.artifacts import short_id
from groundwork.chunk.blocks import BlockKind
from groundwork.chunk.config import ChunkConfig
from groundwork.chunk.pieces import Piece, section_pieces
from groundwork.chunk.sections import Section, join_sections, split_sections
from groundwork.chunk.tokens import TokenIndex
from groundwork.records import Chunk, Document

_WORD = re.compile(r"[^\W_]")


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    heading: str


def chunk_documents(documents: Sequence[Document], *, config: ChunkConfig) -> list[Chunk]:
    """Passages of `documents`, in their order and by offset.

    `document.text[chunk.start:chunk.end] == chunk.text` holds. A passage that starts in the midst
    of a table names the table's head after its headings.
    """
    chunks = []
    for document in tqdm(documents, desc="chunk", unit="doc"):
        chunks.extend(_chunk_document(document, config))
    return chunks


def _chunk_document(document: Document, config: ChunkConfig) -> list[Chunk]:
    tokens = TokenIndex(document.text)
    sections = split_sections(document.text, title=document.title)
    spans = [
        span
        for group in join_sections(sections, tokens=tokens, config=config)
        for span in _split_group(document.text, group, tokens=tokens, config=config)
    ]
    return [
        _to_chunk(document, span, tokens)
        for span in spans
        if _WORD.search(document.text, span.start, span.end)
    ]


def _to_chunk(document: Document, span: _Span, tokens: TokenIndex) -> Chunk:
    text = document.text[span.start : span.end]
    return Chunk(
        passage_id=short_id(document.document_id, span.start, text),
        document_id=document.document_id,
        url=document.url,
        title=document.title,
        heading=span.heading,
        text=text,
        start=span.start,
        end=span.end,
        tokens=tokens.count(span.start, span.end),
        category=document.category,
        licence=document.licence,
    )


def _split_group(
    text: str, group: Section, *, tokens: TokenIndex, config: ChunkConfig
) -> list[_Span]:
    if tokens.count(group.start, group.end) <= config.max_tokens:
        return [_Span(group.start, group.end, " > ".join(group.path))]
    pieces = section_pieces(text, group, tokens=tokens, config=config)
    spans = []
    for packed in _pack(pieces, config):
        path = (*group.path, packed[0].table_head) if packed[0].table_head else group.path
        spans.append(_Span(packed[0].start, packed[-1].end, " > ".join(path)))
    return spans


def _pack(pieces: Sequence[Piece], config: ChunkConfig) -> list[list[Piece]]:
    """Consecutive runs of about equal length, each beginning with the overlap of the last."""
    total = sum(piece.tokens for piece in pieces)
    goal = total / -(-total // config.target_tokens)
    runs: list[list[Piece]] = []
    run: list[Piece] = []
    repeated = 0
    for piece in pieces:
        length = _length(run)
        if run and (length + piece.tokens > config.max_tokens or length - repeated >= goal):
            done, carried = _part_lead_in(run, piece, config)
            runs.append(done)
            head = _overlap(done, config.overlap_tokens)
            if _length([*head, *carried, piece]) > config.max_tokens:
                head = []
            run, repeated = [*head, *carried], _length(head)
        run.append(piece)
    return [*runs, run]


def _length(pieces: Sequence[Piece]) -> int:
    return sum(piece.tokens for piece in pieces)


def _part_lead_in(
    run: list[Piece], following: Piece, config: ChunkConfig
) -> tuple[list[Piece], list[Piece]]:
    """Part from `run` its last sentence when that announces `following` and fits beside it."""
    last = run[-1]
    if len(run) > 1 and last.announces and _length([last, following]) <= config.max_tokens:
        return run[:-1], [last]
    return run, []


def _overlap(run: Sequence[Piece], limit: int) -> list[Piece]:
    """The last sentences of `run` that fit into `limit` tokens; rows and code are not repeated."""
    taken: list[Piece] = []
    for piece in reversed(run[1:]):
        prose = piece.kind in (BlockKind.PARAGRAPH, BlockKind.ITEM)
        if not prose or _length(taken) + piece.tokens > limit:
            break
        taken.insert(0, piece)
    return taken

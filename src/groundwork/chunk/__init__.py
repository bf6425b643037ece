"""Heading-aware passages with their offsets, and the sentences inside them."""

from groundwork.chunk.config import ChunkConfig
from groundwork.chunk.meaning import Meaning
from groundwork.chunk.passages import chunk_documents, semantic_meaning
from groundwork.chunk.report import build_report
from groundwork.chunk.sentences import split_sentences
from groundwork.chunk.tokens import count_tokens

__all__ = [
    "ChunkConfig",
    "Meaning",
    "build_report",
    "chunk_documents",
    "count_tokens",
    "semantic_meaning",
    "split_sentences",
]

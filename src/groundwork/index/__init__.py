"""Embeddings, FAISS and BM25 behind a LangChain vector store."""

from groundwork.index.build import (
    Index,
    Sentence,
    build_index,
    documents_of,
    load_index,
    passage_text,
)
from groundwork.index.config import IndexConfig
from groundwork.index.encoder import DIMENSION, TOKEN_SCALE, Encoder, encoder_dir, encoder_sha256
from groundwork.index.lexical import Lexicon, term_spans, terms
from groundwork.index.memory import RememberingEncoder
from groundwork.index.store import EncoderEmbeddings, PassageStore

__all__ = [
    "DIMENSION",
    "TOKEN_SCALE",
    "Encoder",
    "EncoderEmbeddings",
    "Index",
    "IndexConfig",
    "Lexicon",
    "PassageStore",
    "RememberingEncoder",
    "Sentence",
    "build_index",
    "documents_of",
    "encoder_dir",
    "encoder_sha256",
    "load_index",
    "passage_text",
    "term_spans",
    "terms",
]

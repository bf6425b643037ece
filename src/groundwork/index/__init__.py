"""Embeddings, FAISS and BM25 behind a LangChain vector store."""

from groundwork.index.build import Index, Sentence, build_index, load_index, passage_text
from groundwork.index.config import IndexConfig
from groundwork.index.encoder import TOKEN_SCALE, Encoder, encoder_dir, encoder_sha256
from groundwork.index.lexical import Lexicon, term_spans, terms
from groundwork.index.store import EncoderEmbeddings, PassageStore

__all__ = [
    "TOKEN_SCALE",
    "Encoder",
    "EncoderEmbeddings",
    "Index",
    "IndexConfig",
    "Lexicon",
    "PassageStore",
    "Sentence",
    "build_index",
    "encoder_dir",
    "encoder_sha256",
    "load_index",
    "passage_text",
    "term_spans",
    "terms",
]

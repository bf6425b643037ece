"""Embeddings, FAISS and BM25 behind a LangChain vector store."""

from groundwork.index.build import Index, Sentence, build_index, load_index, passage_text
from groundwork.index.config import IndexConfig
from groundwork.index.encoder import Encoder, encoder_dir, encoder_sha256
from groundwork.index.lexical import Lexicon, terms
from groundwork.index.store import EncoderEmbeddings, PassageStore

__all__ = [
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
    "terms",
]

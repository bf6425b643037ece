"""Embeddings, FAISS and BM25 behind a LangChain vector store."""

from groundwork.index.build import (
    Index,
    Sentence,
    build_index,
    documents_of,
    embed_passages,
    load_index,
    passage_text,
)
from groundwork.index.config import IndexConfig
from groundwork.index.encoder import (
    DIMENSION,
    MAX_TOKENS,
    TOKEN_SCALE,
    Encoder,
    encoder_dir,
    encoder_sha256,
    retriever_sha256,
)
from groundwork.index.lexical import Lexicon, term_spans, terms
from groundwork.index.lora import ADAPTER, ADAPTER_CONFIG, ADAPTER_FILES, Lora, adapter_sha256
from groundwork.index.memory import RememberingEncoder
from groundwork.index.store import EncoderEmbeddings, PassageStore

__all__ = [
    "ADAPTER",
    "ADAPTER_CONFIG",
    "ADAPTER_FILES",
    "DIMENSION",
    "MAX_TOKENS",
    "TOKEN_SCALE",
    "Encoder",
    "EncoderEmbeddings",
    "Index",
    "IndexConfig",
    "Lexicon",
    "Lora",
    "PassageStore",
    "RememberingEncoder",
    "Sentence",
    "adapter_sha256",
    "build_index",
    "documents_of",
    "embed_passages",
    "encoder_dir",
    "encoder_sha256",
    "load_index",
    "passage_text",
    "retriever_sha256",
    "term_spans",
    "terms",
]

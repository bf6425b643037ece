"""Embeddings, FAISS and BM25. LangChain's vector store over them is `groundwork.index.store`, which
nothing here imports: LangChain takes longer to import than a stage whose work is remembered."""

from groundwork.index.build import Sentence, build_index, embed_passages
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
from groundwork.index.opening import Index, load_index
from groundwork.index.texts import documents_of, passage_text

__all__ = [
    "ADAPTER",
    "ADAPTER_CONFIG",
    "ADAPTER_FILES",
    "DIMENSION",
    "MAX_TOKENS",
    "TOKEN_SCALE",
    "Encoder",
    "Index",
    "IndexConfig",
    "Lexicon",
    "Lora",
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

"""Embeddings, FAISS and BM25. LangChain's vector store over them is `groundwork.index.store`, which
nothing here imports: LangChain takes longer to import than a stage whose work is remembered."""

from groundwork.index.build import Sentence, build_index
from groundwork.index.config import IndexConfig
from groundwork.index.encoder import DIMENSION, TOKEN_SCALE, Encoder, encoder_dir, encoder_sha256
from groundwork.index.lexical import Lexicon, term_spans, terms
from groundwork.index.memory import RememberingEncoder
from groundwork.index.opening import Index, load_index
from groundwork.index.texts import documents_of, passage_text

__all__ = [
    "DIMENSION",
    "TOKEN_SCALE",
    "Encoder",
    "Index",
    "IndexConfig",
    "Lexicon",
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

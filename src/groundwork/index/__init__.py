"""Embeddings, FAISS and BM25 behind a LangChain vector store."""

from groundwork.index.encoder import Encoder, encoder_sha256
__all__ = ["Encoder", "encoder_sha256"]

"""Section `index` of the configuration."""

from groundwork.config import PositiveFloat, Ratio, Text, schema


@schema
class IndexConfig:
    """How passages are indexed."""

    faiss: Text
    """FAISS factory string: `Flat` (exact), `HNSW32,Flat` or `IVF256,PQ48` for large corpora."""
    bm25_k1: PositiveFloat
    """Saturation of term frequency; 1.2 to 2 is usual."""
    bm25_b: Ratio
    """Length normalisation between 0 and 1."""

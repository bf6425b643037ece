"""Settings of stage `chunk`."""

from typing import Annotated

from pydantic import Field

from groundwork.config import Count, schema


@schema
class ChunkConfig:
    """How long passages are; lengths are in tokens of the embedding model."""

    target_tokens: Annotated[int, Field(ge=16, le=254)]
    """Length that the passages of a long section come close to."""
    max_tokens: Annotated[int, Field(ge=16, le=254)]
    """No passage is longer, whole tables excepted; the model reads 256 with its two markers."""
    table_tokens: Annotated[int, Field(ge=16, le=254)]
    """Tables up to this length stay whole; longer ones are cut between rows."""
    overlap_tokens: Count
    """Sentences at the end of a passage that the next one repeats; 0 repeats none."""
    small_tokens: Count
    """A section shorter than this joins its neighbour under the same second-level heading."""
    tiny_tokens: Count
    """A section shorter than this joins its neighbour under whatever heading."""

    def __post_init__(self) -> None:
        if self.target_tokens > self.max_tokens:
            raise ValueError(
                f"expected target_tokens ({self.target_tokens}) of at most max_tokens "
                f"({self.max_tokens})"
            )
        if self.overlap_tokens * 2 > self.target_tokens:
            raise ValueError(
                f"expected overlap_tokens ({self.overlap_tokens}) of at most half of "
                f"target_tokens ({self.target_tokens})"
            )

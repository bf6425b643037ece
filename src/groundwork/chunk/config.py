"""Settings of stage `chunk`."""

from typing import Annotated, Literal

from pydantic import Field

from groundwork.config import Count, schema


@schema
class HeadingsConfig:
    """Which sections are too small for a passage of their own."""

    small_tokens: Count
    """A section shorter than this joins its neighbour under the same second-level heading."""
    tiny_tokens: Count
    """A section shorter than this joins its neighbour under whatever heading."""


@schema
class SemanticConfig:
    """What is compared by meaning."""

    unit_tokens: Annotated[int, Field(ge=1, le=254)]
    """Sentences are gathered up to this length, then embedded; passages consist of such units."""


@schema
class ChunkConfig:
    """How documents are cut; lengths are in tokens of the embedding model."""

    strategy: Literal["headings", "sentences", "semantic", "tokens"]
    """`headings`: sections, long ones cut between sentences, rows and lines of code. `sentences`:
    whole sentences, whatever heading they stand under. `semantic`: units that are alike.
    `tokens`: windows of equal length, whatever they cut."""
    target_tokens: Annotated[int, Field(ge=16, le=254)]
    """Length that the passages of a long text come close to; `semantic` exceeds it nowhere."""
    max_tokens: Annotated[int, Field(ge=16, le=254)]
    """No passage is longer, whole tables excepted; the model reads 256 with its two markers."""
    table_tokens: Annotated[int, Field(ge=16, le=254)]
    """Tables up to this length stay whole, longer ones are cut between rows; `tokens` knows none.
    """
    overlap_tokens: Count
    """End of a passage that the next one repeats, in sentences (`tokens`: in words); 0 repeats
    none. `semantic` repeats nothing."""
    parent_tokens: Annotated[int, Field(ge=16)]
    """A passage's parent is the largest section around it that is no longer."""
    headings: HeadingsConfig | None
    """Given for strategy `headings` alone."""
    semantic: SemanticConfig | None
    """Given for strategy `semantic` alone."""

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
        if self.parent_tokens < max(self.max_tokens, self.table_tokens):
            raise ValueError(
                f"expected parent_tokens ({self.parent_tokens}) of at least max_tokens "
                f"({self.max_tokens}) and table_tokens ({self.table_tokens})"
            )
        for name, given in (("headings", self.headings), ("semantic", self.semantic)):
            if (self.strategy == name) != (given is not None):
                expected = "settings" if self.strategy == name else "null"
                raise ValueError(f"expected {expected} under {name} with strategy={self.strategy}")

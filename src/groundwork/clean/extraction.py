"""What is read from one page, whatever its format."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extraction:
    """The content of a page before anything is compared with other pages.

    All fields are plain, so that `asdict` and JSON keep them.
    """

    title: str
    headed: bool
    """Whether the title is the first-level heading of the content itself."""
    text: str
    """Markdown."""
    author: str
    date: str
    canonical: str
    """Address that the page names as canonical, as written; empty when it names none."""
    declared_language: str
    """ISO 639-1 of the page's own declaration; may be wrong or empty."""
    link_share: float
    """Characters of the page's main region that stand in links; 0 when it marks none."""
    masked: dict[str, int]
    """Number of masks by kind of personal data; a reader masks nothing and leaves it empty."""
    media: str

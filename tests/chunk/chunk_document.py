"""A document of a text, for the tests of `chunk`."""

from groundwork.records import Document


def document_of(text: str, *, name: str = "Charging") -> Document:
    """A document titled `name`; all else is the same for every text."""
    return Document(
        document_id=name.lower(),
        url=f"https://site.example/{name.lower()}/",
        title=name,
        text=text,
        language="en",
        date="",
        author="",
        category="general",
        category_confidence=1.0,
        media="html",
        licence="CC-BY-4.0",
        source="site",
        page_sha256="0" * 64,
    )

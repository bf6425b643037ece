"""Documents for the tests of `chunk`."""

from collections.abc import Callable

import pytest

from groundwork.records import Document


@pytest.fixture
def make_document() -> Callable[[str], Document]:
    """A document of a text, titled "Charging"."""

    def make(text: str) -> Document:
        return Document(
            document_id="d" * 16,
            url="https://site.example/a/",
            title="Charging",
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

    return make

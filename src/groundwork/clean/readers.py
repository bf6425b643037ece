"""Which reader makes an extraction of a page, by its media type; `pages` knows HTML and PDF.

All readers take a page and the settings, and raise `PageRefusedError` for what they cannot read.
"""

from collections.abc import Callable

from groundwork.clean.asciidoc import extract_asciidoc
from groundwork.clean.config import ExtractConfig
from groundwork.clean.docx import extract_docx
from groundwork.clean.extraction import Extraction
from groundwork.clean.markdown import extract_markdown
from groundwork.clean.plain import extract_text
from groundwork.clean.record import extract_record
from groundwork.records import Page

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
BY_TYPE: dict[str, Callable[[Page, ExtractConfig], Extraction]] = {
    "text/markdown": extract_markdown,
    "text/asciidoc": extract_asciidoc,
    "text/plain": extract_text,
    DOCX: extract_docx,
    "application/json": extract_record,
}
PACKAGES = ("mammoth", "markdown-it-py", "pyyaml")
"""Packages whose version decides what these readers return."""

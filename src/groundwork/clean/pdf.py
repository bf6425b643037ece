"""PDF documents: text as Markdown, title and author from the metadata.

In: the body of a page. Out: an extraction. Tagged PDFs (those of browsers and office programs) say
what is a heading or a table; of others the layout is read. Images are not read: a scan is refused.
"""

import re
from typing import Any

from groundwork.clean.blocks import Kind, TextBlock, one_line, to_markdown
from groundwork.clean.config import ExtractConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.pdf_layout import read_layout
from groundwork.clean.pdf_letters import join_lines, read_letters, vocabulary
from groundwork.clean.pdf_streams import check_streams
from groundwork.clean.pdf_tagged import read_tagged
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.records import Page

MIN_TAGGED_SHARE = 0.8
"""Tags that cover less of the text than this were not made with care: the layout is read."""
MAX_TITLE_CHARS = 150
_FILE_NAME = re.compile(
    r"(?:microsoft word\s*-.*|untitled.*|.*\.(?:docx?|pdf|indd|tex|odt|rtf|html?))", re.I
)
_DATE = re.compile(r"D:(\d{4})(\d\d)(\d\d)")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")


def extract_pdf(page: Page, config: ExtractConfig) -> Extraction:
    """Read a PDF. Raises: `PageRefusedError`."""
    check_streams(page.body, config)
    document = _open(page.body)
    try:
        if len(document) > config.max_pdf_pages:
            raise PageRefusedError(
                Reason.TOO_MANY_PAGES,
                f"{len(document)} pages; expected at most {config.max_pdf_pages}",
            )
        blocks = _read_pages(document, config)
        metadata = document.get_metadata_dict()
    finally:
        document.close()
    title = _title(metadata.get("Title", ""), blocks)
    created = _DATE.match(metadata.get("CreationDate", ""))
    return Extraction(
        title=title,
        headed=True,
        text=to_markdown(blocks),
        author=one_line(metadata.get("Author", "")),
        date="-".join(created.groups()) if created else "",
        canonical="",
        declared_language="",
        link_share=0.0,
        masked={},
        media="pdf",
    )


def _open(body: bytes) -> Any:
    import pypdfium2 as pdfium
    import pypdfium2.raw as raw

    try:
        return pdfium.PdfDocument(body)
    except pdfium.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise PageRefusedError(
                Reason.ENCRYPTED_PDF, "it asks for a password; expected an open document"
            ) from error
        raise PageRefusedError(Reason.DAMAGED_PDF, f"it cannot be opened ({error})") from error


def _read_pages(document: Any, config: ExtractConfig) -> list[TextBlock]:
    letters = [read_letters(page) for page in document]
    chars = sum(not letter.text.isspace() for page in letters for letter in page)
    if not letters or chars < config.min_pdf_page_chars * len(letters):
        raise PageRefusedError(
            Reason.SCANNED_PDF,
            f"{chars} characters on {len(letters)} pages; expected at least "
            f"{config.min_pdf_page_chars} a page (images are not read)",
        )
    words = vocabulary(letter for page in letters for letter in page)
    blocks = [
        read_tagged(page, found, words) for page, found in zip(document, letters, strict=True)
    ]
    covered = sum(_size(block) for page in blocks for block in page)
    if covered < MIN_TAGGED_SHARE * chars:
        blocks = read_layout(letters, words)
    return _join_pages(blocks, words)


def _size(block: TextBlock) -> int:
    texts = [block.text, *(cell for row in block.rows for cell in row)]
    return sum(len("".join(text.split())) for text in texts)


def _join_pages(pages: list[list[TextBlock]], words: frozenset[str]) -> list[TextBlock]:
    """All blocks in order; a paragraph or table that runs over a page break is one again."""
    joined: list[TextBlock] = []
    for blocks in pages:
        rest = blocks
        if joined and blocks and (whole := _continued(joined[-1], blocks[0], words)):
            joined[-1] = whole
            rest = blocks[1:]
        joined.extend(rest)
    return joined


def _continued(left: TextBlock, right: TextBlock, words: frozenset[str]) -> TextBlock | None:
    if left.kind is Kind.TABLE and right.kind is Kind.TABLE:
        if len(left.rows[0]) != len(right.rows[0]):
            return None
        repeats = right.rows[0] == left.rows[0] or not any(right.rows[0])
        return TextBlock(Kind.TABLE, rows=left.rows + right.rows[1 if repeats else 0 :])
    prose = (Kind.PARAGRAPH, Kind.ITEM)
    if left.kind in prose and right.kind is Kind.PARAGRAPH:
        begins_small = one_line(right.text)[:1].islower()
        if begins_small and not _SENTENCE_END.search(one_line(left.text)):
            text = join_lines([left.text, right.text], words)
            return TextBlock(left.kind, text=text, level=left.level, number=left.number)
    return None


def _title(metadata_title: str, blocks: list[TextBlock]) -> str:
    """Of the metadata unless that is a file's name; else the first heading or short line."""
    title = one_line(metadata_title)
    if title and not _FILE_NAME.fullmatch(title):
        return title
    headings = [one_line(block.text) for block in blocks if block.kind is Kind.HEADING]
    lines = [one_line(block.text) for block in blocks[:1] if block.kind is Kind.PARAGRAPH]
    found = [line for line in [*headings, *lines] if 0 < len(line) <= MAX_TITLE_CHARS]
    return found[0] if found else ""

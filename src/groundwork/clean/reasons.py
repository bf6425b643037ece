"""Why a page is no document."""

from enum import StrEnum

from groundwork.errors import InputError


class Reason(StrEnum):
    """Each says what was found in the page; `rejects.jsonl` adds the particulars."""

    EMPTY_BODY = "empty_body"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_TYPE = "unsupported_type"
    NOT_HTML = "not_html"
    NOT_TEXT = "not_text"
    MARKUP_TOO_DEEP = "markup_too_deep"
    TOO_MANY_TAGS = "too_many_tags"
    EXTRACTION_FAILED = "extraction_failed"
    NOINDEX = "noindex"
    NO_CONTENT = "no_content"
    NO_TITLE = "no_title"
    ENCRYPTED_PDF = "encrypted_pdf"
    DAMAGED_PDF = "damaged_pdf"
    SCANNED_PDF = "scanned_pdf"
    ENCRYPTED_DOCX = "encrypted_docx"
    DAMAGED_DOCX = "damaged_docx"
    DAMAGED_RECORD = "damaged_record"
    TOO_MANY_PAGES = "too_many_pages"
    SOFT_404 = "soft_404"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LINK_LIST = "link_list"
    FEW_LETTERS = "few_letters"
    REPEATED_LINES = "repeated_lines"
    WRONG_LANGUAGE = "wrong_language"
    EXACT_DUPLICATE = "exact_duplicate"
    NEAR_DUPLICATE = "near_duplicate"


class PageRefusedError(InputError):
    """A page cannot become a document; caught where pages are counted, never by a stage."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

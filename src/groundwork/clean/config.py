"""Settings of stage `clean`."""

from enum import StrEnum

from groundwork.config import Count, PositiveFloat, PositiveInt, Ratio, schema


@schema
class ExtractConfig:
    """Limits of reading one page; a change extracts every page again."""

    max_body_bytes: PositiveInt
    """Larger bodies are rejected unread."""
    max_depth: PositiveInt
    """Nested elements; deeper markup is rejected before any parser sees it."""
    max_tags: PositiveInt
    """Opening tags in a page."""
    max_text_chars: PositiveInt
    """Characters that a page shows or a document of another format holds."""
    max_pdf_pages: PositiveInt
    min_pdf_page_chars: PositiveInt
    """A PDF with fewer characters on an average page is a scan."""
    honour_noindex: bool
    """Whether pages that ask search engines to leave them out are rejected."""


class PersonalKind(StrEnum):
    """Kinds of personal data that are recognised."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    CREDENTIALS = "credentials"
    """User and password in the address of a server."""
    IP = "ip"
    URL = "url"
    SSN = "ssn"
    """Social Security number (United States)."""
    POSTAL_CODE = "postal_code"
    """Of any country but the United Kingdom."""
    POSTCODE = "postcode"
    """Of the United Kingdom, as the four below."""
    NATIONAL_INSURANCE = "national_insurance"
    NHS_NUMBER = "nhs_number"
    VEHICLE = "vehicle"
    BANK_ACCOUNT = "bank_account"
    """Sort code with account number."""


@schema
class PersonalDataConfig:
    """What is masked; a change extracts every page again."""

    masked_kinds: list[PersonalKind]
    """Others are left as they are."""
    phone_regions: list[str]
    """ISO 3166 codes whose national phone numbers are masked; `+…` numbers always are."""


@schema
class ForeignConfig:
    """When a block is left out because its language is none of `domain.languages`."""

    min_words: Count
    """Shorter blocks stay; 0 keeps every page whole, from 8 on it has an effect."""
    min_probability: Ratio
    """That the block is in the language that it seems to be in."""


@schema
class QualityConfig:
    """What a document must be like."""

    min_words: PositiveInt
    max_chars: PositiveInt
    max_link_share: Ratio
    """Share of the characters of the main region that stand in links."""
    min_letter_share: Ratio
    """Letters among the characters that are not blank."""
    max_repeated_share: Ratio
    """Share of characters in lines of prose that repeat an earlier line."""
    soft_404_words: Count
    """A page that is titled "Not found" and has fewer words is an error page."""


@schema
class RepeatedConfig:
    """When a block of text is boilerplate of its site."""

    min_pages: PositiveInt
    """On which it stands; copies of a page count once."""
    min_share: Ratio
    """Of the pages of its host."""


@schema
class DuplicatesConfig:
    """When two pages are one."""

    shingle_words: PositiveInt
    """Words in a row that are compared as one unit."""
    min_similarity: Ratio
    """Common shingles over those of the shorter text of two near-duplicates."""
    min_covered: Ratio
    """Of a page's own shingles those in a page that is kept; with fewer it is kept, too."""


@schema
class CategoryConfig:
    """How a document gets its category from the descriptions of the domain's categories."""

    window_chars: PositiveInt
    """Length of the parts in which a document is read, each with its title."""
    max_windows: PositiveInt
    """Parts that are read from the beginning of a document."""
    temperature: PositiveFloat
    """Of the softmax over cosine similarities that gives the confidence; lower is surer."""


@schema
class CleanConfig:
    """How pages become documents."""

    extract: ExtractConfig
    personal_data: PersonalDataConfig
    repeated: RepeatedConfig
    foreign: ForeignConfig
    quality: QualityConfig
    duplicates: DuplicatesConfig
    category: CategoryConfig
    max_reject_ratio: Ratio
    """The stage fails when a larger share of the pages is rejected."""

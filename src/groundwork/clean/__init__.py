"""Pages become clean documents, each page a document or a reject with its reason."""

from groundwork.clean.category import Categorise, MeaningCategoriser, categories_of_urls
from groundwork.clean.config import CleanConfig
from groundwork.clean.datacard import render_card
from groundwork.clean.pages import CleanResult, clean_pages
from groundwork.clean.personal_data import mask_personal_data
from groundwork.clean.reasons import Reason
from groundwork.clean.report_page import render_page

__all__ = [
    "Categorise",
    "CleanConfig",
    "CleanResult",
    "MeaningCategoriser",
    "Reason",
    "categories_of_urls",
    "clean_pages",
    "mask_personal_data",
    "render_card",
    "render_page",
]

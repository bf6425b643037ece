"""Question-answer pairs from passages, and the reader of golden sets."""

from groundwork.qa.config import QaConfig, RulesConfig, SplitConfig, TeacherConfig, ValidateConfig
from groundwork.qa.exports import ExportFormat, export_pairs
from groundwork.qa.generate import QaResult, generate_pairs
from groundwork.qa.golden import golden_of, labelled_of, page_url, read_golden
from groundwork.qa.lead import as_people_ask
from groundwork.qa.pairs import Kind
from groundwork.qa.reasons import Reason
from groundwork.qa.report_page import render_report

__all__ = [
    "ExportFormat",
    "Kind",
    "QaConfig",
    "QaResult",
    "Reason",
    "RulesConfig",
    "SplitConfig",
    "TeacherConfig",
    "ValidateConfig",
    "as_people_ask",
    "export_pairs",
    "generate_pairs",
    "golden_of",
    "labelled_of",
    "page_url",
    "read_golden",
    "render_report",
]

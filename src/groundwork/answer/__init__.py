"""Retrieval at question time, answerers, prompt, guards: shared by evaluation and service."""

from groundwork.answer.assistant import Assistant, ReleaseInfo, Verdict, judge
from groundwork.answer.calibration import Calibration, Example, fit_calibration
from groundwork.answer.config import AnswerConfig, EndpointConfig, GenerativeConfig
from groundwork.answer.draft import Answerer, Draft, Support
from groundwork.answer.fit import fit_ranker, weight_of, without_evidence
from groundwork.answer.open import make_answerer
from groundwork.answer.prior import Prior, read_prior
from groundwork.answer.retrieval import HybridRetriever, Retrieval
from groundwork.answer.signals import all_signals

__all__ = [
    "AnswerConfig",
    "Answerer",
    "Assistant",
    "Calibration",
    "Draft",
    "EndpointConfig",
    "Example",
    "GenerativeConfig",
    "HybridRetriever",
    "Prior",
    "ReleaseInfo",
    "Retrieval",
    "Support",
    "Verdict",
    "all_signals",
    "fit_calibration",
    "fit_ranker",
    "judge",
    "make_answerer",
    "read_prior",
    "weight_of",
    "without_evidence",
]

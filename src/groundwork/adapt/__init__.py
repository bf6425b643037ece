"""Retriever adaptation: QLoRA of the encoder on the domain's questions and passages."""

from groundwork.adapt.asked import compare_on
from groundwork.adapt.config import AdaptConfig, AdapterSection
from groundwork.adapt.decision import (
    Decision,
    Outcome,
    compare_searches,
    decide,
    rank_figures,
    switched_off,
    too_few,
)
from groundwork.adapt.looks import keeper
from groundwork.adapt.pairs import Pair, Reason, Watched, answered, make_pairs, watch
from groundwork.adapt.relevance import relevant_passages, search_figures
from groundwork.adapt.trainer import Plan, encoder_arguments, has_bf16, load_quantised
from groundwork.adapt.tuning import Adapted, adapt_encoder, save_encoder_adapter

__all__ = [
    "AdaptConfig",
    "Adapted",
    "AdapterSection",
    "Decision",
    "Outcome",
    "Pair",
    "Plan",
    "Reason",
    "Watched",
    "adapt_encoder",
    "answered",
    "compare_on",
    "compare_searches",
    "decide",
    "encoder_arguments",
    "has_bf16",
    "keeper",
    "load_quantised",
    "make_pairs",
    "rank_figures",
    "relevant_passages",
    "save_encoder_adapter",
    "search_figures",
    "switched_off",
    "too_few",
    "watch",
]

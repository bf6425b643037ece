"""How the report calls the figures, and in which order."""

LABELS = {
    "score": ("Score", "right answers and right refusals"),
    "fact_coverage": ("Fact coverage", "every fact that a right answer must state"),
    "token_f1": ("Token F1", "words shared with the reference"),
    "exact_match": ("Exact match", ""),
    "rouge_1": ("ROUGE-1", ""),
    "rouge_2": ("ROUGE-2", ""),
    "rouge_l": ("ROUGE-L", ""),
    "bleu": ("BLEU, per answer", ""),
    "corpus_bleu": ("BLEU, corpus", ""),
    "bertscore": ("BERTScore F1", "bundled encoder, not rescaled"),
    "semantic_similarity": ("Semantic similarity", "cosine to the reference"),
    "grounded": ("Groundedness", "sentences that their quote carries"),
    "cited_page": ("Right page cited", "of the answers given"),
    "refusal_accuracy": ("Refusal accuracy", "answered or refused as it should be"),
    "refusal_precision": ("Refusal precision", "of the refusals"),
    "refusal_recall": ("Unanswerable refused", "of the unanswerable questions"),
    "wrongly_refused": ("Wrongly refused", "of the answerable questions; lower is better"),
    "calibration_error": ("Calibration error", "lower is better"),
    "mrr": ("MRR", "1 / rank of the first right page"),
    "context_precision": ("Context precision", "Ragas, quotes in passages"),
    "context_recall": ("Context recall", "Ragas, quotes in passages"),
    "latency_p50_ms": ("Latency, median", ""),
    "latency_p95_ms": ("Latency, 95th percentile", ""),
}
COMPARED = (
    "score",
    "fact_coverage",
    "token_f1",
    "semantic_similarity",
    "grounded",
    "cited_page",
    "refusal_recall",
    "wrongly_refused",
)
DIFFERENCES = ("score", "fact_coverage", "token_f1", "rouge_l", "semantic_similarity")


def label(name: str) -> tuple[str, str]:
    """Label and explanation of a figure; `recall_at_5` becomes `Right page among 5`."""
    if name in LABELS:
        return LABELS[name]
    if name == "recall_at_1":
        return "Right page first", "share of the pages needed"
    if name.startswith("recall_at_"):
        return f"Right page among {name.removeprefix('recall_at_')}", "share of the pages needed"
    if name.startswith("ndcg_at_"):
        return f"nDCG@{name.removeprefix('ndcg_at_')}", ""
    return name.replace("_", " "), ""


def figure(name: str, value: float) -> str:
    """A figure as people read it: milliseconds or a percentage."""
    if name.endswith("_ms"):
        return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.0f} ms"
    return f"{100 * value:.0f}%" if value in (0, 1) else f"{100 * value:.1f}%"


def points(value: float) -> str:
    """A difference in percentage points, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−")

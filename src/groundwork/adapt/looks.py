"""Looks at the validation pairs while the encoder is trained: the best look's weights are kept.

A look searches with the encoder as it would serve: the base in float32 with the present matrices
merged in, never the 4-bit one. Everything it remembers stands in files of the work's folder, so
that a training that was killed goes on as if it had not been.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.adapt.config import AdaptConfig, Tunable
from groundwork.adapt.pairs import Watched
from groundwork.adapt.relevance import search_figures
from groundwork.adapt.trainer import adapted_part
from groundwork.index import Encoder, Lora
from groundwork.train import Looks, adapter_tensors, best_keeper

LOOK = "eval_ndcg_at_10"


def mean_ndcg(encoder: Encoder, watched: Watched) -> float:
    """nDCG@10 of the watched questions, a mean."""
    gains = [dict.fromkeys(numbers, 1.0) for numbers in watched.relevant]
    found = search_figures(
        encoder.encode(watched.questions), encoder.encode(watched.passages), gains
    )
    return round(float(np.mean(found["ndcg_at_10"])), 6)


def matrices(model: Any) -> dict[str, Any]:
    """The adapter's tensors of a model in training, in float32 on the processor."""
    return adapter_tensors(adapted_part(model))


@cache
def _evaluator_class() -> Any:
    from sentence_transformers.base.evaluation import BaseEvaluator

    class Look(BaseEvaluator):  # type: ignore[misc]
        """Measures the merged encoder."""

        def __init__(self, encoder: Encoder, watched: Watched, scale: float) -> None:
            super().__init__()
            self._encoder, self._watched, self._scale = encoder, watched, scale

        def __call__(self, model: Any, *_: Any, **__: Any) -> dict[str, float]:
            merged = self._encoder.merged(Lora(matrices(model), self._scale))
            return {"ndcg_at_10": mean_ndcg(merged, self._watched)}

    return Look


def evaluator(encoder: Encoder, watched: Watched, config: AdaptConfig) -> Any:
    """What the trainer asks at every look."""
    return _evaluator_class()(encoder, watched, config.lora.alpha / config.lora.rank)


def keeper(
    work_dir: Path,
    config: Tunable,
    *,
    look: str = LOOK,
    kept: Callable[[Any], dict[str, Any]] = matrices,
) -> Any:
    """The callback that keeps the look whose `look` is greatest: what `kept` takes of the model."""
    looks = Looks(look, greater=True, patience=config.patience)
    return best_keeper(work_dir, looks, matrices=kept)

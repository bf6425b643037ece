"""How well a trained model says the answers of pairs that it was not trained on, pair by pair.

In: a model and pairs. Out: one `PairScore` a pair, so that two trainings can be compared on the
same pairs. Deterministic: no sampling, no dropout, one pair at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from groundwork.train.examples import TrainingPair

SCORES = "validation.jsonl"
"""File of a sweep's run that holds a `PairScore` a line."""


@dataclass(frozen=True, slots=True)
class PairScore:
    """One pair's answer, read out to the model token by token."""

    question_id: str
    loss: float
    """Mean negative log-likelihood of the answer's tokens, in nats."""
    tokens: int
    """Of the answer, its end included."""
    right: int
    """Tokens that the model would have said itself."""


def score_pairs(model: Any, tokenizer: Any, pairs: Sequence[TrainingPair]) -> list[PairScore]:
    """Scores in the order of `pairs`; the model is left in the mode in which it was."""
    import torch

    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return [_score(model, tokenizer, pair) for pair in pairs]
    finally:
        model.train(training)


def _score(model: Any, tokenizer: Any, pair: TrainingPair) -> PairScore:
    import torch

    device = next(model.parameters()).device
    ids_T, start = encode(tokenizer, pair)
    tokens_BT = torch.tensor([ids_T], device=device)
    logits_TV = model(input_ids=tokens_BT).logits[0, start - 1 : -1].float()
    answer_T = tokens_BT[0, start:]
    losses_T = torch.nn.functional.cross_entropy(logits_TV, answer_T, reduction="none")
    return PairScore(
        question_id=pair.question_id,
        loss=float(losses_T.mean()),
        tokens=len(answer_T),
        right=int((logits_TV.argmax(-1) == answer_T).sum()),
    )


def encode(tokenizer: Any, pair: TrainingPair) -> tuple[list[int], int]:
    """Token numbers of prompt and answer as TRL makes them, and where the answer begins."""
    prompt = tokenizer.apply_chat_template(
        pair.prompt, return_dict=True, add_generation_prompt=True
    )
    both = tokenizer.apply_chat_template(pair.prompt + pair.completion, return_dict=True)
    return list(both["input_ids"]), len(prompt["input_ids"])

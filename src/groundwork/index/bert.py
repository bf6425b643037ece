"""The forward pass of a BERT encoder, from its safetensors alone.

In: token ids and their mask. Out: the last layer's states. `transformers` has the same model, but
importing it costs every process that embeds a question or a page longer than the embedding does;
a test holds the two equal, bit by bit.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from groundwork.artifacts import read_json
from groundwork.index.lora import Lora

Tensor = Any  # torch ships no types that mypy follows here


@dataclass(frozen=True, slots=True)
class Bert:
    """Weights by their names in the file, and the numbers of `config.json`."""

    weights: dict[str, Tensor]
    layers: int
    heads: int
    epsilon: float

    @classmethod
    def load(cls, folder: Path) -> "Bert":
        """Read `model.safetensors` and `config.json`. Raises: `ArtifactError` without them."""
        from safetensors.torch import load_file

        config = read_json(folder / "config.json")
        return cls(
            load_file(folder / "model.safetensors"),
            config["num_hidden_layers"],
            config["num_attention_heads"],
            config["layer_norm_eps"],
        )

    def adapted(self, adapter: Lora) -> "Bert":
        """The same model with an adapter merged in; weights that it leaves alone are shared."""
        return replace(self, weights=adapter.merge(self.weights))

    def __call__(self, ids_BT: Tensor, mask_BT: Tensor) -> Tensor:
        """States of the last layer, (B, T, D)."""
        import torch

        embedding = torch.nn.functional.embedding
        zeros_BT = torch.zeros_like(ids_BT)
        states_BTD = embedding(ids_BT, self.weights["embeddings.word_embeddings.weight"])
        states_BTD = states_BTD + embedding(
            zeros_BT, self.weights["embeddings.token_type_embeddings.weight"]
        )
        places_1T = torch.arange(ids_BT.shape[1]).unsqueeze(0)
        states_BTD = states_BTD + embedding(
            places_1T, self.weights["embeddings.position_embeddings.weight"]
        )
        states_BTD = self._norm("embeddings.LayerNorm", states_BTD)
        hidden = torch.finfo(states_BTD.dtype).min
        bias_B11T = torch.where(mask_BT.bool(), 0.0, hidden)[:, None, None, :]
        for number in range(self.layers):
            states_BTD = self._layer(f"encoder.layer.{number}", states_BTD, bias_B11T)
        return states_BTD

    def _layer(self, name: str, states_BTD: Tensor, bias_B11T: Tensor) -> Tensor:
        import torch

        seen_BTD = self._attend(f"{name}.attention.self", states_BTD, bias_B11T)
        seen_BTD = self._linear(f"{name}.attention.output.dense", seen_BTD)
        states_BTD = self._norm(f"{name}.attention.output.LayerNorm", seen_BTD + states_BTD)
        wide_BTF = torch.nn.functional.gelu(self._linear(f"{name}.intermediate.dense", states_BTD))
        narrow_BTD = self._linear(f"{name}.output.dense", wide_BTF)
        return self._norm(f"{name}.output.LayerNorm", narrow_BTD + states_BTD)

    def _attend(self, name: str, states_BTD: Tensor, bias_B11T: Tensor) -> Tensor:
        import torch

        count, length, width = states_BTD.shape
        query, key, value = (
            self._linear(f"{name}.{part}", states_BTD)
            .view(count, length, self.heads, -1)
            .transpose(1, 2)
            for part in ("query", "key", "value")
        )
        scale = (width // self.heads) ** -0.5
        scores_BHTT = torch.matmul(query, key.transpose(2, 3)) * scale + bias_B11T
        weights_BHTT = torch.nn.functional.softmax(scores_BHTT, dim=-1)
        seen_BHTD = torch.matmul(weights_BHTT, value)
        return seen_BHTD.transpose(1, 2).contiguous().view(count, length, width)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        import torch

        weights = self.weights
        return torch.nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def _norm(self, name: str, x: Tensor) -> Tensor:
        import torch

        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return torch.nn.functional.layer_norm(x, weight.shape, weight, bias, self.epsilon)

"""Fits the networks of `src/groundwork/clean/extraction.json`, for `scripts/fit_extraction.py`.

In: features, targets, words and groups of the segments of pages. Out: plain numbers that
`groundwork.clean.network` evaluates. The loss is what is measured: one minus the word F1 of a page,
with certainties in the place of decisions, and half of the cross entropy beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from groundwork.clean.network import EXTREME, REACH

WIDTH = 24
EPOCHS = 25
PAGES = 12
"""In a step."""
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.02
DROPPED_FEATURES = 0.15
DROPPED_SUMS = 0.3
ENTROPY_SHARE = 0.5
SOME_WORDS = 5.0
"""Keep the F1 of a page that has hardly any content from being all or nothing."""
MAX_SEGMENTS = 1200
"""Pages with more take long and teach what others do."""
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learned from one page."""

    cells: Any
    """Features `(segments, features)`, tags spread."""
    target: Any
    words: Any
    groups: list[Any]
    weights: Any


class Layers(torch.nn.Module):
    """What `groundwork.clean.network.Network` computes, on several pages at once."""

    def __init__(self, features: int, groups: int) -> None:
        super().__init__()
        self.first = torch.nn.Linear(features, WIDTH)
        self.second = torch.nn.Linear(WIDTH * (groups + 2), WIDTH)
        self.last = torch.nn.Linear(WIDTH, 1)
        self.drop_features = torch.nn.Dropout(DROPPED_FEATURES)
        self.drop_sums = torch.nn.Dropout(DROPPED_SUMS)

    def forward(self, batch: "Batch") -> Any:
        """Log odds, one a segment."""
        inner = _gelu(self.first(self.drop_features(batch.cells)))
        parts = [inner]
        for group in batch.groups:
            count = int(group.max()) + 1
            sums = _sums(inner * batch.weights[:, None], group, count)
            parts.append((sums / _sums(batch.weights, group, count)[:, None])[group])
        running = torch.cat([torch.zeros(1, inner.shape[1]), torch.cumsum(inner, 0)])
        size = (batch.ends - batch.starts)[:, None]
        parts.append((running[batch.ends] - running[batch.starts]) / size)
        seen = _gelu(self.second(self.drop_sums(torch.cat(parts, 1))))
        return self.last(self.drop_sums(seen))[:, 0]


class Batch:
    """Pages behind one another, their groups apart; the last group of a segment is its page."""

    def __init__(self, lessons: Sequence[Lesson], mean: Any, scale: Any) -> None:
        cells = np.vstack([lesson.cells for lesson in lessons])
        scaled = np.clip((cells - mean) / scale, -EXTREME, EXTREME)
        self.cells = torch.tensor(scaled, dtype=torch.float32)
        self.target, self.words, self.weights = (
            torch.tensor(
                np.concatenate([getattr(lesson, name) for lesson in lessons]), dtype=torch.float32
            )
            for name in ("target", "words", "weights")
        )
        self.groups = []
        for number in range(len(lessons[0].groups)):
            groups = [lesson.groups[number] for lesson in lessons]
            before = np.cumsum([0, *(group.max() + 1 for group in groups)])
            joined = [group + start for group, start in zip(groups, before, strict=False)]
            self.groups.append(torch.tensor(np.concatenate(joined)))
        starts, ends, first = [], [], 0
        for lesson in lessons:
            at, last = first + np.arange(len(lesson.words)), first + len(lesson.words)
            starts.append(np.maximum(at - REACH, first))
            ends.append(np.minimum(at + REACH + 1, last))
            first = last
        self.starts = torch.tensor(np.concatenate(starts))
        self.ends = torch.tensor(np.concatenate(ends))


def fit_network(lessons: Sequence[Lesson], seed: int) -> dict[str, Any]:
    """One network in plain numbers. The same seed and pages give the same numbers."""
    lessons = [lesson for lesson in lessons if len(lesson.words) <= MAX_SEGMENTS]
    cells = np.vstack([lesson.cells for lesson in lessons])
    mean, scale = cells.mean(axis=0), np.maximum(cells.std(axis=0), 1e-3)
    torch.manual_seed(seed)
    random = np.random.RandomState(seed)
    layers = Layers(cells.shape[1], len(lessons[0].groups))
    optimizer = torch.optim.AdamW(layers.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    steps = EPOCHS * -(-len(lessons) // PAGES)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for _ in tqdm(range(EPOCHS), desc=f"network {seed}", unit="epoch"):
        order = random.permutation(len(lessons))
        for start in range(0, len(order), PAGES):
            chosen = [lessons[place] for place in order[start : start + PAGES]]
            optimizer.zero_grad()
            _loss(layers, Batch(chosen, mean, scale)).backward()
            optimizer.step()
            schedule.step()
    return plain(layers, mean, scale)


def plain(layers: Layers, mean: Any, scale: Any) -> dict[str, Any]:
    """The numbers of a network, rounded."""
    return {
        "mean": _rounded(mean),
        "scale": _rounded(scale),
        "layers": [
            {"weights": _rounded(layer.weight), "constants": _rounded(layer.bias)}
            for layer in (layers.first, layers.second, layers.last)
        ],
    }


def _loss(layers: Layers, batch: Batch) -> Any:
    logits = layers(batch)
    certainty, words, target = torch.sigmoid(logits), batch.words, batch.target
    page = batch.groups[-1]
    count = int(page.max()) + 1
    found = _sums(words * target * certainty, page, count)
    both = _sums(words * certainty, page, count) + _sums(words * target, page, count)
    f1 = 2.0 * found / (both + SOME_WORDS)
    share = torch.sqrt(words.clamp(min=0.3))
    share = share / _sums(share, page, count)[page]
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (1.0 - f1 + ENTROPY_SHARE * _sums(share * entropy, page, count)).mean()


def _sums(values: Any, group: Any, count: int) -> Any:
    return torch.zeros(count, *values.shape[1:]).index_add_(0, group, values)


def _gelu(values: Any) -> Any:
    return torch.nn.functional.gelu(values, approximate="tanh")


def _rounded(values: Any) -> Any:
    array = values.detach().numpy() if isinstance(values, torch.Tensor) else values
    return np.round(array.astype(float), DIGITS).tolist()

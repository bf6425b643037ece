"""The network over the segments of a page: its groups, its arithmetic, and where it was fitted."""

from typing import Any

import numpy as np
import pytest
import torch

from groundwork.clean.network import Network, group_segments, group_weights, spread_tags
from groundwork.clean.segment_features import OWN_TAGS
from groundwork.clean.segments import cut_tree
from groundwork.clean.selection import NETWORK_SHARE, Model
from groundwork.clean.web import parse_html
from scripts.extraction_network import Batch, Layers, Lesson, fit_network, plain


def lesson_of(count: int, *, seed: int) -> Lesson:
    """A page of `count` segments with random features; the first feature tells content."""
    random = np.random.RandomState(seed)
    cells = random.normal(size=(count, 5))
    return Lesson(
        cells=cells,
        target=(cells[:, 0] > 0).astype(float),
        words=random.randint(1, 40, count).astype(float),
        groups=[np.arange(count) // 3, np.arange(count) % 2, np.zeros(count, dtype=int)],
        weights=random.uniform(0.5, 5.0, count),
    )


def test_segments_are_grouped_by_look_by_the_boxes_around_and_by_page() -> None:
    """Two cards: their texts look alike; each has the others of its card around it."""
    card = "<div class='card'><h3>Name</h3><p>Text of it</p></div>"
    _, segments = cut_tree(parse_html(f"<body><div>{card}{card}</div></body>"))
    like, parent, outer, page = (group.tolist() for group in group_segments(segments))
    assert [segment.text for segment in segments] == ["Name", "Text of it"] * 2
    assert like == [0, 1, 0, 1]
    assert parent == [0, 0, 1, 1]
    assert outer == [0, 0, 0, 0]
    assert page == [0, 0, 0, 0]


def test_a_long_segment_counts_more_in_the_mean_of_its_group() -> None:
    """The root of its words: 1 of one word, 2 of four; a text without words counts a little."""
    _, segments = cut_tree(parse_html("<body><p>a</p><p>a b c d</p><p>*</p></body>"))
    assert group_weights(segments).tolist() == pytest.approx([1.0, 2.0, 0.5**0.5])


def test_each_tag_has_a_column_of_its_own() -> None:
    """The number of the tag is replaced by a one among noughts, behind the other features."""
    rows = np.array([[7.0, 1.0, 8.0], [9.0, 0.0, 6.0]])
    spread = spread_tags(["a", "tag", "b"], rows)
    assert spread.shape == (2, 2 + len(OWN_TAGS) + 1)
    assert spread[:, :2].tolist() == [[7, 8], [9, 6]]
    assert spread[:, 2:].argmax(axis=1).tolist() == [1, 0]


def test_numpy_computes_what_torch_fitted() -> None:
    """The same numbers, rounded to four places, from two pages at once and from each by itself."""
    torch.manual_seed(0)
    lessons = [lesson_of(13, seed=1), lesson_of(8, seed=2)]
    mean, scale = np.full(5, 0.1), np.full(5, 0.3)
    layers = Layers(5, 3).eval()
    with torch.no_grad():
        expected = torch.sigmoid(layers(Batch(lessons, mean, scale))).numpy()
    network = Network(plain(layers, mean, scale))
    found = [network.predict(page.cells, page.groups, page.weights) for page in lessons]
    assert np.concatenate(found) == pytest.approx(expected, abs=5e-4)
    assert expected.std() > 0.01


def test_a_network_learns_and_the_same_seed_gives_the_same_numbers() -> None:
    """Content is told by one feature: what is content gets more than .5 and the rest less."""
    lessons = [lesson_of(30, seed=seed) for seed in range(72)]
    fitted = fit_network(lessons, seed=3)
    assert fit_network(lessons, seed=3) == fitted
    unseen = lesson_of(60, seed=99)
    found = Network(fitted).predict(unseen.cells, unseen.groups, unseen.weights)
    assert ((found > 0.5) == (unseen.target > 0.5)).mean() > 0.9


def test_trees_and_networks_share_the_word() -> None:
    """Networks that say .2 and .4 mean .3; beside trees that say .8 that is .6."""
    _, segments = cut_tree(parse_html("<body><p>a</p></body>"))

    class Says:
        def __init__(self, certainty: float) -> None:
            self.certainty = np.array([certainty])

        def predict(self, *_: Any) -> Any:
            return self.certainty

    model = Model(Says(0.8), [Says(0.2), Says(0.4)])  # type: ignore[arg-type,list-item]
    found = model.judge(segments, ["tag"], np.array([[0.0]]))
    assert found.tolist() == [0.6]
    assert NETWORK_SHARE == 0.4

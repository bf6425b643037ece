"""Similar texts: all pairs above the threshold, with the overlap counted exactly."""

import random
from itertools import combinations

import pytest

from groundwork.clean import neighbours
from groundwork.clean.neighbours import Neighbours


def _pairs(texts: list[list[str]], least: float) -> dict[tuple[int, int], float]:
    near = Neighbours.of_texts(texts, shingle_words=3, min_similarity=least)
    found = {}
    for number in range(len(texts)):
        similar = near.find(number)
        found.update(
            {
                (int(other), number): float(value)
                for other, value in zip(similar.numbers, similar.similarities, strict=True)
            }
        )
        near.add(number)
    return found


def _expected(texts: list[list[str]], least: float) -> dict[tuple[int, int], float]:
    sets = [{tuple(words[i : i + 3]) for i in range(len(words) - 2)} for words in texts]
    values = {
        (a, b): len(sets[a] & sets[b]) / min(len(sets[a]), len(sets[b]))
        for a, b in combinations(range(len(texts)), 2)
    }
    return {pair: value for pair, value in values.items() if value >= least}


def _editions(seed: int, vocabulary: int) -> list[list[str]]:
    """Texts of 3 to 300 words in tens: parts of one another, with words replaced."""
    rng = random.Random(seed)
    texts = []
    for _ in range(12):
        whole = [f"w{rng.randrange(vocabulary)}" for _ in range(rng.randrange(30, 300))]
        for _ in range(10):
            start = rng.randrange(len(whole) - 3)
            words = whole[start : start + rng.randrange(3, len(whole))]
            words = [w if rng.random() < 0.9 else f"w{rng.randrange(vocabulary)}" for w in words]
            texts.append(words if len(words) > 2 else whole)
    return texts


@pytest.mark.parametrize("least", [0.2, 0.45, 0.8, 1.0])
@pytest.mark.parametrize("vocabulary", [12, 3000])
def test_no_pair_is_lost(least: float, vocabulary: int) -> None:
    """Checked against all pairs, also where common shingles are everywhere (12 words)."""
    texts = _editions(3, vocabulary)
    assert _pairs(texts, least) == _expected(texts, least)
    assert len(_expected(texts, least)) > 5


def test_covered_is_the_share_of_the_text_itself() -> None:
    """a b c d e has 3 shingles of 3 words, all of them in a text of 6 shingles."""
    near = Neighbours.of_texts(
        [list("abcde"), list("abcdefgh")], shingle_words=3, min_similarity=0.5
    )
    near.add(0)
    similar = near.find(1)
    assert (similar.numbers.tolist(), similar.similarities.tolist()) == ([0], [1.0])
    assert similar.covered.tolist() == [3 / 6]


def test_a_template_does_not_make_the_work_quadratic(monkeypatch: pytest.MonkeyPatch) -> None:
    """What too many texts hold proposes the first of them only; rarer words still find the rest."""
    monkeypatch.setattr(neighbours, "MAX_HOLDERS", 4)
    rng = random.Random(7)
    template = [f"t{i}" for i in range(60)]
    texts = [template + [f"w{rng.randrange(10_000)}" for _ in range(40)] for _ in range(30)]
    texts.append([*texts[20][:-2], "x", "y"])
    found = _pairs(texts, 0.5)
    assert {pair for pair in found if pair[1] == 29} == {(number, 29) for number in range(4)}
    assert found[20, 30] == pytest.approx(96 / 98)

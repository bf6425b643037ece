"""Decoding that can only copy: an answer is made of whole lines that the prompt shows.

In: the token ids of the lines, each with its passage's number. Out: which tokens may come next.
The model still chooses, token by token, which line it says and whether another one follows; what it
cannot do is change a word of it (constrained decoding, as in De Cao et al. 2021, arXiv:2010.00904).
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choices:
    """What one answer may say."""

    firsts: Sequence[Sequence[int]]
    """Token ids of each line as the first of an answer."""
    followers: Sequence[Sequence[int]]
    """The same lines after another one."""
    alone: Sequence[int]
    """Token ids that are an answer of their own: the refusal. Empty leaves it out."""
    end: int
    """The token that ends an answer."""
    room: int
    """Tokens that an answer may have, its end included."""


ALONE = -1
"""Stands for the refusal where others have the number of a line."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Somewhere within a line."""

    said: tuple[int, ...]
    """Lines before this one."""
    line: int
    ids: Sequence[int]
    at: int
    """Tokens of it that were said."""


class Copier:
    """Follows one answer. Several lines that begin alike are followed together until they part."""

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        self._spent = 0
        self._places = self._openings()

    def allowed(self) -> list[int]:
        """Ids that may come next, sorted; none once the answer has ended."""
        found = {place.ids[place.at] for place in self._places if place.at < len(place.ids)}
        for place in self._ended():
            found.add(self._choices.end)
            found |= {following.ids[0] for following in self._following(place)}
        return sorted(found)

    def take(self, token: int) -> None:
        """Go on with one of `allowed`."""
        ended = self._ended()
        going = [p for p in self._places if p.at < len(p.ids)]
        going += [following for place in ended for following in self._following(place)]
        self._spent += 1
        self._places = [
            _Place(p.said, p.line, p.ids, p.at + 1) for p in going if p.ids[p.at] == token
        ]

    def _openings(self) -> list[_Place]:
        lines = enumerate(self._choices.firsts)
        fitting = [(n, ids) for n, ids in lines if len(ids) < self._choices.room]
        if not fitting and self._choices.firsts:
            fitting = [min(enumerate(self._choices.firsts), key=lambda item: len(item[1]))]
        if self._choices.alone:
            fitting.append((ALONE, self._choices.alone))
        return [_Place((), number, ids, 0) for number, ids in fitting]

    def _ended(self) -> list[_Place]:
        return [place for place in self._places if place.at == len(place.ids)]

    def _following(self, place: _Place) -> list[_Place]:
        if place.line == ALONE:
            return []
        said = (*place.said, place.line)
        left = self._choices.room - self._spent
        return [
            _Place(said, number, ids, 0)
            for number, ids in enumerate(self._choices.followers)
            if number not in said and len(ids) < left
        ]

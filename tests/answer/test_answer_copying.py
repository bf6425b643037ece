"""Decoding that copies: which tokens may come next, for lines of made-up token ids."""

from groundwork.answer.copying import Choices, Copier

END = 99
LINES = ([1, 2, 3], [1, 2, 4, 5], [6])
FOLLOWERS = ([71, 2, 3], [71, 2, 4, 5], [76])
REFUSAL = [8, 9]


def _copier(*, room: int = 20, alone: list[int] = REFUSAL) -> Copier:
    return Copier(Choices(LINES, FOLLOWERS, alone, END, room))


def _after(copier: Copier, *tokens: int) -> list[int]:
    for token in tokens:
        assert token in copier.allowed()
        copier.take(token)
    return copier.allowed()


def test_an_answer_begins_with_a_line_or_the_refusal() -> None:
    """Lines that begin alike are one choice until they part."""
    assert _copier().allowed() == [1, 6, 8]
    assert _after(_copier(), 1) == [2]
    assert _after(_copier(), 1, 2) == [3, 4]
    assert _after(_copier(), 1, 2, 4) == [5]


def test_after_a_line_comes_another_or_the_end() -> None:
    """Each line once."""
    assert _after(_copier(), 1, 2, 3) == [71, 76, END]
    assert _after(_copier(), 6) == [71, END]
    assert _after(_copier(), 6, 71, 2, 3) == [71, END]
    assert _after(_copier(), 6, 71, 2, 3, 71, 2) == [4]
    assert _after(_copier(), 6, 71, 2, 3, 71, 2, 4, 5) == [END]


def test_nothing_follows_the_end_or_the_refusal() -> None:
    """The refusal stands alone."""
    assert _after(_copier(), 8, 9) == [END]
    assert _after(_copier(), 6, END) == []


def test_a_line_without_room_is_not_begun() -> None:
    """What would be cut is left out: with the end, four tokens have room for three."""
    assert _after(_copier(room=4), 1, 2) == [3]
    assert _after(_copier(room=6), 6) == [71, END]
    assert _after(_copier(room=4), 6) == [END]


def test_where_no_line_has_room_the_shortest_is_begun() -> None:
    """Better a part of a line than words of the model's own."""
    choices = Choices(LINES[:2], FOLLOWERS[:2], [], END, 3)
    assert _after(Copier(choices), 1, 2) == [3]


def test_without_lines_only_the_refusal_is_left() -> None:
    """Retrieval may find nothing."""
    assert _after(Copier(Choices([], [], REFUSAL, END, 20)), 8, 9) == [END]


def test_line_that_begins_another() -> None:
    """The shorter one may end, or go on as the longer one."""
    copier = Copier(Choices([[1, 2], [1, 2, 3]], [[7, 2], [7, 2, 3]], [], END, 20))
    assert _after(copier, 1, 2) == [3, 7, END]
    assert _after(copier, 7, 2) == [3]

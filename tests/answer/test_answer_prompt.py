"""The prompt, and how an answer to it is read."""

from dataclasses import replace

import pytest
from tiny_base import DOMAIN, make_chunks, sentence

from groundwork.answer.draft import Support
from groundwork.answer.prompt import (
    Shown,
    completion,
    copied_fraction,
    fit,
    parse,
    prompt_text,
    show,
    user_turn,
)
from groundwork.errors import InputError
from groundwork.records import Chunk

MOSS, FERN = make_chunks()[:2]
TABLE = replace(
    MOSS,
    passage_id="t",
    text="Power by supply:\n\n| Supply | Power |\n|---|---|\n| Single phase, 32 A | **7.4 kW** |",
)


def _read(text: str, *chunks: Chunk) -> list[tuple[str, str, str]]:
    draft = parse(text, chunks or (MOSS, FERN), refusal=DOMAIN.refusal)
    return [(s.text, s.passage_id, s.quote) for s in draft.supports]


def test_prompt_holds_persona_refusal_passages_and_question() -> None:
    """Passages are numbered in their order, a sentence a line, under title and heading."""
    turn = user_turn("What does\n moss like?", [show(MOSS), show(FERN)], domain=DOMAIN)
    assert turn.startswith(DOMAIN.persona)
    assert DOMAIN.refusal in turn
    assert f"[1] Moss > Needs\n{sentence(0)}\nIt grows 2 m tall in a good year.\nBees" in turn
    assert "\n\n[2] Fern > Needs\n" in turn
    assert turn.endswith("\n\nQuestion: What does moss like?")


def test_recorded_prompt_leaves_passages_and_question_open() -> None:
    """Filling the record gives the prompt itself."""
    recorded = prompt_text(DOMAIN)
    assert recorded.count("{passages}") == recorded.count("{question}") == 1
    filled = recorded.replace("{passages}", "").replace("{question}", "Why?")
    assert filled == user_turn("Why?", [], domain=DOMAIN)


def test_braces_in_a_question_are_left_alone() -> None:
    """Text of users is never a template."""
    assert user_turn("{persona} {0}", [], domain=DOMAIN).endswith("Question: {persona} {0}")


def test_lines_of_a_passage_lose_no_character_but_blanks() -> None:
    """Every quote can still be found."""
    for chunk in (MOSS, TABLE):
        assert "".join(show(chunk).lines).split() == chunk.text.replace("\n", "").split() or (
            " ".join(show(chunk).lines).split() == chunk.text.split()
        )


def test_passages_are_cut_from_the_end() -> None:
    """The last passage loses lines first; the first one is whole while there is another."""
    shown = [show(MOSS), show(FERN)]

    def count(items: list[Shown]) -> int:
        return sum(len(line.split()) for item in items for line in item.lines)

    whole = count(shown)
    assert fit(shown, protected=0, room_tokens=whole, count=count) == shown
    cut = fit(shown, protected=1, room_tokens=whole - 1, count=count)
    assert cut == [shown[0], Shown(FERN, shown[1].lines[:2])]
    assert fit(shown, protected=1, room_tokens=count(shown[:1]), count=count) == shown[:1]


def test_protected_passages_are_never_cut() -> None:
    """What cannot fit is an error that tells both numbers."""
    with pytest.raises(InputError, match=r"\d+ tokens where 3 fit"):
        fit([show(MOSS)], protected=1, room_tokens=3, count=lambda items: 9 * len(items))


def test_completion_cites_each_quote() -> None:
    """The answer to learn is on one line."""
    assert completion([("Moss likes\nshade.", 2), ("It grows.", 1)]) == (
        "Moss likes shade. [2] It grows. [1]"
    )


def test_cited_sentence_is_supported_verbatim() -> None:
    """The marker leads to the passage, the quote is its own span."""
    assert _read(f"{sentence(1)} [2]") == [(sentence(1), "p1", sentence(1))]


def test_completion_is_read_back() -> None:
    """What training asks for is what parsing accepts."""
    text = completion([(sentence(0), 1), (sentence(1), 2)])
    assert [item[1] for item in _read(text)] == ["p0", "p1"]


@pytest.mark.parametrize("marker", ["", " [2]", " [9]", " [0]"])
def test_wrong_or_missing_marker_is_mended_by_the_text(marker: str) -> None:
    """A sentence that stands in one passage alone is that passage's, whatever the number."""
    assert _read(f"{sentence(0)}{marker}") == [(sentence(0), "p0", sentence(0))]


def test_named_passage_wins_when_several_hold_the_sentence() -> None:
    """The model's own citation decides between equals."""
    assert _read("Bees visit it in spring. [2]")[0][1] == "p1"


def test_case_blanks_and_marks_may_differ() -> None:
    """The quote is the passage's own spelling."""
    assert _read("single phase 32 a: 7.4 KW [1]", TABLE) == [
        ("single phase 32 a: 7.4 KW", "t", "Single phase, 32 A | **7.4 kW")
    ]


def test_paraphrase_is_supported_by_the_nearest_sentence() -> None:
    """Most words must be in one sentence of a passage."""
    said = "Moss loves the shade more than anything else."
    assert _read(f"{said} [1]") == [(said, "p0", sentence(0))]


def test_number_that_no_passage_holds_is_unsupported() -> None:
    """All other words being there does not help."""
    said = "It grows 99 m tall in a good year."
    assert _read(f"{said} [1]") == [(said, "", "")]


def test_invented_sentence_stays_without_support() -> None:
    """The guards decide about it; nothing vanishes here."""
    assert _read("Cats chase mice. [1]") == [("Cats chase mice.", "", "")]


def test_marker_goes_with_all_sentences_before_it() -> None:
    """Two sentences and one number."""
    found = _read(f"{sentence(1)} Bees visit it in spring. [2]")
    assert [item[1] for item in found] == ["p1", "p1"]


def test_repeated_sentences_count_once() -> None:
    """A model that loops does not answer twice."""
    assert len(_read(f"{sentence(0)} [1] {sentence(0)} [1]")) == 1


@pytest.mark.parametrize(
    "text",
    [
        DOMAIN.refusal,
        f"  {DOMAIN.refusal.upper()} Sorry.",
        DOMAIN.refusal.rstrip("."),
        "",
        " [1] ",
    ],
)
def test_refusal_and_silence_are_recognised(text: str) -> None:
    """Case, blanks and the full stop do not matter; nothing said is a refusal."""
    draft = parse(text, [MOSS], refusal=DOMAIN.refusal)
    assert draft.refused
    assert draft.supports == ()


def test_answer_is_no_refusal() -> None:
    """Supports are in the order of the text."""
    draft = parse(f"{sentence(0)} [1]", [MOSS], refusal=DOMAIN.refusal)
    assert not draft.refused
    assert draft.supports == (Support(sentence(0), "p0", sentence(0)),)


def test_copied_fraction_counts_runs_of_three_words() -> None:
    """6 of 9 words: 'the moss likes shade more than' is copied, 'a lazy cat' is not."""
    assert copied_fraction("The moss likes shade more than a lazy cat. [1]", [MOSS]) == 6 / 9
    assert copied_fraction(sentence(1), [MOSS, FERN]) == 1.0
    assert copied_fraction("Bees visit", [MOSS]) == 1.0
    assert copied_fraction("[1]", [MOSS]) == 0.0

"""The words that a user sees: numbers, citations of neighbouring sentences, lists on lines."""

from groundwork.answer import Retrieval, Support
from groundwork.answer.compose import compose, refuse
from groundwork.records import Answer, Chunk, Retrieved

FETCHED_AT = "2026-01-02T00:00:00Z"


def _chunk(bikes: Retrieval, heading: str) -> Chunk:
    return next(chunk for chunk in bikes.index.chunks if chunk.heading == heading)


def _say(bikes: Retrieval, *said: tuple[str, str]) -> Answer:
    """Compose (heading of the passage, quote) pairs, each said as it is quoted."""
    chunks = [_chunk(bikes, heading) for heading, _ in said]
    retrieved = [Retrieved(chunk, 1.0, 1.0, 1.0) for chunk in bikes.index.chunks]
    supports = [
        Support(quote, chunk.passage_id, quote)
        for (_, quote), chunk in zip(said, chunks, strict=True)
    ]
    fetched_at = {chunks[0].document_id: FETCHED_AT}
    return compose(supports, retrieved, confidence=0.75, fetched_at=fetched_at)


def test_citation_carries_the_page(bikes: Retrieval) -> None:
    """Everything that a reader needs to check it."""
    answer = _say(bikes, ("Deposits", "The deposit is paid back within 3 days"))
    chunk = _chunk(bikes, "Deposits")
    assert answer.text == "The deposit is paid back within 3 days [1]"
    assert (answer.refused, answer.confidence, answer.category) == (False, 0.75, "returns")
    (citation,) = answer.citations
    assert (citation.n, citation.quote) == (1, "The deposit is paid back within 3 days")
    assert (citation.passage_id, citation.document_id) == (chunk.passage_id, chunk.document_id)
    assert (citation.url, citation.title, citation.heading) == (
        "https://bikes.example/returns/",
        "Returning a bicycle",
        "Deposits",
    )
    assert (citation.licence, citation.fetched_at) == ("CC-BY-4.0", FETCHED_AT)


def test_neighbours_share_a_citation(bikes: Retrieval) -> None:
    """Its quote spans both, verbatim with what stands between."""
    answer = _say(
        bikes,
        ("Range", "The battery lasts 60 km on flat ground."),
        ("Range", "Charging takes 4 hours from empty."),
    )
    assert answer.text == (
        "The battery lasts 60 km on flat ground. [1] Charging takes 4 hours from empty. [1]"
    )
    quote = "The battery lasts 60 km on flat ground. Charging takes 4 hours from empty."
    assert [citation.quote for citation in answer.citations] == [quote]


def test_distant_sentences_of_a_passage_are_two_citations(bikes: Retrieval) -> None:
    """A quote never spans what is not said."""
    answer = _say(
        bikes,
        ("Range", "The battery lasts 60 km on flat ground."),
        ("Range", "In winter the range falls to 40 km because cold cells give less energy."),
    )
    assert [citation.n for citation in answer.citations] == [1, 2]
    assert "Charging" not in " ".join(citation.quote for citation in answer.citations)


def test_order_of_the_answer_numbers_the_citations(bikes: Retrieval) -> None:
    """A sentence said before the one that stands before it is no neighbour; category: the first."""
    answer = _say(
        bikes,
        ("Discounts", "Club members ride free on Mondays."),
        ("Discounts", "Students pay 20 per cent less."),
        ("Deposits", "The deposit is paid back within 3 days"),
    )
    assert [citation.heading for citation in answer.citations] == [
        "Discounts",
        "Discounts",
        "Deposits",
    ]
    assert answer.text.startswith("Club members ride free on Mondays. [1] Students pay")
    assert answer.text.endswith("[3]")
    assert answer.category == "money"


def test_time_of_an_unknown_fetch_is_empty(bikes: Retrieval) -> None:
    """Only the first document's fetch is known here."""
    answer = _say(
        bikes,
        ("Discounts", "Students pay 20 per cent less."),
        ("Deposits", "The deposit is paid back within 3 days"),
    )
    assert [citation.fetched_at for citation in answer.citations] == [FETCHED_AT, ""]


def test_items_stand_on_lines_of_their_own(bikes: Retrieval) -> None:
    """Introduction, items, and the prose after them on a new line; one citation for the list."""
    answer = _say(
        bikes,
        ("At the desk", "Follow these steps when you return a bicycle:"),
        ("At the desk", "Lock the bicycle to the rack."),
        ("At the desk", "Hand the key to the desk."),
        ("Deposits", "The deposit is paid back within 3 days"),
    )
    assert answer.text == (
        "Follow these steps when you return a bicycle: [1]\n"
        "- Lock the bicycle to the rack. [1]\n"
        "- Hand the key to the desk. [1]\n"
        "The deposit is paid back within 3 days [2]"
    )
    chunk = _chunk(bikes, "At the desk")
    assert answer.citations[0].quote in chunk.text
    assert answer.citations[0].quote.endswith("2. Hand the key to the desk.")


def test_refusal_names_the_nearest_category(bikes: Retrieval) -> None:
    """No citation; without passages, no category."""
    retrieved = [Retrieved(_chunk(bikes, "Range"), 1.0, 1.0, 1.0)]
    assert refuse("No.", retrieved, confidence=0.9) == Answer("No.", True, 0.9, "electric", ())
    assert refuse("No.", [], confidence=0.9).category == ""

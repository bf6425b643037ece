"""What a page is about, before questions that do not say so."""

from dataclasses import replace

import pytest
from test_qa_rules import RULES, chunk

from groundwork.qa.lead import lead_of, with_lead, without_lead
from groundwork.qa.pairs import Kind
from groundwork.qa.rules import generate_by_rules
from groundwork.qa.sound import is_finished


@pytest.mark.parametrize(
    ("title", "heading", "lead"),
    [
        ("Idle fees and waiting your turn", "", "About idle fees and waiting your turn:"),
        ("OCPP: the language of chargers", "Status words", "About OCPP (status words):"),
        ("Load balancing explained", "", "About load balancing:"),
        ("The connector is stuck", "", "When the connector is stuck,"),
        ("Why rapid charging slows down", "", "About why rapid charging slows down:"),
        ("How long does it take? Main fuses and demand", "", "About main fuses and demand:"),
        ("Glossary of charging terms", "", ""),
        ("Installation checklist", "B. Comparing quotes", "About comparing quotes:"),
        ("Home", "", ""),
        ("A title of so many words that nobody would say it before a question", "", ""),
    ],
)
def test_a_title_becomes_a_lead(title: str, heading: str, lead: str) -> None:
    """Its first part, or the situation it tells of; pages of all sorts have their section's."""
    assert lead_of(title, heading=heading, seen=f"{title} {title.lower()}") == lead


def test_a_question_that_names_its_topic_keeps_its_words() -> None:
    """Others get the lead, which can be taken off again."""
    lead = "About idle fees:"
    bare = "Must a driver be told before?"
    assert with_lead("When does an idle fee begin?", lead) == "When does an idle fee begin?"
    assert with_lead(bare, lead) == "About idle fees: must a driver be told before?"
    assert without_lead(with_lead(bare, lead)) == "must a driver be told before?"
    assert with_lead(bare, "") == bare
    stuck = "When the connector is stuck,"
    assert with_lead("If it rains, is it safe?", stuck) == "If it rains, is it safe?"


def test_a_section_is_named_unless_the_question_does() -> None:
    """What its heading names is often left out of a sentence; a long question says enough."""
    told = "Roaming hubs link forty charging networks of northern Europe."
    long = (
        "A clearing house in Berlin joins small networks of northern Europe, large networks of "
        "southern Europe, two dozen car makers, three fuel card firms and a few banks."
    )
    found = [
        q.question
        for q in generate_by_rules(
            [chunk(f"{told} {long}", title="OCPI and its messages", heading="Roaming hubs")],
            config=RULES,
        )
    ]
    assert "About OCPI and its messages: do roaming hubs link forty" in " ".join(found)
    assert "About OCPI and its messages (roaming hubs): which hubs link forty" in " ".join(found)
    assert "About OCPI and its messages: does a clearing house in Berlin join" in " ".join(found)


def test_kinds_take_turns_within_the_quota() -> None:
    """Six sentences that can be asked for yes or no do not crowd out the one that defines."""
    plants = ("moss", "fern", "oak", "ivy", "pine", "reed")
    text = " ".join(
        f"A tall {plant} needs two litres of clean water in hot summers." for plant in plants
    )
    text += " A charging hub is a site where many cars can charge in bays side by side."
    every = generate_by_rules([chunk(text)], config=RULES)
    few = generate_by_rules([chunk(text)], config=replace(RULES, per_hundred_words=5.0))
    assert len(every) > len(few) == round(5.0 * len(text.split()) / 100)
    assert [q for q in every if q in few] == few, "in the order of the document"
    assert {"definition"} < {q.kind for q in few}


@pytest.mark.parametrize(
    ("question", "kind", "finished"),
    [
        ("Should you leave a note, or tell the owner of the site?", Kind.YES_NO, False),
        ("What does an RFID card or the identity of a vehicle tie?", Kind.FACT, False),
        ("Do newer tariffs offer a shorter spell at a low rate?", Kind.YES_NO, False),
        ("Does AFIR divide public charge points differently?", Kind.YES_NO, False),
        ("Is salt water worse for a battery than fresh water?", Kind.COMPARISON, True),
        ("What does a wallbox in a garage need?", Kind.FACT, True),
        ("What percentage of the energy does a battery return put in?", Kind.NUMBER, False),
        ("What does charging time depend on in its pack?", Kind.FACT, False),
        ("When does a swap of a battery take three minutes?", Kind.FACT, False),
        ("When did the intensity fall from about 420 g/kWh?", Kind.FACT, False),
        ("Is a stuck plug usually the charger's?", Kind.YES_NO, False),
        ("Should you set the limit in the car, and allow for it?", Kind.YES_NO, False),
        ("Would a home normally choose WPT1 or WPT2?", Kind.YES_NO, False),
        ("Does a wallbox draw 7.4 kW from a single-phase supply?", Kind.YES_NO, True),
    ],
)
def test_what_was_cut_off_is_seen(question: str, kind: Kind, finished: bool) -> None:
    """A choice, a lost complement, a comparison with nothing."""
    assert is_finished(question, kind=kind) is finished

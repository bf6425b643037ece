"""Typing mistakes: what is mended, and above all what is left alone."""

import pytest

from groundwork.answer.spelling import Speller

PASSAGES = [
    "Off-peak tariffs: a half-hourly tariff follows the price of power.",
    "An idle fee starts when the battery is full. The duty cycle is set by the charger.",
    "Consumption rises in winter, and the connector of each charger has a tethered cable.",
    "The operator sells electricity with a warranty. Chargers need a licence and insurance.",
    "The leaseholder pays for charging at the wallbox and for an equivalent supply in the metre.",
    "The leaseholder plugged the cable in; the fitted lock is about average, and the nurse comes.",
]


@pytest.fixture(scope="module")
def speller() -> Speller:
    """A speller that knows the words of `PASSAGES`."""
    return Speller.of(PASSAGES)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cabel", "cable"),  # two letters changed places
        ("idel", "idle"),  # also with four letters
        ("tarif", "tariff"),  # a letter doubled or not
        ("tarrifs", "tariffs"),  # both ways at once, although that is two edits
        ("consumtion", "consumption"),  # a consonant left out
        ("chargar", "charger"),  # one vowel
        ("equivelant", "equivalent"),  # two vowels in a long word
        ("chargeing", "charging"),  # a silent e must go
        ("pluged", "plugged"),  # a letter must be doubled
        ("operater", "operator"),  # no such word as operate + er
        ("leasholder", "leaseholder"),  # leash + older is no reason to keep it
        ("walbox", "wallbox"),
    ],
)
def test_typing_mistake_becomes_the_word_of_the_passages(
    speller: Speller, typed: str, meant: str
) -> None:
    """Each kind of mistake on its own."""
    assert speller.mend(typed) == meant


def test_all_else_keeps_its_characters(speller: Speller) -> None:
    """Spaces, marks, hyphens, genitives and a sentence's capital stay."""
    typed = "Tarrifs?  Is that – the “half-hourley” tarif's\tprice;\n is it?! "
    meant = "Tariffs?  Is that – the “half-hourly” tariff's\tprice;\n is it?! "
    assert speller.mend(typed) == meant
    assert speller.mend("") == ""


@pytest.mark.parametrize(
    "known",
    [
        "my husband has a caravan in Norway",  # English, though no passage has them
        "are the wallboxes rewired and retariffed",  # inflections and prefixes of known words
        "a fitter, a cooker and thirstier engines",  # derived from known words
        "the lamppost and the hosepipe",  # compounds of known words
        "the colour and the color, a meter, a metre, to organise, organize, license",
        "it isnt mine, dont ask, whats that",  # contractions without their apostrophe
    ],
)
def test_correct_english_stays(speller: Speller, known: str) -> None:
    """The passages lack many good words."""
    assert speller.mend(known) == known


@pytest.mark.parametrize(
    ("near", "known"),
    [
        ("there", "theyre"),  # a contraction
        ("filters", "fitters"),  # an inflection of an inflection
        ("randomised", "randomized"),  # the other spelling
        ("workgate", "workmate"),  # a compound
        ("unsuited", "unfuited"),  # none of these: the test's own check
    ],
)
def test_correct_word_stays_beside_a_near_one(near: str, known: str) -> None:
    """What the word lists lack is known by what it is made of."""
    mended = Speller.of([f"the {near} of the house"]).mend(f"the {known}")
    assert mended == f"the {known if known != 'unfuited' else near}"


@pytest.mark.parametrize(
    "name",
    [
        "is it Tarif or Chargar",  # a capital inside the sentence
        "is it TARIF",
        "is it eTarif, tariF or TaRif",
        "is it tarif2, 2tarif or tarif_x",
        "is it www.tarif.com, tarif.com, x/tarif or tarif@x.de",
        "is it 'tarif' or tari'fs",
        "is it tarïf",
    ],
)
def test_names_and_codes_stay(speller: Speller, name: str) -> None:
    """Only plain words can be typing mistakes."""
    assert speller.mend(name) == name


@pytest.mark.parametrize(
    "word",
    [
        "cabl",  # four letters, and nothing changed places
        "ycable",  # another first letter
        "insurancy",  # another last letter
        "reses",  # as near to "roses", which is English, as to "rises"
        "comms",  # a consonant for another in a short word: not "comes"
        "amperage",  # two edits, one of them a consonant: not "average"
        "chrgnig",  # two edits in a short word
        "zzzzzzzz",
    ],
)
def test_far_words_stay(speller: Speller, word: str) -> None:
    """A missed mistake is better than a wrong change."""
    assert speller.mend(word) == word


def test_tie_is_broken_by_a_clear_count_only() -> None:
    """ "metar" is one vowel from "meter" and "metor"; three times as often decides."""
    tie = ["the meter and the metor are read each day in the week by the man"]
    assert Speller.of(tie).mend("the metar") == "the metar"
    assert Speller.of([*tie, "the meter"]).mend("the metar") == "the metar"
    assert Speller.of([*tie, "the meter, the meter"]).mend("the metar") == "the meter"
    assert Speller.of([*tie, "the metor, the metor"]).mend("the metar") == "the metor"


def test_much_more_frequent_word_is_a_doubt() -> None:
    """ "metar" is nearest to "meter", unless the passages say "mestar" all the time."""
    once = "the meter of the house, not a mestar or a mestar"
    assert Speller.of([once]).mend("the metar") == "the meter"
    assert Speller.of([once, "a mestar and the mestar"]).mend("the metar") == "the metar"


def test_short_word_is_mended_to_a_frequent_word_only() -> None:
    """In 15,000 words, "tariff" must stand twice."""
    rest = "the price of the house " * 3_000
    assert Speller.of([rest, "tariff"]).mend("the tarif") == "the tarif"
    assert Speller.of([rest, "tariff", "tariff"]).mend("the tarif") == "the tariff"


def test_swapped_letters_are_mended_to_a_rare_word_too() -> None:
    """Two letters that changed places are seldom anything but a mistake."""
    rest = "the price of the house " * 3_000
    assert Speller.of([rest, "cable"]).mend("the cabel") == "the cable"


def test_other_languages_stay(speller: Speller) -> None:
    """Neither a foreign question nor foreign passages are taken for misspelt English."""
    question = "welche tarif hat heute meine ladestation"
    assert speller.mend(question) == question
    german = Speller.of(["Der Tariff gilt nachts, wenn die Ladestation nicht besetzt ist."])
    assert german.mend("tarif") == "tarif"
    assert Speller.of([]).mend("tarif") == "tarif"


def test_speller_is_the_same_for_any_order_of_passages(speller: Speller) -> None:
    """Only counts and the alphabet decide."""
    typed = "when is the idel fee due, and how is the duty cycel set for the consumtion of chargars"
    meant = (
        "when is the idle fee due, and how is the duty cycle set for the consumption of chargers"
    )
    assert speller.mend(typed) == Speller.of(PASSAGES[::-1]).mend(typed) == meant

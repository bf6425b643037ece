"""Identifiers of the United Kingdom: each form is found, and what resembles it is not."""

import pytest

from groundwork.clean.config import PersonalKind
from groundwork.clean.identifiers_uk import is_nhs_number
from groundwork.clean.personal_data import find_personal_data

UK = (
    PersonalKind.POSTCODE,
    PersonalKind.NATIONAL_INSURANCE,
    PersonalKind.NHS_NUMBER,
    PersonalKind.VEHICLE,
    PersonalKind.BANK_ACCOUNT,
)


def _find(text: str) -> list[tuple[str, str]]:
    found = find_personal_data(text, phone_regions=["GB"])
    return [(item.kind.value, text[item.start : item.end]) for item in found if item.kind in UK]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("10 Downing Street, London SW1A 2AA.", "postcode", "SW1A 2AA"),
        ("M1 1AE, Manchester", "postcode", "M1 1AE"),
        ("| Leeds | LS2 8AJ |", "postcode", "LS2 8AJ"),
        ("Girobank was GIR 0AA", "postcode", "GIR 0AA"),
        ("Postcode: ec1a1bb", "postcode", "ec1a1bb"),
        ("NI number QQ 12 34 56 C or AB123456C", "national_insurance", "AB123456C"),
        ("AB 12 34 56 D", "national_insurance", "AB 12 34 56 D"),
        ("Her NHS number is 9434765919", "nhs_number", "9434765919"),
        ("943 476 5919", "nhs_number", "943 476 5919"),
        ("NHS no. 943-476-5919", "nhs_number", "943-476-5919"),
        ("My car, BD51 SMR, is blue", "vehicle", "BD51 SMR"),
        ("parked: LK24ABC", "vehicle", "LK24ABC"),
        ("registration number A123 BCD", "vehicle", "A123 BCD"),
        ("number plate: ABC 123D", "vehicle", "ABC 123D"),
        ("Reg. EV 1", "vehicle", "EV 1"),
        ("sort code 20-00-00, account 55779911", "bank_account", "20-00-00, account 55779911"),
        (
            "Sort code: 200000\nAccount number: 5577 9911",
            "bank_account",
            "200000\nAccount number: 5577 9911",
        ),
        ("pay 20-00-00 acc no 55779911", "bank_account", "20-00-00 acc no 55779911"),
    ],
)
def test_identifiers_are_found(text: str, kind: str, value: str) -> None:
    """In the forms in which people write them."""
    assert _find(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "QB1 2AA is no area, SW1A 2CA has a letter that none has, sw1a 2aa is in small letters",
        "CCS2 1AB, E27 lamps, M4 6x20, IP65 rated, H0T 1AA, a-M1 1AE",
        "GB123456C and AB123456E, AB1234567C, AB-12-34-56",
        "9434765919 alone, NHS 9434765918, 943 476 5918, NHS 1111111111",
        "0 100 200 300 400 500 2021 2022 on an axis",
        "AB30 CDE, BD50 SMR, BI51 SMR, BD51 SMQ, ABD51 SMR, BD51-SMR2",
        "A123 BCD and ABC 123D and EV 1 that nobody calls a registration",
        "01-02-24 20240201, 20-00-00 and 55779911, sort code 20-00-00 to follow",
        "EN 60309, DIN 70121, ISO 15118, OCPP 2.0.1, Type 2, CCS1, 32A, 400V, 7.4 kW",
    ],
)
def test_what_resembles_them_is_not(text: str) -> None:
    """Wrong areas, letters, check digits and years; and what would need a word beside it."""
    assert _find(text) == []


def test_the_check_digit_of_an_nhs_number() -> None:
    """943476591: 9*10+4*9+3*8+4*7+7*6+6*5+5*4+9*3+1*2 = 299 = 27*11 + 2, and 11 - 2 = 9."""
    assert is_nhs_number("9434765919")
    assert [digit for digit in range(10) if is_nhs_number(f"943476591{digit}")] == [9]
    assert not any(is_nhs_number(f"000000006{digit}") for digit in range(1, 10))

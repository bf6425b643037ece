"""Personal data is masked, ordinary numbers are not."""

import pytest

from groundwork.clean import mask_personal_data
from groundwork.clean.personal_data import is_iban, is_luhn

REGIONS = ["GB", "US", "DE"]


def _mask(text: str) -> str:
    return mask_personal_data(text, regions=REGIONS)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to jane.o'neil+ev@mail.site.co.uk.", "Write to [EMAIL]."),
        ("mailto:a@b.example", "mailto:[EMAIL]"),
        ("Call +44 20 7946 0958 today", "Call [PHONE] today"),
        ("Call 020 7946 0018 or (0121) 496 0123.", "Call [PHONE] or [PHONE]."),
        ("Phone: 0049 30 901820", "Phone: [PHONE]"),
        ("In Berlin 030 901820, in the US 415-555-2671.", "In Berlin [PHONE], in the US [PHONE]."),
        ("Pay to GB82 WEST 1234 5698 7654 32 now", "Pay to [IBAN] now"),
        ("DE89370400440532013000", "[IBAN]"),
        ("GB82 WEST 1234 5698 7654 32 BIC ABCDEF22", "[IBAN] BIC ABCDEF22"),
        ("Card 4111 1111 1111 1111, please", "Card [CARD], please"),
        ("5555-5555-5555-4444 and 378282246310005", "[CARD] and [CARD]"),
        ("Amex 3782 822463 10005.", "Amex [CARD]."),
    ],
)
def test_personal_data_is_masked(text: str, expected: str) -> None:
    """Each kind in the forms in which people write it."""
    assert _mask(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The supply is 230 V, 32 A and 7.4 kW at 50 Hz.",
        "ISO 15118-20 and ISO 15118-2:2014 differ; so do IEC 61851-1:2017 and EN 62196-2.",
        "BS 7671:2018+A2:2022 (the 18th edition) demands it.",
        "On 2025-03-14, 14.03.2025 or 14/03/2025 at 18:30 to 05:30.",
        "It costs £1,234.56, €0.30/kWh, 27 p/kWh or 10 000 000 in all.",
        "Version 0.124.1 of 2024, build 20240201, port 8080, 192.168.178.201.",
        "Part number 0123456789 of batch 1234 5678 9012 3456.",
        "Registers 40070 to 40072, 0000000000000010b, 0x1F40, 00:1A:2B:3C:4D:5E.",
        "GB82 WEST 1234 5698 7654 33 fails its check; XX82 WEST 1234 5698 7654 32 is no country.",
        "4111 1111 1111 1112 fails its check; 41 11 11 11 11 11 11 11 is no card's grouping.",
        "The socket @home and the handle @evcc are no addresses.",
        "| 680 Ω | 20 A |\n| 220 Ω | 32 A |\n| 100 Ω | 63 A |",
        "RFC 3986, DIN 70121, SAE J1772, VDE-AR-N 4100, 2014/94/EU, 2023/1804.",
        "1,000 to 1,500 cycles; 60 000 – 100 000 km; 0.5 0.6 0.7 0.8 0.9",
        "0800 to 1600 hours, 0 to 100 in 0 30 60 90 minutes",
    ],
)
def test_ordinary_numbers_stay(text: str) -> None:
    """Units, dates, prices, standards, versions and addresses of machines are no personal data."""
    assert _mask(text) == text


def test_masks_are_counted_by_kind() -> None:
    """Every kind is in the counts, also with none found."""
    text = "a@b.example, c@d.example, +44 20 7946 0958, DE89 3704 0044 0532 0130 00"
    masked, counts = mask_personal_data(text, regions=[])
    assert masked == "[EMAIL], [EMAIL], [PHONE], [IBAN]"
    assert counts == {"email": 2, "phone": 1, "iban": 1, "card": 0}


def test_national_numbers_need_their_region() -> None:
    """Without regions only numbers with a country code are phone numbers."""
    text = "020 7946 0018 or +44 20 7946 0018"
    assert mask_personal_data(text, regions=[])[0] == "020 7946 0018 or [PHONE]"


def test_a_standard_is_no_phone_number() -> None:
    """A number after the name of a standards body stays whatever it looks like."""
    assert _mask("see DIN 030 901820") == "see DIN 030 901820"


def test_check_digits() -> None:
    """Examples of the standards: ISO 13616 (IBAN) and ISO/IEC 7812-1 (Luhn)."""
    assert is_iban("GB82WEST12345698765432")
    assert not is_iban("GB83WEST12345698765432")
    assert is_luhn("79927398713")
    assert not is_luhn("79927398710")

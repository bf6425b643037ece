"""Personal data is masked, ordinary numbers are not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from groundwork.clean import CleanConfig, mask_personal_data
from groundwork.clean.config import PersonalKind
from groundwork.clean.identifiers import is_iban, is_luhn
from groundwork.clean.personal_data import find_personal_data

Mask = Callable[..., str]


@pytest.fixture
def mask(config: CleanConfig) -> Mask:
    """Mask with the settings that ship with the repository."""

    def run(text: str, *, allowed: tuple[str, ...] = ()) -> str:
        return mask_personal_data(text, config.personal_data, allowed=allowed)[0]

    return run


def _find(text: str) -> list[tuple[PersonalKind, str]]:
    found = find_personal_data(text, phone_regions=["GB"])
    return [(item.kind, text[item.start : item.end]) for item in found]


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
        ("my card 630427373398 is lost", "my card [CARD] is lost"),
        ("iban gb82west12345698765432", "iban [IBAN]"),
        ("Phone:\n60-56-85-91", "Phone:\n[PHONE]"),
        ("Can someone call me on 9472 7916?", "Can someone call me on [PHONE]?"),
        ("Desk: (898)666-3621x0135", "Desk: [PHONE]"),
        ("450 0840 office, +46 (0)8 928 571 38 fax", "[PHONE] office, [PHONE] fax"),
        ("+44 7700 900123", "[PHONE]"),
        ("SSN: 460-89-9847", "SSN: [SSN]"),
        ("mqtt://anna:s3cr3t!@broker.example:1883", "mqtt://[CREDENTIALS]@broker.example:1883"),
        ("anna:s3cr3t!@10.0.0.2:1883", "[CREDENTIALS]@10.0.0.2:1883"),
        ("https://x.example/?to=a@b.example&n=1", "https://x.example/?to=[EMAIL]&n=1"),
    ],
)
def test_personal_data_is_masked(mask: Mask, text: str, expected: str) -> None:
    """Each kind in the forms in which people write it."""
    assert mask(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "The supply is 230 V, 32 A and 7.4 kW at 50 Hz.",
        "ISO 15118-20 and ISO 15118-2:2014 differ; so do IEC 61851-1:2017 and EN 62196-2.",
        "BS 7671:2018+A2:2022 (the 18th edition) demands it.",
        "On 2025-03-14, 14.03.2025 or 14/03/2025 at 18:30 to 05:30.",
        "It costs £1,234.56, €0.30/kWh, 27 p/kWh or 10 000 000 in all.",
        "Version 0.124.1 of 2024, build 20240201, port 8080, 192.168.178.201.",
        "Order 1234567812345670 has a right check digit, and no issuer.",
        "Part number 0123456789 of batch 1234 5678 9012 3456.",
        "Registers 40070 to 40072, 0000000000000010b, 0x1F40, 00:1A:2B:3C:4D:5E.",
        "GB82 WEST 1234 5698 7654 33 fails its check; XX82 WEST 1234 5698 7654 32 is no country.",
        "4111 1111 1111 1112 fails its check; 41 11 11 11 11 11 11 11 is no card's grouping.",
        "The socket @home and the handle @evcc are no addresses.",
        "| 680 Ω | 20 A |\n| 220 Ω | 32 A |\n| 100 Ω | 63 A |",
        "RFC 3986, DIN 70121, SAE J1772, VDE-AR-N 4100, 2014/94/EU, 2023/1804.",
        "1,000 to 1,500 cycles; 60 000 – 100 000 km; 0.5 0.6 0.7 0.8 0.9",
        "0800 to 1600 hours, 0 to 100 in 0 30 60 90 minutes",
        "0246810121416 and 0255075100 are axes of charts; open 08 08 08 08 08 09 to 20",
        "changed on 08-06-2017 and 08.04.2016; call on 08-06-2017; the mobile 2023 2024 range",
        "Calls to 10 000 000 people; the mobile 2019 2020 2021 count; cars registered 1 200 400",
        "https://shop.example/item/02079460018?id=4111111111111111",
        "Sections 000-12-3456, 666-12-3456, 900-12-3456 and 123-00-4567 are no numbers.",
    ],
)
def test_ordinary_numbers_stay(mask: Mask, text: str) -> None:
    """Units, dates, prices, standards, versions and addresses of machines are no personal data."""
    assert mask(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "mqtt://user:password@host.example",
        "broker: user:password@broker.example:1883",
        "smtp://username:password@mailserver.example:1234/?fromAddress=",
        "postgres://citrine:citrine@db.example/main, amqp://me:changeme@db.example",
        "rtsp://admin:<password>@camera.example, http://me:${TOKEN}@git.example",
        "redis://anna:s3cr3t@localhost:6379, http://anna:s3cr3t@127.0.0.1/",
        "ssh://git@git.example/group/project, git@git.example:group/project.git",
    ],
)
def test_connection_strings_stay(mask: Mask, text: str) -> None:
    """A password before a host is no e-mail address, and a word that stands for one no secret."""
    assert mask(text) == text


def test_what_may_stay_is_a_choice(config: CleanConfig) -> None:
    """Kinds that the config does not name are found, but neither masked nor counted."""
    only = replace(config.personal_data, masked_kinds=[PersonalKind.PHONE, PersonalKind.URL])
    text = "a@b.example or +44 20 7946 0958, see https://b.example/?to=a@b.example."
    assert mask_personal_data(text, only, allowed=()) == (
        "a@b.example or [PHONE], see [URL].",
        {"phone": 1, "url": 1},
    )


def test_a_domain_allows_its_own_contacts(mask: Mask) -> None:
    """In any spelling; `@domain` allows its addresses, and nobody else's."""
    allowed = ("+44 20 7946 0958", "@help.example", "Ann@b.example")
    text = "+44 (20) 7946-0958, desk@HELP.example, ann@b.example"
    assert mask(text, allowed=allowed) == text
    others = "+44 20 7946 0959, desk@help.example.net, eve@b.example"
    assert mask(others, allowed=allowed) == "[PHONE], [EMAIL], [EMAIL]"


def test_addresses_are_found() -> None:
    """Of pages and of machines on the public internet; versions and sections are none."""
    text = "(see https://a.example/x_(y).) www.b.example/z, 91.198.174.192 and 2a00:1450:4001::200e"
    assert _find(text) == [
        (PersonalKind.URL, "https://a.example/x_(y)"),
        (PersonalKind.URL, "www.b.example/z"),
        (PersonalKind.IP, "91.198.174.192"),
        (PersonalKind.IP, "2a00:1450:4001::200e"),
    ]
    assert (
        _find("v91.198.174.192, version 91.198.174.192, 192.168.1.20, 8.2.1.1 and 12:30:45") == []
    )


def test_postal_codes_need_their_name() -> None:
    """Digits are a postal code where they are called one; Canada's have a form of their own."""
    assert _find("ZIP: 3520, my zip code is 90010-170, PLZ 10115; Mill Village B0J 2H0") == [
        (PersonalKind.POSTAL_CODE, "3520"),
        (PersonalKind.POSTAL_CODE, "90010-170"),
        (PersonalKind.POSTAL_CODE, "10115"),
        (PersonalKind.POSTAL_CODE, "B0J 2H0"),
    ]
    assert _find("Aalborg 9100; unzip 2024 files; a zip of 3520 pages") == []


def test_masks_are_counted_by_kind(config: CleanConfig) -> None:
    """Every kind that is masked is in the counts, also with none found."""
    text = "a@b.example, c@d.example, +44 20 7946 0958, DE89 3704 0044 0532 0130 00"
    masked, counts = mask_personal_data(text, config.personal_data, allowed=())
    assert masked == "[EMAIL], [EMAIL], [PHONE], [IBAN]"
    assert {kind: count for kind, count in counts.items() if count} == {
        "email": 2,
        "phone": 1,
        "iban": 1,
    }
    assert set(counts) == {kind.value for kind in config.personal_data.masked_kinds}


def test_national_numbers_need_their_region(config: CleanConfig) -> None:
    """Without regions only numbers with a country code, or that are named, are phone numbers."""
    nowhere = replace(config.personal_data, phone_regions=[])
    text = "020 7946 0018 or +44 20 7946 0018, tel 020 7946 0018"
    assert mask_personal_data(text, nowhere, allowed=())[0] == (
        "020 7946 0018 or [PHONE], tel [PHONE]"
    )


def test_a_standard_is_no_phone_number(mask: Mask) -> None:
    """A number after the name of a standards body stays, and so does a book's."""
    for text in ("see DIN 030 901820", "ISBN-10: 0735211299", "GTIN 04012345678901"):
        assert mask(text) == text


def test_check_digits() -> None:
    """Examples of the standards: ISO 13616 (IBAN) and ISO/IEC 7812-1 (Luhn)."""
    assert is_iban("GB82WEST12345698765432")
    assert not is_iban("GB83WEST12345698765432")
    assert is_luhn("79927398713")
    assert not is_luhn("79927398710")

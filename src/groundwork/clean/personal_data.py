"""Personal data in a text: found by rules that check, and masked.

In: text. Out: text with `[EMAIL]`, `[PHONE]`, `[IBAN]` and `[CARD]`, and how many of each. Numbers
are masked only when they prove themselves: by check digits (IBAN, card) or by the numbering plan of
their country (phone). Ordinary numbers, dates, prices and standards stay.
"""

import re
from collections.abc import Callable, Iterator, Sequence

EMAIL, PHONE, IBAN, CARD = "[EMAIL]", "[PHONE]", "[IBAN]", "[CARD]"

_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9](?:[\w.+'-]{0,62}[\w+-])?@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}\b"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2}\d{2})(?:[ -]?[A-Z0-9]){11,40}")
_IBAN_LENGTHS = dict(
    re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 "
        "EE20 EG29 ES24 FI18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 "
        "IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 "
        "NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 SE24 SI19 SK24 SM27 ST25 SV28 "
        "TL23 TN24 TR26 UA29 VA22 VG24 XK20",
    )
)
"""Length of an IBAN by country (SWIFT's registry, release 97)."""
_CARD = re.compile(r"(?<![\w.,/:+-])(?:\d[ -]?){12,18}\d(?![\w/:-]|[.,]\d)")
_CARD_PREFIX = re.compile(
    r"4\d{15}(?:\d{3})?|4\d{12}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6(?:011|5\d\d|4[4-9]\d)\d{12}"
    r"|(?:50|5[6-9]|6\d)\d{14,17}"
)
"""Visa, Mastercard, American Express, Diners, JCB, Discover, Maestro."""
_CARD_GROUPS = re.compile(r"\d+|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")
_PHONE_HINT = re.compile(r"(?:\+|\(|\b0|\b\d{3}[-. ])[\d().\-/ ]{6}")
"""What a line with a phone number holds; to parse every number of every line takes seconds."""
_STANDARD = re.compile(r"(?:ISO|IEC|EN|BS|DIN|IEEE|RFC|SAE|UL|GB/T|VDE|NF|UN|ECE)[ /-]*$")
_NATIONAL = re.compile(r"\(?0\d|\(\d{3}\)|\d{3}[-. ]\d{3}[-. ]\d{4}$")
"""How national numbers begin: with a trunk zero, an area in brackets, or as in North America."""


def mask_personal_data(text: str, *, regions: Sequence[str]) -> tuple[str, dict[str, int]]:
    """Mask `text`; return it with the number of masks by kind, all kinds named.

    `regions` are the ISO 3166 codes of the countries whose national phone numbers are looked for.
    """
    counts = {"email": 0, "phone": 0, "iban": 0, "card": 0}
    steps: list[tuple[str, str, Callable[[str], Iterator[tuple[int, int]]]]] = [
        ("email", EMAIL, _find_emails),
        ("iban", IBAN, _find_ibans),
        ("card", CARD, _find_cards),
        ("phone", PHONE, lambda part: _find_phones(part, regions)),
    ]
    for name, mask, find in steps:
        spans = sorted(set(find(text)), reverse=True)
        before = len(text) + 1
        for start, end in spans:
            if end <= before:
                text = text[:start] + mask + text[end:]
                counts[name] += 1
                before = start
    return text, counts


def _find_emails(text: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _EMAIL.finditer(text)) if "@" in text else iter(())


def _find_ibans(text: str) -> Iterator[tuple[int, int]]:
    for match in _IBAN.finditer(text):
        length = int(_IBAN_LENGTHS.get(match[1][:2], "0"))
        end = _end_of_signs(text, match.start(), match.end(), length)
        signs = re.sub(r"[ -]", "", text[match.start() : end])
        whole = not text[end : end + 1].isalnum()
        if length and len(signs) == length and whole and is_iban(signs):
            yield match.start(), end


def _end_of_signs(text: str, start: int, end: int, number: int) -> int:
    """Where `number` letters and digits are complete, between `start` and `end`."""
    for at in range(start, end):
        number -= text[at].isalnum()
        if number == 0:
            return at + 1
    return end


def is_iban(signs: str) -> bool:
    """Whether the check digits of an IBAN without blanks are right (ISO 13616, mod 97)."""
    return int("".join(str(int(sign, 36)) for sign in signs[4:] + signs[:4])) % 97 == 1


def _find_cards(text: str) -> Iterator[tuple[int, int]]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _CARD_GROUPS.fullmatch(match[0]) and _CARD_PREFIX.fullmatch(digits) and is_luhn(digits):
            yield match.span()


def is_luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit (ISO/IEC 7812-1, Luhn)."""
    doubled = [int(d) * (2 if at % 2 else 1) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _find_phones(text: str, regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    start = 0
    for line in text.split("\n"):
        if _PHONE_HINT.search(line):
            for region in [*regions, None]:
                for match in PhoneNumberMatcher(line, region, Leniency.VALID):
                    if _is_phone(line, match.start, match.raw_string):
                        yield start + match.start, start + match.end
        start += len(line) + 1


def _is_phone(text: str, start: int, raw: str) -> bool:
    if _STANDARD.search(text[max(0, start - 12) : start]):
        return False
    if raw.startswith(("+", "(+", "00")):
        return True
    return bool(_NATIONAL.match(raw))

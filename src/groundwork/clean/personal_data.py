"""Personal data in a text: found by rules that check, and masked where the config says so.

In: text. Out: text with `[EMAIL]`, `[PHONE]` and so on, and how many of each. What is found proves
itself: by check digits (IBAN, card, NHS number), by the numbering plan of its country (phone), by
a form that nothing else has, or by the words beside it. Ordinary numbers, dates, prices, standards
and versions stay.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from groundwork.clean.config import PersonalDataConfig, PersonalKind
from groundwork.clean.identifiers import (
    Place,
    find_cards,
    find_credentials,
    find_emails,
    find_ibans,
    find_ips,
    find_postal_codes,
    find_ssns,
    find_urls,
)
from groundwork.clean.identifiers_uk import (
    find_bank_accounts,
    find_insurance_numbers,
    find_nhs_numbers,
    find_plates,
    find_postcodes,
)
from groundwork.clean.phones import find_phones


@dataclass(frozen=True, slots=True)
class Personal:
    """A piece of personal data in a text."""

    kind: PersonalKind
    start: int
    end: int


Find = Callable[[str], Iterator[Place]]
_FINDERS: dict[PersonalKind, Find] = {
    PersonalKind.CREDENTIALS: find_credentials,
    PersonalKind.EMAIL: find_emails,
    PersonalKind.IP: find_ips,
    PersonalKind.URL: find_urls,
    PersonalKind.IBAN: find_ibans,
    PersonalKind.CARD: find_cards,
    PersonalKind.BANK_ACCOUNT: find_bank_accounts,
    PersonalKind.NATIONAL_INSURANCE: find_insurance_numbers,
    PersonalKind.NHS_NUMBER: find_nhs_numbers,
    PersonalKind.SSN: find_ssns,
    PersonalKind.VEHICLE: find_plates,
    PersonalKind.POSTCODE: find_postcodes,
    PersonalKind.POSTAL_CODE: find_postal_codes,
}
"""In order of precedence where two kinds claim the same place; phone numbers come last. Addresses
of pages come after what may stand in them: digits in an address are no phone number."""


def find_personal_data(text: str, *, phone_regions: Sequence[str]) -> list[Personal]:
    """What is found in `text`, in order; only addresses of pages may hold others.

    `phone_regions` are the countries (ISO 3166) whose national phone numbers are looked for.
    """
    taken = bytearray(len(text))
    found = []
    finders: dict[PersonalKind, Find] = {
        **_FINDERS,
        PersonalKind.PHONE: partial(find_phones, regions=phone_regions),
    }
    for kind, find in finders.items():
        for start, end in sorted(set(find(text)), key=lambda place: (place[0], -place[1])):
            if kind is PersonalKind.URL or not any(taken[start:end]):
                found.append(Personal(kind, start, end))
                taken[start:end] = b"\1" * (end - start)
    return sorted(found, key=lambda item: (item.start, -item.end))


def mask_personal_data(
    text: str, config: PersonalDataConfig, *, allowed: Sequence[str]
) -> tuple[str, dict[str, int]]:
    """`text` with the kinds of `config` masked, and the number of masks by kind, all kinds named.

    `allowed` may stay: values, whatever their blanks and case, or `@domain` for its addresses.
    """
    counts = {kind.value: 0 for kind in config.masked_kinds}
    if not counts:
        return text, counts
    exempt = {_plain(value) for value in allowed}
    parts, at = [], 0
    for item in find_personal_data(text, phone_regions=config.phone_regions):
        value = text[item.start : item.end]
        if item.kind not in config.masked_kinds or item.start < at or _is_exempt(value, exempt):
            continue
        parts += [text[at : item.start], f"[{item.kind.upper()}]"]
        counts[item.kind.value] += 1
        at = item.end
    return "".join([*parts, text[at:]]), counts


def _is_exempt(value: str, exempt: set[str]) -> bool:
    plain = _plain(value)
    return plain in exempt or (plain.partition("@")[1] + plain.partition("@")[2]) in exempt


def _plain(value: str) -> str:
    """A value without what people write for the eye; a phone number keeps its `+`."""
    return re.sub(r"[\s()/.-]", "", value.casefold()) if "@" not in value else value.casefold()

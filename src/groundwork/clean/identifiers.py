"""Identifiers of people that prove themselves, by form or by check digits, in any country.

In: text. Out: where they stand, as (start, end). Nothing here knows what is to be masked.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address

Place = tuple[int, int]

_EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9](?:[\w.+'-]{0,62}[\w+-])?@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}\b"
)
_BEFORE_PASSWORD = re.compile(r"://[^\s/?#@]*$|(?<![\w.-])[\w.-]+:$")
_ADDRESS_WORD = re.compile(
    r"(?:mailto|sips?|xmpp|acct|(?:[\w.-]*[_.-])?(?:e-?mail|mail|to|from|b?cc|contact|address))[:=]$",
    re.I,
)
_AFTER_HOST = re.compile(r":\d{2,5}\b|:[\w.~-]*/|/")
_URL = re.compile(
    r"\b(?:https?|ftps?)://[^\s<>\"'`|{}\\^\[\]]+|(?<![\w@/.-])www\.[\w-]+\.[^\s<>\"'`|]+", re.I
)
_URL_END = ".,;:!?*_…’”"
_WITH_PASSWORD = re.compile(
    r"(?<=://)(?P<a>[^\s:/@?#<>]+:[^\s/@<>]+)(?=@[\w\[])"
    r"|(?<![\w.:/@-])(?P<b>[\w.-]+:[^\s:/@<>]{3,})(?=@[\w.-]+:\d{2,5}\b)"
)
_PLACEHOLDER = re.compile(
    r"[\W_]*|[<{$%(\[].*|[x*.…-]+|.*(?:example|change[_-]?me).*"
    r"|(?:your|my|the|some)?[_-]?(?:pass(?:word|wd|phrase)?|pwd?|secret|token|key|api[_-]?key)\d*",
    re.I,
)
_OWN_MACHINE = re.compile(r"@(?:localhost|127\.|\[::1\])")
_IP4 = re.compile(r"(?<![\w.-])(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|\.\d)")
_SECTION = re.compile(r"(?:(?:[12]?\d|3[01])\.){3}(?:[12]?\d|3[01])")
"""Of addresses one in 4,096 looks like this."""
_IP6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:)[0-9A-Fa-f:]{3,39}(?![\w:])")
_VERSION = re.compile(r"(?:\bv(?:ersion|er\.?)?|\brelease|\bfirmware|\bbuild)[ :]*$", re.I)
_IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2}\d{2})(?:[ -]?[A-Za-z0-9]){11,40}")
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
_CARD = re.compile(r"(?<![\w.,/:+-])(?:\d[ -]?){11,18}\d(?![\w/:-]|[.,]\d)")
_CARD_PREFIX = re.compile(
    r"4\d{15}(?:\d{3})?|4\d{12}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6(?:011|5\d\d|4[4-9]\d)\d{12}"
    r"|(?:50|5[6-9]|6\d)\d{14,17}"
)
"""Visa, Mastercard, American Express, Diners, JCB, Discover, Maestro."""
_CARD_WORD = re.compile(r"\b(?:card|cc|kart[en]?|maestro|jcb)\b[^\n\d]{0,24}$", re.I)
_CARD_GROUPS = re.compile(r"\d+|\d{4}([ -])\d{4}\1\d{4}\1\d{1,7}|\d{4}([ -])\d{6}\2\d{4,5}")
_SSN = re.compile(r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-]|\.\d)")


_NAMED_CODE = re.compile(
    r"\b(?:zip|postal|PLZ)(?:[ -]?code)?\b(?: is)?[ :*|]{1,4}"
    r"(\d{3,5}(?:[ -]?\d{2,4})?(?: ?[A-Z]{2})?)\b(?![.,]\d)",
    re.I,
)
_CANADIAN = re.compile(
    r"(?<![\w.-])[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d(?![\w-])"
)


def find_emails(text: str) -> Iterator[Place]:
    """E-mail addresses; `password@host` of a connection string is none."""
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        before = text[max(0, match.start() - 80) : match.start()]
        login = _is_login(before, text[match.end() : match.end() + 40])
        if not login and not _PLACEHOLDER.fullmatch(match[0].partition("@")[0]):
            yield match.span()


def _is_login(before: str, after: str) -> bool:
    """Whether what stands between is part of `scheme://user:password@host:port/path`."""
    if _ADDRESS_WORD.search(before):
        return False
    if re.search(r"://[^\s/?#@]*$", before):
        return True
    return bool(_BEFORE_PASSWORD.search(before) and _AFTER_HOST.match(after)) or bool(
        re.match(r":[\w.~-]+/[\w.~/-]+", after)
    )


def find_credentials(text: str) -> Iterator[Place]:
    """`user:password` before `@host`.

    Nobody's are those of the reader's own machine, those in which both are the same, and those that
    stand for one, such as `password`.
    """
    if "@" not in text:
        return
    for match in _WITH_PASSWORD.finditer(text):
        user, _, password = match[0].partition(":")
        local = _OWN_MACHINE.match(text, match.end())
        if not (local or user == password or _PLACEHOLDER.fullmatch(password)):
            yield match.span()


def find_urls(text: str) -> Iterator[Place]:
    """Addresses of pages, with their query, without the punctuation behind them."""
    for match in _URL.finditer(text):
        found = match[0].rstrip(_URL_END)
        unopened = max(found.count(")") - found.count("("), 0)
        closing = len(found) - len(found.rstrip(")"))
        found = found[: len(found) - min(unopened, closing)].rstrip(_URL_END)
        yield match.start(), match.start() + len(found)


def find_ips(text: str) -> Iterator[Place]:
    """Addresses on the public internet; `8.2.1.1` is a section, `v1.2.3.4` a version."""
    for pattern in (_IP4, _IP6):
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - 12) : match.start()]
            if _VERSION.search(before) or _SECTION.fullmatch(match[0]):
                continue
            try:
                if ip_address(match[0]).is_global:
                    yield match.span()
            except ValueError:
                continue


def find_ibans(text: str) -> Iterator[Place]:
    """Bank accounts by country, length and check digits."""
    for match in _IBAN.finditer(text):
        length = int(_IBAN_LENGTHS.get(match[1][:2].upper(), "0"))
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


def find_cards(text: str) -> Iterator[Place]:
    """Payment cards by check digit and grouping; by issuer, too, where no card is named."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if not (_CARD_GROUPS.fullmatch(match[0]) and is_luhn(digits)):
            continue
        named = _CARD_WORD.search(text[max(0, match.start() - 40) : match.start()])
        if named or _CARD_PREFIX.fullmatch(digits):
            yield match.span()


def is_luhn(digits: str) -> bool:
    """Whether the last digit is the right check digit (ISO/IEC 7812-1, Luhn)."""
    doubled = [int(d) * (2 if at % 2 else 1) for at, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def find_ssns(text: str) -> Iterator[Place]:
    """Social Security numbers of the United States, in the ranges that are issued."""
    return (match.span() for match in _SSN.finditer(text))


def find_postal_codes(text: str) -> Iterator[Place]:
    """Postal codes outside the United Kingdom: those of Canada, and digits that are named so."""
    yield from (match.span(1) for match in _NAMED_CODE.finditer(text))
    yield from (match.span() for match in _CANADIAN.finditer(text))

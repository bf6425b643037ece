"""Identifiers of the United Kingdom, where form, check digit or the words beside them prove them.

In: text. Out: where they stand, as (start, end).
"""

import re
from collections.abc import Iterator

from groundwork.clean.identifiers import Place

_AREAS = (
    "AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|"
    "EC|EH|EN|EX|FK|FY|G|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|"
    "LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|"
    "SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE"
)
_POSTCODE = re.compile(
    rf"(?<![\w.-])(?:(?:{_AREAS})\d[\dA-HJKMNP-Y]?|GIR) (?:\d[ABD-HJLNP-UW-Z]{{2}}|0AA)(?![\w-])"
)
"""Royal Mail's areas, and the letters that the last two can be (BS 7666)."""
_NAMED_POSTCODE = re.compile(
    rf"\bpost ?code\b[ \w:.*|-]{{0,20}}?[ :*|-]((?:{_AREAS})\d[\dA-Z]? ?\d[ABD-HJLNP-UW-Z]{{2}})\b",
    re.I,
)
_INSURANCE = re.compile(
    r"(?<![\w-])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
    r"([ -]?)\d{2}(?:\1\d{2}){2}\1[A-D](?![\w-])"
)
"""National Insurance number, its prefixes as HMRC's NIM39110 has them."""
_NHS = re.compile(r"(?<![\w.,+-])\d{3}([ -]?)\d{3}\1\d{4}(?![\w-]|[.,]\d)")
_NHS_ALONE = re.compile(r"(?<![\w.,+-])(?<!\d )\d{3} \d{3} \d{4}(?![\w-]|[.,]\d| \d)")
_NHS_WORD = re.compile(r"\bNHS\b[^\n]{0,40}$")
_PLATE = re.compile(
    r"(?<![\w-])[A-HJ-PR-Y]{2}(?:0[2-9]|[12]\d|5[1-9]|[67]\d) ?[A-HJ-PR-Z]{3}(?![\w-])"
)
"""Registrations since 2001: area, half-year (02 to 29 and 51 to 79), three letters."""
_OLD_PLATE = re.compile(
    r"(?<![\w-])(?:[A-HJ-NPR-TV-Y]\d{1,3} ?[A-HJ-PR-Z]{3}|[A-HJ-PR-Z]{3} ?\d{1,3}[A-HJ-NPR-TV-Y]"
    r"|[A-Z]{1,3} ?\d{1,4})(?![\w-])"
)
_PLATE_WORD = re.compile(
    r"\b(?:(?:number|licen[cs]e|reg(?:istration)?) ?plates?|registration(?: (?:number|mark|no\.?))?"
    r"|reg(?: (?:number|no\.?))?|VRM|VRN)\b(?: is| was| of)?[ .:*|\"']{0,4}$",
    re.I,
)
_ACCOUNT = re.compile(
    r"(?<![\w.-])(?P<sort>\d{2}(?P<gap>[ -]?)\d{2}(?P=gap)\d{2})"
    r"(?P<between>[^\d\n]{1,40}|\s*\n[^\d\n]{0,40})"
    r"(?P<account>\d{8}|\d{4} \d{4})(?![\w-]|[.,]\d)"
)
_SORT_WORD = re.compile(r"\bsort(?:ing)?[ -]?code\b[^\n\d]{0,20}$", re.I)
_ACCOUNT_WORD = re.compile(r"\b(?:acc(?:ount|t)?|a/c)\b", re.I)


def find_postcodes(text: str) -> Iterator[Place]:
    """Postcodes in capitals with their blank; others only where a postcode is named."""
    yield from (match.span() for match in _POSTCODE.finditer(text))
    yield from (match.span(1) for match in _NAMED_POSTCODE.finditer(text))


def find_insurance_numbers(text: str) -> Iterator[Place]:
    """National Insurance numbers with their last letter."""
    return (match.span() for match in _INSURANCE.finditer(text))


def find_nhs_numbers(text: str) -> Iterator[Place]:
    """Numbers with the right check digit, after the word NHS or alone in groups of 3, 3 and 4."""
    for match in _NHS.finditer(text):
        named = _NHS_WORD.search(text[max(0, match.start() - 60) : match.start()])
        alone = _NHS_ALONE.match(text, match.start())
        if (named or alone) and is_nhs_number(re.sub(r"\D", "", match[0])):
            yield match.span()


def is_nhs_number(digits: str) -> bool:
    """Whether the tenth digit is the right check digit (NHS Data Dictionary, modulus 11)."""
    check = 11 - sum(int(d) * (10 - at) for at, d in enumerate(digits[:9])) % 11
    return check != 10 and check % 11 == int(digits[9]) and len(set(digits)) > 1


def find_plates(text: str) -> Iterator[Place]:
    """Vehicle registrations since 2001; older forms only where a registration is named."""
    yield from (match.span() for match in _PLATE.finditer(text))
    for match in _OLD_PLATE.finditer(text):
        if _PLATE_WORD.search(text[max(0, match.start() - 40) : match.start()]):
            yield match.span()


def find_bank_accounts(text: str) -> Iterator[Place]:
    """Sort code and account number together, where one of the two is named."""
    for match in _ACCOUNT.finditer(text):
        before = text[max(0, match.start() - 40) : match.start()]
        if _SORT_WORD.search(before) or _ACCOUNT_WORD.search(match["between"]):
            yield match.start("sort"), match.end("account")

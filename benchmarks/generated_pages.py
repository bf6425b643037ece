"""Generated articles about invented chargers: the same page for the same number."""

import random
from dataclasses import dataclass

SYLLABLES = (
    "Aber Birk Carr Dun East Fal Glen Har Inver Jar Kel Lan Mar North Oak Pen Quar Rose Sel Thorn",
    "a e i o en er ing al or um",
    "by dale field ford ham holm ley mere mouth ridge stead ton ville wick worth",
)
THINGS = [
    "charging post", "rapid charger", "cable", "load controller", "meter", "socket", "transformer",
    "battery pack", "heat pump", "car park", "depot", "contactor", "payment terminal",
    "solar array", "inverter", "junction point", "service desk",
]  # fmt: skip
PEOPLE = [
    "drivers", "fitters", "the operator", "night staff", "tenants", "the council",
    "fleet managers", "inspectors", "delivery crews", "guests", "the landlord", "engineers",
    "taxi firms", "the caretaker",
]  # fmt: skip
TIMES = [
    "before dawn", "at noon", "in January", "after a storm", "on Sundays", "during the night",
    "every spring", "at weekends", "once a month", "in the rush hour", "over the holidays",
    "within a year", "since last autumn",
]  # fmt: skip
VERBS = [
    "supplies", "replaces", "monitors", "limits", "measures", "protects", "controls", "serves",
    "balances",
]  # fmt: skip
REASONS = [
    "the supply is shared", "its fuse trips early", "a relay sticks", "the tariff falls",
    "frost slows it", "demand is low", "the firmware was renewed", "the cabinet is ventilated",
    "its sensor drifts", "the queue is short", "the contract asks for it",
    "water entered the duct",
]  # fmt: skip
PATTERNS = (
    "{maker} {thing}s in {place} draw {n}.{d} kW {time} because {reason}.",
    "The {place} {thing} {verb} {n} bays, and {people} inspect it {time}.",
    "{People} replaced {n} {thing}s near {place} when {reason}.",
    "A {thing} from {maker} costs {n} pounds at {place} and lasts {d} years.",
    "If {reason}, the {thing} {verb} the {other} until {people} reset it.",
    "{Time}, {people} at {place} reported {n} faults of the {maker} {thing}.",
    "The {other} beside the {thing} trips at {n} mA, so {people} test it {time}.",
    "{maker} built the {place} {other} in {n} days although {reason}.",
    "Up to {n} {people} share one {thing}, which {verb} a {other} {time}.",
    "Should the {other} fail {time}, {people} call {maker} and the {place} {thing} stops.",
)


@dataclass(frozen=True, slots=True)
class Article:
    """A page in the making: what it is about, with the dice that write it."""

    dice: random.Random
    places: list[str]
    makers: list[str]
    things: list[str]

    @classmethod
    def draw(cls, number: int) -> "Article":
        """The same article for the same number."""
        dice = random.Random(number)  # noqa: S311  text, not a secret
        return cls(
            dice,
            [_name(dice) for _ in range(6)],
            [_name(dice) for _ in range(4)],
            dice.sample(THINGS, 6),
        )

    def sentence(self) -> str:
        """One statement about invented chargers."""
        dice = self.dice
        words = {
            "maker": dice.choice(self.makers), "place": dice.choice(self.places),
            "thing": dice.choice(self.things), "other": dice.choice(self.things),
            "verb": dice.choice(VERBS), "time": dice.choice(TIMES),
            "people": dice.choice(PEOPLE), "reason": dice.choice(REASONS),
            "n": dice.randint(3, 950), "d": dice.randint(1, 9),
        }  # fmt: skip
        capitals = {name.title(): str(words[name]).capitalize() for name in ("people", "time")}
        return dice.choice(PATTERNS).format(**words, **capitals)

    def paragraph(self, words: int) -> str:
        """At least so many words."""
        said = ""
        while len(said.split()) < words:
            said += self.sentence() + " "
        return f"<p>{said}</p>"


def _name(dice: random.Random) -> str:
    return "".join(dice.choice(part.split()) for part in SYLLABLES)


def page(
    number: int, *, pages: int, words: int, edited: bool = False, around: tuple[str, str] = ("", "")
) -> str:
    """An article with headings and links; an edited one ends with one paragraph more.

    `around` is what the site puts before and after the article.
    """
    article = Article.draw(number)
    title = f"{article.makers[0]} {article.things[0]}s of {article.places[0]}"
    body = [f"<h1>{title}</h1>"]
    for place, thing in zip(article.places[1:], article.things[1:], strict=True):
        body += [f"<h2>{place} {thing}s</h2>", *(article.paragraph(words // 10) for _ in range(2))]
    if edited:
        body.append(article.paragraph(10))
    links = "".join(
        f'<li><a href="{n}.html">site {n}</a></li>' for n in ((number + 1) % pages, number // 2)
    )
    head = f"<head><meta charset=utf-8><title>{title}</title></head>"
    inner = f"{around[0]}{''.join(body)}<ul>{links}</ul>{around[1]}"
    return f"<!doctype html><html lang=en>{head}<body>{inner}</body></html>"


def boilerplate(links: int) -> tuple[str, str]:
    """Banner, menu and footer of a site, some 70 bytes a link and half of them above the text."""
    menu = "".join(
        f'<li class="menu-item"><a href="/section-{n}/" title="Section {n}">{_name(dice)}</a></li>'
        for n, dice in ((n, random.Random(-1 - n)) for n in range(links))  # noqa: S311  as above
    )
    before = f'<header><div class="logo">All sites</div><nav><ul>{menu}</ul></nav></header><main>'
    cookies = '<div class="cookie-banner"><p>We use cookies. <button>Accept</button></p></div>'
    return before, f"</main><footer><ul>{menu}</ul><p>All rights reserved.</p></footer>{cookies}"

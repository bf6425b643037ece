"""Which texts stand on their own.

In: questions and answers. Out: whether a reader who has not seen the page understands them.
"""

import re
from itertools import pairwise

from groundwork.qa.lexicon import BE, POINTING, PRONOUNS, VERBS
from groundwork.qa.pairs import Kind
from groundwork.qa.specific import named
from groundwork.qa.words import FINITE, NOUNS, QUANTITY, Token, tokens_of

_PAGE_WORDS = re.compile(
    r"\b(?:this|the) (?:page|guide|article|chapter|section|workbook|checklist|glossary|table"
    r"|figures?|example|lines?|row|column|list|(?:\w+ )?answer|question|reader|arithmetic|sum)\b"
    r"|\b(?:worked examples?|see also|step \d|the (?:one|two|three|first|second|last|others?|rest"
    r"|next|sample|result|point|reason|rule|idea|difference|effect|figure|case|method|trick"
    r"|default values?)"
    r"(?! (?:of|for|in|to|why|when|at|on|between|that)\b)\b)"
    r"|\bthe \w+ (?:column|row)\b|\b(?:web pages?|brackets|this site)\b"
    r"|\bsteps? (?:one|two|three|four)\b|\bof the two\b|\bamong them\b"
    r"|\bthe (?:first|second|third|fourth|next|last) \w+"
    r"|\bas much\?|\bin exchange\b|\bin (?:one|two|three) (?:situation|case|way|place)s?\b"
    r"|\bfollows in\b|\bthe (?:job|task)\b|(?<!how )\b(?:much|far) \w+er (?!than\b)\w+(?! than)"
    r"|\bthe (?:regulations?|duty|scheme|voucher|exception|statement|installation|design|outage"
    r"|directive|fall|error|test|height|window|messenger|vapour|agent|opposite|reverse"
    r"|lead|load cap|plan|project)\b(?! (?:of|for|on|in|that|which|at|to)\b)|[×÷=≤≥]"
    r"|\[[A-Z]{3,}\]|\bas well\?|\beven\b(?! (?:when|if|though))|\bsays? \""
    r"|\bthe (?:two|three|four|six|eight|ten|twelve|twenty|thirty|forty)-\w+"
    r"|\bat least \w+ (?:at|in|of|for)\b"
    r"|\bthe (?:system|box|bargain|outlet)\b(?! (?:of|for|that)\b)"
    r"|\bthe \d|\boutside the \w+\?"
    r"|\b(?:an?|the) (?:\w+(?:f|n|s|v|gh|x)th|\w+enth)\b"
    r"|\b(?:company|provider|operator|driver|charger|site) [A-Z]\b|\b(?:too|even)\?"
    r"|\bequally\b|\bentries\b|\bthe (?:copy|original|device)\b(?! (?:of|that|which)\b)"
    r"|\bby \d[\d.]* ?m\?|^(?:at|with) \d[\d.,]* ?(?:%|per cent), ",
    re.IGNORECASE,
)
_CITES = re.compile(
    r"(?<!\d )\b(?:Schedule|Section|Annex|Article|Chapter|Class|Clause|[Pp]art) (?:\d+|[A-Z])\b"
    r"(?! (?:of|in|to) )"
)
"""Parts of a law or standard that is not named: "What does Section 722 require?"."""
_REFERS = re.compile(
    r"\b(?:covered|described|explained|treated|discussed|compared|worked out|set out|listed"
    r"|dealt with|taken up) (?:in|under|on|separately|elsewhere)\b|\bpages? of (?:its|their) own\b"
    r"|\bfurther (?:hints|details|reading|advice)\b|\b(?:is|are) given in\b"
    r"|\bha(?:s|ve) the details\b|\b\w+ed as in\b"
    r"|\bour (?:page|guide|list)\b"
    r"|\bis the subject of\b|\b(?:is|are) a matter for\b|\bsee (?:also )?(?:the|our|under)\b"
    r"|\bas (?:above|below|follows)\b"
    r"|\bin (?:the|this) (?:table|list|section|page)\b",
    re.IGNORECASE,
)
"""Sentences that send the reader elsewhere."""
_ORPHAN_START = re.compile(
    r"(?:so|but|and|or|then|yet|otherwise|instead|second|secondly|third|thirdly|next|also|besides"
    r"|however|therefore|thus|hence|likewise|similarly|conversely|meanwhile|afterwards|finally"
    r"|lastly|still|even so|in that case|in this case|in other words|for example|for instance"
    r"|that is|it|this|these|those|they|such|both|neither|either|he|she|we|here|there|some|others"
    r"|one|another|each|all|most|many|few|several|none|nor|as a result|by contrast|in contrast"
    r"|anyone who|in return|in most cases"
    r"|the \d|the same|the latter|the former|the rest|other"
    r"|the other|the others|what|that|to do so|again"
    r"|only then|suppose|imagine|say|take|now|read|see|more on|note)\b",
    re.IGNORECASE,
)
_KEEPS = re.compile(
    r"(?:most|many|some|several|few|each|all|both|another|either|neither|one|more|such)"
    r" (?!of (?:them|these|those|the)\b)[\w-]+",
    re.IGNORECASE,
)


_PARTNERS = {
    "such": "as", "instead": "of", "either": "or", "neither": "nor", "both": "and", "same": "as",
}  # fmt: skip
"""Words that point nowhere when their partner follows."""


def stands_alone(sentence: str) -> bool:
    """Whether a sentence can be an answer: nothing in it points to what stood before."""
    if _ORPHAN_START.match(sentence) and not _quantified(sentence):
        return False
    if _REFERS.search(sentence) or sentence.endswith(":"):
        return False
    return not _points_back(tokens_of(sentence))


def _quantified(sentence: str) -> bool:
    """Whether the first word counts a noun of its own: "Most cars …", not "Most are …"."""
    match = _KEEPS.match(sentence)
    if match is None:
        return False
    tokens = tokens_of(sentence)
    return len(tokens) > 1 and any(t.tag in NOUNS for t in tokens[1:3])


def _points_back(tokens: tuple[Token, ...]) -> bool:
    for number, token in enumerate(tokens):
        word = token.lower
        after = tokens[number + 1] if number + 1 < len(tokens) else None
        if word in PRONOUNS and not _has_noun(tokens[:number]):
            return True
        if word in {"this", "these", "those", "latter", "former", "such"}:
            if word == "such" and after is not None and after.lower == "as":
                continue
            if word == "those" and after is not None and after.lower in {"who", "with", "of"}:
                continue
            return True
        if word == "that" and _demonstrative(tokens, number):
            return True
    return False


def _has_noun(tokens: tuple[Token, ...]) -> bool:
    return any(token.tag in NOUNS or token.tag == QUANTITY for token in tokens)


def _demonstrative(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether "that" points: "for that behaviour", "after that", "and that takes"."""
    before = tokens[number - 1] if number else None
    after = tokens[number + 1] if number + 1 < len(tokens) else None
    if before is None or after is None or after.text in ".,;:":
        return True
    if before.lower in {"so", "such", "provided"}:
        return False
    if after.tag in {"IN", "RB", "CC"} and before.tag not in NOUNS:
        return True
    if before.tag in FINITE | {"VB", "VBG", "JJ"} and after.tag in NOUNS:
        orders = before.tag == "VB" and after.tag == "NN"
        return orders or not any(t.tag in FINITE for t in tokens[number + 2 : number + 8])
    return before.tag in {"IN", "CC", "TO", ","} and before.lower not in {"than", "except"}


def is_sound(question: str) -> bool:
    """Whether a question is understood without the page that it came from."""
    tokens = tokens_of(question)
    words = [token.lower for token in tokens]
    if _PAGE_WORDS.search(question) or _CITES.search(question):
        return False
    if _unbalanced(question) or _is_bare(question):
        return False
    for number, word in enumerate(words):
        if word in POINTING and not _is_told(tokens, number):
            return False
        if word in PRONOUNS and not _has_noun(tokens[1:number]):
            return False
        if word == "that" and _demonstrative(tokens, number):
            return False
        if word == "one" and not _counts(tokens, number):
            return False
    return not _dangles(tokens) and not _disagrees(question) and not _lacks_noun(tokens)


_CHOICE = re.compile(
    r"(?!Is it true)(?:Is|Are|Was|Were|Do|Does|Did|Can|Could|Should|Must|Will|Would|Has|Have)"
    r" .* or "
)
"""Asked for yes or no, "or" reads as a choice of which one is the answer."""
_CUT = re.compile(
    r"\b(?:or|and|the|an?|(?:two|three|four|five|six|\d+) to)\?$|\bdifferently\b"
    r"|\bthat \w+(?<!s) (?:to|by|from) \d|^When (?:is|are) an? .* an? "
    r"|^What (?:do|does|can) .* (?:let|make|keep|leave|render|put|turn) "
    r"|\bin addition\b(?! to)"
    r"|^(?:Should|What happens) .*\b(?:its|their|them|it\?)"
    r"|\b(?:on|to|from|with|by|of|at|for|into) (?:in|of|on|and|rather)\b(?! including)"
    r"|^When (?:do|does) .* take\b|\bfrom (?:about )?[£€]?\d\S*(?: \S+)?\?$|['’]s\?$|\(only\b"
    r"|^(?:Can|Does|Is|Will|Would|Could|Must) the same\b|\bwhich the \w+\?$|\bthat happen\?$"
)
_PARTED = re.compile(r"\b(?:put|taken|given|left) (?:in|out|over)\?$")
"""Participles of the noun that was asked for."""
_STRANDED = re.compile(r"\b(?:at|by|with|of|in|for|from|to)\?$")
_LINKS = frozenset(["be", "get", "become", "have", "keep", "leave", "make", "remain", "stay"])
"""Infinitives that a participle may follow."""
_WHOLE_VERBS = frozenset(
    ["need", "require", "mean", "include", "contain", "measure", "offer", "protect", "prevent"]
)
"""Verbs whose object alone answers what was asked: "What does a wallbox need?"."""


def is_finished(question: str, *, kind: Kind) -> bool:
    """Whether nothing was cut off that its sentence needs to be true of one thing.

    "What does a card tie?" lost "to a van"; "a shorter spell" lost what it is shorter than.
    """
    if _CUT.search(question) or _PARTED.search(question):
        return False
    if kind is Kind.YES_NO and (_CHOICE.match(question) or _STRANDED.search(question)):
        return False
    tokens = tokens_of(question)
    if re.match(r"What ", question) and any(_is_garbled(*pair) for pair in pairwise(tokens)):
        return False
    compares = any(token.tag in {"JJR", "RBR"} for token in tokens)
    if compares and kind is not Kind.COMPARISON and not re.search(r"\bthan\b", question):
        return False
    if not re.match(r"What (?:percentage )?(?:do|does|did|can|could|must|may|will) ", question):
        return True
    last = next(token for token in reversed(tokens) if token.text != "?")
    has_verb = any(t.tag in {"VB", "VBP"} and t is not last for t in tokens[2:])
    return last.lower in _WHOLE_VERBS or (has_verb and last.tag not in {"VB", "VBP"})


def _is_garbled(verb: Token, after: Token) -> bool:
    """Whether what is asked for was taken out of the middle: "does a battery return put in"."""
    return verb.tag == "VB" and verb.lower not in _LINKS and after.tag in {"VBN", "VBD"}


def _lacks_noun(tokens: tuple[Token, ...]) -> bool:
    """Whether "which" is followed by the verb at once: "Which supplies power only after …?"."""
    if len(tokens) < 3 or tokens[0].lower != "which":
        return False
    verb, after = tokens[1], tokens[2]
    return verb.lower in VERBS | {"supplies"} and after.tag in NOUNS | {"VB", "VBP"}


def _disagrees(question: str) -> bool:
    """Whether a second verb kept its ending: "Does it compare the flow and switches off?"."""
    tokens = tokens_of(question)
    if any(a.lower == "does" and b.tag == "NNS" for a, b in pairwise(tokens)):
        return True
    if re.search(r"\b[Dd]o an? ", question) and not re.search(r"\band an? ", question):
        return True
    if any(a.lower == "and" and b.tag == "VBD" for a, b in pairwise(tokens)):
        return any(token.lower == "did" for token in tokens)
    found = re.search(
        r",? and (?:\w+ly )?(?P<verb>\w+s) (?:off|on|up|down|out|away|back|the|an?|its|their|by)\b",
        question,
    )
    if found is None or not re.search(r"\b(?:[Dd]o|[Dd]oes|[Dd]id|[Ii]s|[Aa]re) ", question):
        return False
    return found["verb"] in VERBS or not re.search(r"\b[Ii]s|[Aa]re\b", question)


def _is_told(tokens: tuple[Token, ...], number: int) -> bool:
    """Whether a word that often points says itself what it means: "above 80 %", "both ends"."""
    word = tokens[number].lower
    after = [token.lower for token in tokens[number + 1 :]]
    following = tokens[number + 1] if after else None
    if following is None:
        return False
    if word in _PARTNERS:
        return after[0] == _PARTNERS[word] or _PARTNERS[word] in after[1:8]
    if word in {"above", "below"}:
        return following.tag in {QUANTITY, "CD", "DT", "NNP"}
    return word == "both" and following.tag == "NNS"


def _is_bare(question: str) -> bool:
    """Whether it names too little: "What can you do?"."""
    names_thing = re.match(r"What (?:is|are) (?:an? |[A-Z]{2})", question)
    return len(named(question)) < 2 and not names_thing


def _counts(tokens: tuple[Token, ...], number: int) -> bool:
    after = tokens[number + 1] if number + 1 < len(tokens) else None
    return after is not None and (after.tag in NOUNS or after.tag == "JJ" or after.lower == "of")


def _dangles(tokens: tuple[Token, ...]) -> bool:
    """Whether it ends by comparing with something that is not named: "Is it more expensive?"."""
    if any(token.lower in {"than", "no"} for token in tokens):
        return False
    last = [token for token in tokens if token.text != "?"][-2:]
    if last[-1].tag in {"JJR", "RBR"}:
        return True
    is_state = bool(BE & {token.lower for token in tokens})
    return is_state and last[0].tag in {"JJR", "RBR"} and last[-1].tag == "JJ"


def _unbalanced(text: str) -> bool:
    if text.count("(") != text.count(")") or text.count('"') % 2:
        return True
    return text.count("“") != text.count("”")

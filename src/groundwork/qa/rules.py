"""The rule-based generator: question-answer pairs of a document, without any model.

In: the passages of one document in order. Out: `Question` records with their evidence, not yet
validated. Deterministic, and a function of that document alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby, zip_longest

from groundwork.artifacts import short_id
from groundwork.qa.claims import claims
from groundwork.qa.config import RulesConfig
from groundwork.qa.headings import occasion
from groundwork.qa.lead import lead_of, names_section, with_lead
from groundwork.qa.lexicon import PRONOUNS
from groundwork.qa.lists import section_pairs
from groundwork.qa.pairs import Kind, Pair
from groundwork.qa.paraphrase import paraphrase
from groundwork.qa.sentences import Ask, ask
from groundwork.qa.sound import is_finished, is_sound, stands_alone
from groundwork.qa.specific import is_example, is_specific, is_whole, named
from groundwork.qa.tables import table_pairs
from groundwork.qa.units import Shape, Unit, units_of
from groundwork.qa.verdicts import CLAIM, NO, YES
from groundwork.qa.words import NOUNS, is_english, knows, tokens_of
from groundwork.records import Chunk, Evidence, Question

ORIGIN = "rules"
_LEANS = re.compile(r"\b(?:then|therefore|thus|hence|consequently|otherwise|still)\b")
"""Words by which a sentence draws on the one before."""
_CLAUSE_END = re.compile(r"[;:]|, (?:and|so|but|yet|or|because|while|whereas)\b")
ADVICE = "Should you "
_PUBLISHER = re.compile(r"(?:about|contact|imprint)\b", re.IGNORECASE)
"""Pages about the site itself."""
_TO_YOU = re.compile(r"(?:(?:Why|What|When|How) )?[Ss]hould you ")
LONG = 24
"""Words of a question that says enough without the section that it is from."""
MIN_ITEM_TERMS = 5
"""Words that advice or a list item must name when its list and heading are not there."""


def generate_by_rules(passages: Sequence[Chunk], *, config: RulesConfig) -> list[Question]:
    """Questions of one document's `passages`, which are in order; overlaps are used once."""
    if _PUBLISHER.match(passages[0].title):
        return []
    used: set[str] = set()
    questions: list[Question] = []
    above = ""
    text = " ".join(chunk.text for chunk in passages)
    for number, chunk in enumerate(passages):
        continues = number > 0 and chunk.heading == above
        above = chunk.heading
        pairs = list(_pairs(chunk, config=config, continues=continues))
        pairs += _in_other_words(pairs) if config.paraphrases else []
        for pair in _led(pairs, chunk, seen=text):
            if pair.question not in used:
                used.add(pair.question)
                questions.append(as_question(pair, chunk=chunk, origin=ORIGIN))
    words = sum(len(chunk.text.split()) for chunk in passages)
    return _share_out(questions, most=max(1, round(config.per_hundred_words * words / 100)))


def _led(pairs: Sequence[Pair], chunk: Chunk, *, seen: str) -> list[Pair]:
    """The pairs with what their page and section are about, where they do not say so."""
    heading = chunk.heading.rpartition(" > ")[2]
    plain = lead_of(chunk.title, seen=seen)
    within = lead_of(chunk.title, heading=heading, seen=seen)

    def lead(pair: Pair) -> str:
        told = len(pair.question.split()) > LONG
        told = told or names_section(pair.question, title=chunk.title, heading=heading)
        return plain if told and not _needs_section(pair) else within

    told = [pair for pair in pairs if within or not _TO_YOU.match(pair.question)]
    return [replace(pair, question=with_lead(pair.question, lead(pair))) for pair in told]


def _needs_section(pair: Pair) -> bool:
    return pair.quote.startswith("|") or bool(_TO_YOU.match(pair.question))


def _share_out(questions: Sequence[Question], *, most: int) -> list[Question]:
    """At most so many, in their order: one of each kind in turn, as long as it has any.

    Which of a kind is drawn from its id, so that no part of the document is preferred.
    """
    by_kind: dict[str, list[Question]] = {}
    for question in sorted(questions, key=lambda question: question.question_id):
        by_kind.setdefault(question.kind, []).append(question)
    turns = zip_longest(*(by_kind[kind] for kind in Kind if kind in by_kind))
    in_turn = [question for turn in turns for question in turn if question]
    chosen = {question.question_id for question in in_turn[:most]}
    return [question for question in questions if question.question_id in chosen]


def _in_other_words(pairs: Sequence[Pair]) -> list[Pair]:
    again = [(pair, paraphrase(pair.question)) for pair in pairs]
    return [replace(pair, question=question) for pair, question in again if question]


def as_question(pair: Pair, *, chunk: Chunk, origin: str) -> Question:
    """A pair as a record that points to its passage; the split is still empty."""
    return Question(
        question_id=short_id(chunk.passage_id, pair.question, pair.answer),
        question=pair.question,
        answer=pair.answer,
        answerable=True,
        category=chunk.category,
        kind=str(pair.kind),
        evidence=(Evidence(passage_id=chunk.passage_id, quote=pair.quote, url=chunk.url),),
        facts=(),
        document_id=chunk.document_id,
        split="",
        origin=origin,
    )


def _pairs(chunk: Chunk, *, config: RulesConfig, continues: bool) -> Iterator[Pair]:
    units = units_of(chunk)
    yield from section_pairs(chunk, units, continues=continues)
    for _, group in groupby(units, key=lambda unit: (unit.group, unit.shape)):
        rows = list(group)
        if rows[0].shape is Shape.ROW and not is_example(_above(chunk, rows[0])):
            yield from _at_most(table_pairs(rows, seen=chunk.text), config.per_row)
    for unit in units:
        for sentence in unit.sentences:
            found = _sentence_pairs(sentence, unit=unit, chunk=chunk, config=config)
            yield from (p for p in found if unit.shape is Shape.SENTENCE or _keeps(p))


def _keeps(pair: Pair) -> bool:
    """Whether a list item answers: alone it is seldom a statement that one can say yes to."""
    if pair.question.startswith(CLAIM):
        return False
    says_enough = len(named(pair.question)) >= MIN_ITEM_TERMS and " the " not in pair.question[:12]
    return pair.kind is not Kind.YES_NO or pair.question.startswith(ADVICE) or says_enough


def _above(chunk: Chunk, unit: Unit) -> str:
    return f"{chunk.title} {unit.heading}"


def _at_most(pairs: Iterator[Pair], per_row: int) -> Iterator[Pair]:
    for _, group in groupby(pairs, key=lambda pair: pair.quote):
        yield from [pair for pair in group if is_sound(pair.question)][:per_row]


def _sentence_pairs(
    sentence: tuple[str, str], *, unit: Unit, chunk: Chunk, config: RulesConfig
) -> Iterator[Pair]:
    text, quote = sentence
    words = len(text.split())
    if not config.min_sentence_words <= words <= config.max_sentence_words:
        return
    if text.endswith("?") or not is_english(text) or not stands_alone(text):
        return
    when = occasion(unit.heading, chunk.title if unit.ordered else "", seen=chunk.text)
    asked = [_placed(item, when) for item in ask(text, seen=chunk.text)]
    leans = bool(_LEANS.search(text))
    adds = re.search(r"\b[Aa]lso\b", text) is not None
    found = [
        i
        for i in asked
        if _is_clear(i, leans=leans or (adds and not i.verdict))
        and not _reaches_back(i.question, text)
    ]
    tells = is_example(_above(chunk, unit), chunk.text)
    if tells:
        found = [i for i in found if is_whole(i.question) and not i.verdict]
    told = _as_answer(text)
    chosen = [*_open(found)[: config.per_sentence], *_verdicts(found, quote)[: config.verdicts]]
    claimed = [] if chosen or tells else _claimed(text, seen=chunk.text)[: config.verdicts]
    for item in [*chosen, *claimed]:
        answer = f"{item.verdict}. {told}" if item.verdict else told
        yield Pair(question=item.question, answer=answer, kind=item.kind, quote=quote)


def _placed(item: Ask, when: str) -> Ask:
    """Advice with the occasion that its heading names: "After a flood, should you …?"."""
    if not when or not item.question.startswith(ADVICE):
        return item
    question = f"{when[0].upper()}{when[1:]}, {item.question[0].lower()}{item.question[1:]}"
    return replace(item, question=question)


def _reaches_back(question: str, text: str) -> bool:
    """Whether a pronoun may stand for something in a clause before the one that is asked for."""
    tokens = tokens_of(question)
    if not any(token.lower in PRONOUNS for token in tokens):
        return False
    nouns = [rf"\b{re.escape(token.text)}\b" for token in tokens if token.tag in NOUNS]
    places = [found.start() for found in (re.search(noun, text) for noun in nouns) if found]
    start = min(places, default=0)
    return bool(_CLAUSE_END.search(text[:start]))


def _is_clear(item: Ask, *, leans: bool) -> bool:
    statement = item.question.removeprefix(f"{CLAIM} ")
    if not is_sound(statement) or not is_finished(item.question, kind=item.kind):
        return False
    if leans and item.kind in {Kind.DEFINITION, Kind.NUMBER}:
        return False
    if item.question.startswith(ADVICE):
        return len(named(item.question)) >= MIN_ITEM_TERMS
    return is_specific(statement, is_verdict=bool(item.verdict), leans=leans)


def _claimed(text: str, *, seen: str) -> list[Ask]:
    """What is asked of a sentence that no rule takes apart."""
    asked = [Ask(question, Kind.YES_NO, word) for question, word in claims(text, seen=seen)]
    return [item for item in asked if is_finished(item.question, kind=item.kind)]


def _open(found: Sequence[Ask]) -> list[Ask]:
    """What does not ask for yes or no, each question once."""
    return list(dict.fromkeys(item for item in found if not item.verdict))


def _verdicts(found: Sequence[Ask], quote: str) -> list[Ask]:
    """Yes and no in turn: which comes first is drawn from the sentence, so that both are asked."""
    yes, no = ([i for i in found if i.verdict == word] for word in (YES, NO))
    first, second = (no, yes) if int(short_id(quote), 16) % 2 else (yes, no)
    return list(dict.fromkeys(item for pair in zip_longest(first, second) for item in pair if item))


def _as_answer(text: str) -> str:
    stop = "" if text.endswith((".", "!", "?", '"', "”", ")")) else "."
    first = text[0].upper() if knows(text.split()[0]) else text[0]
    return f"{first}{text[1:]}{stop}"

"""The prompt of a language model, and how its answer is read.

In: a question and passages. Out: the user's turn, shortened to fit; and from a generation a
`Draft` whose sentences carry the passage that supports them. Training, evaluation, the service and
the endpoint all use this one wording. It is one user turn: some chat templates know no other.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from groundwork.answer.draft import Draft, Support
from groundwork.chunk import split_sentences
from groundwork.config import DomainConfig
from groundwork.errors import InputError
from groundwork.records import Chunk

TEMPLATE = """\
{persona} Answer with sentences from the passages, each followed by the number of its passage. \
If the passages do not answer the question, say: {refusal}

{passages}

Question: {question}"""

MIN_OVERLAP = 0.7
"""Share of a sentence's words that a sentence of a passage must hold to support it when it is not
verbatim; every number of it must be there too. Stricter than a judge, on purpose."""
COPIED_WORDS = 3
"""Words in a row that count as copied."""

_MARKERS = re.compile(r"(?:\s*\[\d+\])+")
_NUMBER_IN_MARKER = re.compile(r"\d+")
_WORD = re.compile(r"\w+(?:[.,]\w+)*")
_CLOSING = ".!?…)]\"'”’"


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage as the prompt shows it: the first lines of its text, a sentence a line."""

    chunk: Chunk
    lines: tuple[str, ...]


def prompt_text(domain: DomainConfig) -> str:
    """The prompt with `{passages}` and `{question}` left open, as releases record it."""
    return _fill(domain, passages="{passages}", question="{question}")


def user_turn(question: str, shown: Sequence[Shown], *, domain: DomainConfig) -> str:
    """The user's turn with the passages numbered from 1 in the order given."""
    blocks = [_block(number, item) for number, item in enumerate(shown, start=1)]
    return _fill(domain, passages="\n\n".join(blocks), question=" ".join(question.split()))


def _fill(domain: DomainConfig, *, passages: str, question: str) -> str:
    return TEMPLATE.format(
        persona=domain.persona, refusal=domain.refusal, passages=passages, question=question
    )


def _block(number: int, item: Shown) -> str:
    title = " > ".join(part for part in (item.chunk.title, item.chunk.heading) if part)
    return "\n".join([f"[{number}] {title}", *item.lines])


def show(chunk: Chunk) -> Shown:
    """The whole passage, its sentences on lines of their own."""
    text = chunk.text
    spans = split_sentences(text)
    for (_, end), (start, _) in reversed(list(pairwise(spans))):
        if text[end:start].isspace() or not text[end:start]:
            text = f"{text[:end]}\n{text[start:]}"
    return Shown(chunk, tuple(line for line in text.split("\n") if line.strip()))


def fit(
    shown: Sequence[Shown], *, protected: int, room_tokens: int, count: Callable[[list[Shown]], int]
) -> list[Shown]:
    """Cut lines from the last passages until `count` of what is left is within `room_tokens`.

    `shown` comes with the most important passage first; the first `protected` stay whole. Raises:
    `InputError` when they do not fit.
    """
    kept = list(shown)
    while (tokens := count(kept)) > room_tokens:
        if len(kept) <= protected:
            raise InputError(f"{tokens} tokens where {room_tokens} fit: shorten the question")
        last = kept.pop()
        fewer = last.lines[: _lines_within(last, tokens - room_tokens)]
        if fewer:
            kept.append(Shown(last.chunk, fewer))
    return kept


def _lines_within(item: Shown, excess_tokens: int) -> int:
    """Lines to keep: a token is at least one character, so too few are cut, never too many."""
    keep, cut = len(item.lines), 0
    while keep and cut < excess_tokens:
        keep -= 1
        cut += len(item.lines[keep]) + 1
    return keep


def completion(quotes: Sequence[tuple[str, int]]) -> str:
    """The answer that training asks for: each quote, then the number of its passage."""
    return " ".join(f"{' '.join(quote.split())} [{number}]" for quote, number in quotes)


def parse(text: str, chunks: Sequence[Chunk], *, refusal: str) -> Draft:
    """Read a generation whose passages were `chunks` in the prompt's order; no signals yet.

    A sentence is supported by the passage that it names if that holds it, else by the first
    passage that does; a sentence that no passage holds stays, unsupported. Saying nothing is
    refusing.
    """
    if _is_refusal(text, refusal):
        return Draft(supports=(), refused=True, signals={})
    supports: list[Support] = []
    for sentence, numbers in _cited_sentences(text):
        named = [chunks[n - 1] for n in numbers if 1 <= n <= len(chunks)]
        others = [chunk for chunk in chunks if chunk not in named]
        support = _support(sentence, [*named, *others])
        if support not in supports:
            supports.append(support)
    return Draft(supports=tuple(supports), refused=not supports, signals={})


def _is_refusal(text: str, refusal: str) -> bool:
    said, wanted = _letters(text)[0], _letters(refusal)[0]
    return not said or said.startswith(wanted)


def _cited_sentences(text: str) -> list[tuple[str, list[int]]]:
    """Sentences with the numbers of the markers that follow them."""
    found: list[tuple[str, list[int]]] = []
    start = 0
    for marker in [*_MARKERS.finditer(text), None]:
        piece = text[start : marker.start() if marker else len(text)]
        numbers = [int(n) for n in _NUMBER_IN_MARKER.findall(marker[0])] if marker else []
        spans = split_sentences(piece)
        sentences = [piece[a:b] for a, b in spans] or [piece]
        found += [(" ".join(s.split()), numbers) for s in sentences if _letters(s)[0]]
        start = marker.end() if marker else len(text)
    return found


def _support(sentence: str, chunks: Sequence[Chunk]) -> Support:
    for chunk in chunks:
        if quote := _verbatim(sentence, chunk.text):
            return Support(sentence, chunk.passage_id, quote)
    for chunk in chunks:
        if quote := _near(sentence, chunk.text):
            return Support(sentence, chunk.passage_id, quote)
    return Support(sentence, "", "")


def _letters(text: str) -> tuple[str, list[int]]:
    """Letters and digits alone, lower case, and where each stood: blanks and marks may differ."""
    pairs = [(low, i) for i, c in enumerate(text) if c.isalnum() for low in c.lower()]
    return "".join(low for low, _ in pairs), [i for _, i in pairs]


def _verbatim(sentence: str, passage: str) -> str:
    wanted, _ = _letters(sentence)
    held, places = _letters(passage)
    at = held.find(wanted)
    if at < 0 or not wanted:
        return ""
    end = places[at + len(wanted) - 1] + 1
    while end < len(passage) and passage[end] in _CLOSING:
        end += 1
    return passage[places[at] : end]


def _near(sentence: str, passage: str) -> str:
    words = _words(sentence)
    numbers = {word for word in words if word[0].isdigit()}
    best, best_share = "", MIN_OVERLAP
    for start, end in split_sentences(passage):
        held = set(_words(passage[start:end]))
        share = sum(word in held for word in words) / max(1, len(words))
        if share >= best_share and numbers <= held:
            best, best_share = passage[start:end], share
    return best


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def copied_fraction(text: str, chunks: Sequence[Chunk]) -> float:
    """Share of the answer's words that stand in a run of `COPIED_WORDS` found in one passage."""
    words = _words(_MARKERS.sub(" ", text))
    size = min(COPIED_WORDS, len(words))
    if not size:
        return 0.0
    runs: set[tuple[str, ...]] = set()
    for chunk in chunks:
        held = _words(chunk.text)
        runs.update(tuple(held[i : i + size]) for i in range(len(held) - size + 1))
    copied = [False] * len(words)
    for i in range(len(words) - size + 1):
        if tuple(words[i : i + size]) in runs:
            copied[i : i + size] = [True] * size
    return sum(copied) / len(words)

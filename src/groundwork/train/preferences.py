"""Pairs of a grounded and an ungrounded answer to the same prompt, from what is trained on anyway.

In: training pairs. Out: for each the answer that its passages hold, and one that looks alike and
that they do not hold: the answer to the most similar other question, or the same answer with other
numbers. Which of the two is drawn from the seed and the question's id. Pure.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from groundwork.records import Reject
from groundwork.train.examples import Messages, Prepared, Reason, TrainingPair

NUMBER = re.compile(r"(?<![\w\[])\d+(?:[.,]\d+)*(?![\w\]])")
"""A number in a text; `[2]` is a citation, `CCS2` a name."""
CITATION = re.compile(r"\[\d+\]")
WORD = re.compile(r"[a-z0-9]+")
FACTORS = (0.5, 0.75, 1.25, 1.5, 2.0, 3.0)
"""By which a number is multiplied; the first two make it smaller."""
NUMBERS_SHARE = 0.5
"""Of the answers with numbers, how many get other ones; the rest get another question's answer."""


@dataclass(frozen=True, slots=True)
class Preference:
    """Two answers to one prompt."""

    question_id: str
    prompt: Messages
    chosen: Messages
    rejected: Messages
    kind: str
    """How `rejected` came about: `numbers` or `near_miss`."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """In the order of the training pairs; `rejects` holds what did not become one."""

    pairs: tuple[Preference, ...]
    rejects: tuple[Reject, ...]


def make_preferences(
    prepared: Prepared, *, tokenizer: Any, max_length: int, seed: int
) -> Preferences:
    """One preference a pair that has an ungrounded counterpart which fits into `max_length`."""
    pairs: list[Preference] = []
    rejects: list[Reject] = []
    words = [_words(pair) for pair in prepared.pairs]
    for number, pair in enumerate(prepared.pairs):
        found = _counterpart(number, prepared.pairs, words, seed=seed)
        key = f"{pair.question_id}:preference"
        if found is None:
            rejects.append(Reject(key, Reason.NO_COUNTERPART, "no other answer differs from it"))
            continue
        text, kind = found
        rejected = [{"role": "assistant", "content": text}]
        ids = tokenizer.apply_chat_template(pair.prompt + rejected, return_dict=True)["input_ids"]
        if len(ids) > max_length:
            detail = f"ungrounded answer: {len(ids)} tokens, {max_length} fit"
            rejects.append(Reject(key, Reason.TOO_LONG, detail))
            continue
        pairs.append(Preference(pair.question_id, pair.prompt, pair.completion, rejected, kind))
    assert len(pairs) + len(rejects) == len(prepared.pairs)
    return Preferences(tuple(pairs), tuple(rejects))


def _words(pair: TrainingPair) -> frozenset[str]:
    """Of the question, which stands at the end of the prompt, after its passages."""
    lines = pair.prompt[-1]["content"].strip().splitlines()
    return frozenset(WORD.findall(lines[-1].lower()))


def _counterpart(
    number: int,
    pairs: Sequence[TrainingPair],
    words: Sequence[frozenset[str]],
    *,
    seed: int,
) -> tuple[str, str] | None:
    pair = pairs[number]
    draw = random.Random(f"{seed}:{pair.question_id}:preference")  # noqa: S311
    if draw.random() < NUMBERS_SHARE and (changed := other_numbers(_said(pair), draw)):
        return changed, "numbers"
    order = sorted(
        range(len(pairs)),
        key=lambda n: (-_similarity(words[number], words[n]), pairs[n].question_id),
    )
    shown = " ".join(pair.prompt[-1]["content"].split())
    for other in order:
        text = CITATION.sub("", _said(pairs[other])).strip()
        if other != number and text and " ".join(text.split()) not in shown:
            return f"{text} {_first_citation(pair)}", "near_miss"
    return None


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _said(pair: TrainingPair) -> str:
    return pair.completion[-1]["content"]


def _first_citation(pair: TrainingPair) -> str:
    found = CITATION.search(_said(pair))
    return found[0] if found else "[1]"


def other_numbers(text: str, draw: random.Random) -> str:
    """`text` with every number changed, in the form in which it stands; empty without numbers."""

    def change(match: re.Match[str]) -> str:
        digits = match[0]
        mark = next((c for c in digits if c in ".,"), "")
        places = len(digits.rpartition(mark)[2]) if mark else 0
        value = float(digits.replace(",", "" if places == 3 else "."))  # 1,000 is a thousand
        if mark == "," and places == 3:
            return f"{round(value * draw.choice(FACTORS[2:])):,}"
        changed = f"{value * draw.choice(FACTORS):.{places}f}"
        return changed if changed != digits else f"{value + 1:.{places}f}"

    if not NUMBER.search(text):
        return ""
    try:
        return NUMBER.sub(change, text)
    except ValueError:  # 1.2.3 is a version, not a number
        return ""

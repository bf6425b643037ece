"""What is learned: texts with a label, from a file of utterances and the domain's questions.

In: JSON lines or questions and passages. Out: `Utterance`s and rejects with a reason. A label of
null marks an utterance as out of scope: it teaches no label, it only helps to set the threshold.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

import numpy as np

from groundwork.errors import InputError
from groundwork.index import passage_text
from groundwork.records import Chunk, Question, Reject


class Reason(StrEnum):
    """Why an utterance was not used."""

    BROKEN_LINE = "broken_line"
    """No JSON object with a `text` and a `label`."""
    REPEATED = "repeated"
    """The same text stands above with the same label."""
    CONTRADICTED = "contradicted"
    """The same text stands above with another label; that one counts."""
    UNKNOWN_LABEL = "unknown_label"
    """Other labels of the file are categories of the domain; this one is none."""
    FEW_EXAMPLES = "few_examples"
    """Its label has fewer examples than `classify.min_examples`."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """A text and what it is about."""

    key: str
    """Where it stands, or a question's or a passage's id."""
    text: str
    label: str | None
    """None: out of scope."""


def read_intents(path: Path) -> tuple[list[Utterance], list[Reject]]:
    """The utterances of a JSONL file of `{"text": …, "label": …}`, and the lines that are none.

    Raises: `InputError` when the file is missing or no line is an utterance.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); expected JSON lines of text and label: mend "
            "domain.intents_path, or set it to null"
        ) from error
    found: list[Utterance] = []
    rejects: list[Reject] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        key = f"{path.name}:{number}"
        read = _utterance(key, line)
        if read is None:
            detail = f"{line[:80]}: expected an object with text and label"
            rejects.append(Reject(key, Reason.BROKEN_LINE, detail))
        else:
            found.append(read)
    if not found:
        raise InputError(
            f"{path}: no utterance in {len(lines)} lines; expected one JSON object with text and "
            "label a line: mend the file, or set domain.intents_path to null"
        )
    return found, rejects


def _utterance(key: str, line: str) -> Utterance | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(row, dict) or set(row) != {"text", "label"}:
        return None
    text, label = row["text"], row["label"]
    named = label is None or (isinstance(label, str) and label.strip())
    if not isinstance(text, str) or not text.strip() or not named:
        return None
    return Utterance(key, text.strip(), label.strip() if label else None)


def among(
    utterances: Sequence[Utterance], categories: Collection[str]
) -> tuple[list[Utterance], list[Reject]]:
    """Those that are out of scope or about one of `categories`, and the others."""
    kept, rejects = [], []
    for item in utterances:
        if item.label is None or item.label in categories:
            kept.append(item)
        else:
            near = ", ".join(get_close_matches(item.label, categories, n=1)) or "none like it"
            detail = f"label {item.label!r} is no category of the domain; nearest: {near}"
            rejects.append(Reject(item.key, Reason.UNKNOWN_LABEL, detail))
    return kept, rejects


def of_questions(questions: Sequence[Question]) -> list[Utterance]:
    """Questions with their categories."""
    return [Utterance(q.question_id, q.question, q.category) for q in questions]


def of_passages(chunks: Sequence[Chunk]) -> list[Utterance]:
    """Passages with the categories of their pages."""
    return [Utterance(c.passage_id, passage_text(c), c.category) for c in chunks]


def usable(
    utterances: Sequence[Utterance], *, min_examples: int
) -> tuple[list[Utterance], list[Reject]]:
    """Each text once, and only labels with enough examples; the order stays."""
    first: dict[str, Utterance] = {}
    kept, rejects = [], []
    for item in utterances:
        known = first.setdefault(" ".join(item.text.lower().split()), item)
        if known is item:
            kept.append(item)
        elif known.label == item.label:
            detail = f"as {known.key}"
            rejects.append(Reject(item.key, Reason.REPEATED, detail))
        else:
            detail = f"{item.label!r}, but {known.key} says {known.label!r} of the same text"
            rejects.append(Reject(item.key, Reason.CONTRADICTED, detail))
    counts = Counter(item.label for item in kept)
    for item in kept:
        if item.label is not None and counts[item.label] < min_examples:
            rejects.append(
                Reject(
                    item.key,
                    Reason.FEW_EXAMPLES,
                    f"label {item.label!r} has {counts[item.label]} examples; expected at least "
                    f"{min_examples} (classify.min_examples)",
                )
            )
    lost = {reject.key for reject in rejects if reject.reason == Reason.FEW_EXAMPLES}
    return [item for item in kept if item.key not in lost], rejects


def some_of_each(texts: Sequence[Utterance], most: int, *, seed: int) -> list[Utterance]:
    """At most that many texts of each label, drawn by chance, in their order."""
    order = np.random.default_rng(seed).permutation(len(texts)).tolist()
    counts: Counter[str | None] = Counter()
    drawn = []
    for number in order:
        counts[texts[number].label] += 1
        if counts[texts[number].label] <= most:
            drawn.append(number)
    return [texts[number] for number in sorted(drawn)]


def hold_out(
    utterances: Sequence[Utterance], *, share: float, seed: int
) -> tuple[list[Utterance], list[Utterance]]:
    """Part into texts to learn from and texts held out, label by label, both in their order.

    A label's examples are never all held out; one with few may have none there.
    """
    by_label: dict[str, list[int]] = {}
    for number, item in enumerate(utterances):
        by_label.setdefault(item.label or "", []).append(number)
    rng = np.random.default_rng(seed)
    held: set[int] = set()
    for label in sorted(by_label):
        numbers = rng.permutation(by_label[label]).tolist()
        held.update(numbers[: min(round(len(numbers) * share), len(numbers) - 1)])
    parts = [n for n in range(len(utterances)) if n not in held], sorted(held)
    learned, kept = ([utterances[n] for n in part] for part in parts)
    return learned, kept

"""What the embedded model is pretrained on: text, repetitions, and sentences to look up.

In: documents. Out: sequences of token ids with a weight for the loss of each token, drawn from a
seeded generator. A lookup shows lines of the documents, then a few words of one of them, then that
line: the skill that answering from passages needs, learned without any question.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from groundwork.base.config import BaseConfig
from groundwork.chunk import split_sentences
from groundwork.errors import InputError
from groundwork.records import Document

MAX_LINE_TOKENS = 60
"""Longer lines leave no room for a second one."""
LINES = (3, 9)
"""Fewest and most lines on show in a lookup."""
QUERY_WORDS = (2, 6)
FIRST_WEIGHT = 5.0
"""Weight of a line's first token: it is where the right line is chosen, the rest is copying."""

_WORD = re.compile(r"\w[\w.,-]*\w|\w")
_COMMON = re.compile(
    r"a|an|and|are|as|at|be|but|by|can|for|from|has|have|if|in|is|it|its|not|of|on|one|or|so|than"
    r"|that|the|this|to|was|were|when|which|will|with",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Example:
    """A pretraining sequence."""

    ids: list[int]
    weights: list[float]
    """Of each token's loss; 0 leaves it out."""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    ids: list[int]


class Mixture:
    """Draws sequences of `config.sequence_tokens` tokens, the same ones for the same seed."""

    def __init__(
        self,
        documents: Sequence[Document],
        *,
        encode: Callable[[str], list[int]],
        vocabulary: int,
        config: BaseConfig,
    ) -> None:
        self._encode = encode
        self._vocabulary = vocabulary
        self._config = config
        self._random = random.Random(config.seed)  # noqa: S311 - reproducible, not secret
        self._newline = encode("\n")
        self._texts = [encode(document.text) for document in documents]
        self._lines = [lines for d in documents if len(lines := self._read(d)) >= LINES[0]]
        if not self._lines:
            raise InputError(
                f"{len(documents)} documents hold no {LINES[0]} sentences of at most "
                f"{MAX_LINE_TOKENS} tokens: expected running text; see artifacts/clean/report.json"
            )

    def _read(self, document: Document) -> list[_Line]:
        texts = [document.text[a:b].replace("\n", " ") for a, b in split_sentences(document.text)]
        lines = [_Line(text, self._encode(text)) for text in texts]
        return [line for line in lines if 0 < len(line.ids) <= MAX_LINE_TOKENS]

    def batches(self) -> Iterator[list[Example]]:
        """Yield `config.steps` batches."""
        for _ in range(self._config.steps):
            yield [self._draw() for _ in range(self._config.batch_size)]

    def _draw(self) -> Example:
        choice = self._random.random()
        if choice < self._config.text_share:
            return self._text()
        if choice < self._config.text_share + self._config.copy_share:
            return self._copy()
        return self._lookup()

    def _text(self) -> Example:
        length = self._config.sequence_tokens
        ids: list[int] = []
        while len(ids) < length:
            text = self._random.choice(self._texts)
            start = self._random.randrange(max(1, len(text) - length))
            ids += text[start : start + length] + self._newline
        return Example(ids[:length], [1.0] * length)

    def _copy(self) -> Example:
        length = self._config.sequence_tokens
        period = self._random.randint(8, length // 2)
        pattern = [self._random.randrange(self._vocabulary) for _ in range(period)]
        ids = (pattern * (length // period + 1))[:length]
        return Example(ids, [0.0] * period + [1.0] * (length - period))

    def _lookup(self) -> Example:
        length = self._config.sequence_tokens
        shown = self._shown()
        ids = [token for line in shown for token in (*line.ids, *self._newline)]
        weights = [0.0] * len(ids)
        order = self._random.sample(shown, len(shown))
        while len(ids) < length:
            for line in order:
                query = [*self._newline, *self._encode(self._query(line.text)), *self._newline]
                answer = [*line.ids, *self._newline]
                ids += query + answer
                weights += [0.0] * len(query) + [FIRST_WEIGHT] + [1.0] * (len(answer) - 1)
        return Example(ids[:length], weights[:length])

    def _shown(self) -> list[_Line]:
        """Neighbouring lines of up to three documents, filling at most 60 % of the sequence."""
        room = int(0.6 * self._config.sequence_tokens)
        shown: list[_Line] = []
        wanted = self._random.randint(*LINES)
        documents = self._random.randint(1, 3)
        for _ in range(documents):
            lines = self._random.choice(self._lines)
            start = self._random.randrange(len(lines))
            for line in lines[start : start + max(1, wanted // documents)]:
                if len(line.ids) < room and line not in shown:
                    shown.append(line)
                    room -= len(line.ids) + 1
        return shown or [min(self._lines[0], key=lambda line: len(line.ids))]

    def _query(self, text: str) -> str:
        words: list[str] = _WORD.findall(text)
        telling = [word for word in words if not _COMMON.fullmatch(word)] or words or [text]
        count = min(len(telling), self._random.randint(*QUERY_WORDS))
        return " ".join(self._random.sample(telling, count))

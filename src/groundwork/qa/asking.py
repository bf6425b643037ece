"""The rules' questions as work for an engine: one document at a time, remembered between runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from groundwork.artifacts import code_version, sha256_bytes
from groundwork.engine import Work
from groundwork.qa.config import RulesConfig
from groundwork.qa.rules import generate_by_rules
from groundwork.records import Chunk

CODE = ("qa", "chunk", "index/lexical.py")
"""What the rules consist of."""
PACKAGES = ("pystemmer", "textblob")
"""Packages whose word lists and rules are part of what is asked."""
PRELOADED = ("groundwork.qa.asking", "textblob")


def asking_work(config: RulesConfig) -> Work:
    """The questions of documents, each given as its passages; results are JSON rows."""
    return Work("qa", f"{__name__}:make_asker", asdict(config), 1, PRELOADED)


def make_asker(settings: Mapping[str, Any]) -> "Asker":
    """What asks in any process."""
    return Asker(TypeAdapter(RulesConfig).validate_json(json.dumps(settings)))


@dataclass(frozen=True)
class Asker:
    """Asks about documents, each by itself."""

    config: RulesConfig

    @cached_property
    def recipe(self) -> str:
        """Settings, code, packages."""
        rooms = Path(__file__).parents[1]
        code = code_version(*(rooms / name for name in CODE))
        return json.dumps([asdict(self.config), code, [version(name) for name in PACKAGES]])

    def key(self, passages: Sequence[Chunk]) -> str:
        """Over all passages of the document."""
        document = [asdict(passage) for passage in passages]
        return sha256_bytes(json.dumps([self.recipe, document]).encode())

    def compute(self, passages: Sequence[Chunk]) -> bytes:
        """Its questions as JSON."""
        questions = generate_by_rules(passages, config=self.config)
        rows = [asdict(question) for question in questions]
        return json.dumps(rows, ensure_ascii=False, allow_nan=False).encode()

    def pack(self, passages: Sequence[Chunk]) -> bytes:
        """JSON."""
        return json.dumps([asdict(passage) for passage in passages]).encode()

    def unpack(self, data: bytes) -> Sequence[Chunk]:
        """The passages of `pack`."""
        return [Chunk(**row) for row in json.loads(data)]

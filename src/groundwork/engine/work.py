"""What is done to each record of a step, told so that another process or machine can do it.

A `Work` holds plain values alone and travels as JSON: nothing is pickled on disk. It names the
function that makes its `Worker`, which each process makes for itself.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from json import dumps, loads
from typing import Any, Protocol, TypeVar

from threadpoolctl import threadpool_limits

from groundwork.errors import EngineError
from groundwork.store import remembered

Record = TypeVar("Record")


class Worker(Protocol[Record]):
    """Does one step's work on one record, which depends on that record and the recipe alone."""

    @property
    def recipe(self) -> str:
        """All else that the results depend on: settings, code, versions, machine."""

    def key(self, record: Record) -> str:
        """Sha256 over the recipe and what is used of the record."""

    def compute(self, record: Record) -> bytes:
        """What the store remembers; raises nothing that a record can cause."""

    def pack(self, record: Record) -> bytes:
        """The record as bytes."""

    def unpack(self, data: bytes) -> Record:
        """The record of `pack`."""


@dataclass(frozen=True, slots=True)
class Work:
    """The work of a step on its records."""

    step: str
    """Of the content-addressed store."""
    maker: str
    """`module:function` that takes `settings` and returns a `Worker`."""
    settings: Mapping[str, Any]
    """Plain values that JSON keeps."""
    threads: int
    """Processor threads that a worker keeps busy."""
    preload: tuple[str, ...]
    """Modules that take long to import; new processes on this machine share them."""

    def worker(self) -> Worker[Any]:
        """This process's worker, made at most once for equal settings."""
        return _make(self.maker, dumps(self.settings, sort_keys=True))

    def within_threads(self) -> AbstractContextManager[object]:
        """Lets numpy use no more than `threads`: its idle ones spin where another worker works."""
        limits: AbstractContextManager[object] = threadpool_limits(self.threads, user_api="blas")
        return limits


@cache
def _make(maker: str, settings: str) -> Worker[Any]:
    module, _, name = maker.partition(":")
    worker: Worker[Any] = getattr(import_module(module), name)(loads(settings))
    return worker


def check_recipe(worker: Worker[Any], recipe: str) -> None:
    """Raises: `EngineError` when a worker's results would differ from the stage's own."""
    if worker.recipe != recipe:
        raise EngineError(
            "a worker's code, packages or processor differ from the stage's: "
            f"{_difference(worker.recipe, recipe)}; expected the same checkout and "
            "requirements.lock on every node, and processors of one type"
        )


def _difference(found: str, expected: str) -> str:
    pairs = zip(found, expected, strict=False)
    least = min(len(found), len(expected))
    start = next((n for n, (a, b) in enumerate(pairs) if a != b), least)
    begin = max(start - 20, 0)
    return f"…{found[begin : start + 30]}… instead of …{expected[begin : start + 30]}…"


def do_packed(work: Work, worker: Worker[Any], key: str, data: bytes, *, counted: bool) -> None:
    """Do the work on a packed record and remember the result."""
    compute = partial(lambda packed: worker.compute(worker.unpack(packed)), data)
    remembered(work.step, key, compute, counted=counted)

"""Work that is remembered between runs: the content-addressed store `.cache/groundwork/<step>/`.

In: a step, a hash of all that a piece of work depends on, and how to do it. Out: its bytes. It may
be deleted at any time at the cost of time alone.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from groundwork.artifacts import project_root, sha256_bytes, write_bytes

_COUNTS: Counter[tuple[str, bool]] = Counter()
_COUNTING = Lock()


@dataclass(frozen=True, slots=True)
class Reuse:
    """How much of a step's work came from the store; shown as "57 of 59"."""

    found: int
    made: int

    def __str__(self) -> str:
        """What was found, of all that was asked for."""
        return f"{self.found} of {self.found + self.made}"


def reused(step: str) -> Reuse:
    """How much work of `step` the store had, since this was last asked."""
    with _COUNTING:
        return Reuse(*(_COUNTS.pop((step, found), 0) for found in (True, False)))


def count_reuse(step: str, *, found: bool) -> None:
    """Note for `reused` that the store had a piece of work, or that it had to be made."""
    with _COUNTING:
        _COUNTS[step, found] += 1


def remembered(step: str, key: str, compute: Callable[[], bytes], *, counted: bool = True) -> bytes:
    """Return bytes from the content-addressed store, computing them at most once.

    `key` is a sha256 over input, configuration and code version. An entry begins with the sha256 of
    its content; one that does not match is computed anew.
    """
    content = recall(step, key)
    if counted:
        count_reuse(step, found=content is not None)
    if content is None:
        content = compute()
        write_bytes(_entry_path(step, key), f"{sha256_bytes(content)}\n".encode() + content)
    return content


def recall(step: str, key: str) -> bytes | None:
    """Content of an entry of the store; None when it is missing or damaged."""
    try:
        digest, _, content = _entry_path(step, key).read_bytes().partition(b"\n")
    except FileNotFoundError:
        return None
    return content if digest == sha256_bytes(content).encode() else None


def _entry_path(step: str, key: str) -> Path:
    return project_root() / ".cache" / "groundwork" / step / key[:2] / key


def cached(step: str, key: str, compute: Callable[[], Any]) -> Any:
    """JSON-serialisable work from the content-addressed store; see `remembered`."""

    def as_json() -> bytes:
        return json.dumps(compute(), ensure_ascii=False, allow_nan=False).encode()

    return json.loads(remembered(step, key, as_json))

"""A step for the tests: it turns words around, and can be told to fail or to die."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy  # noqa: F401  # its threads are told
from threadpoolctl import threadpool_info

from groundwork.artifacts import sha256_bytes
from groundwork.engine import EngineConfig, RayConfig, SlurmConfig, Work

CALLS = "calls"
"""Folder with a file for each piece of work that was done, named by process and word."""


def blas_threads() -> list[int]:
    """Of numpy and its kin, not of torch, whose threads sleep while they wait."""
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@dataclass(frozen=True, slots=True)
class Turner:
    """Turns a word around; `recipe` may depend on the process that it is in."""

    settings: Mapping[str, Any]

    @property
    def recipe(self) -> str:
        """The settings, or another one in every process."""
        return f"turn {os.getpid()}" if self.settings.get("each_its_own") else "turn"

    def key(self, word: str) -> str:
        """Of the word."""
        return sha256_bytes(f"{self.recipe} {word}".encode())

    def compute(self, word: str) -> bytes:
        """Done once for each word, if all is well."""
        folder = Path(CALLS)
        folder.mkdir(exist_ok=True)
        (folder / f"{os.getpid()}-{word}").touch()
        if word == self.settings.get("fail_at"):
            raise ValueError(f"{word} cannot be turned")
        time.sleep(self.settings.get("each_takes_s", 0))
        if word == self.settings.get("die_at"):
            os.kill(os.getpid(), signal.SIGKILL)
        if self.settings.get("tell_threads"):
            return b",".join(b"%d" % threads for threads in blas_threads())
        return word[::-1].encode()

    def pack(self, word: str) -> bytes:
        """UTF-8."""
        return word.encode()

    def unpack(self, data: bytes) -> str:
        """The word."""
        return data.decode()


def make_turner(settings: Mapping[str, Any]) -> Turner:
    """What `Work.maker` names."""
    return Turner(settings)


def turning(**settings: object) -> Work:
    """The work, with what is to go wrong."""
    return Work(
        step="turn",
        maker="engine_work:make_turner",
        settings=settings,
        threads=1,
        preload=("engine_work",),
    )


def engine(
    name: str = "local", *, ray: RayConfig | None = None, slurm: SlurmConfig | None = None
) -> EngineConfig:
    """Two workers, few records in a shard."""
    return EngineConfig(
        name=name,  # type: ignore[arg-type]
        workers=2,
        min_records=4,
        shard_records=5,
        shard_bytes=1000,
        ray=ray,
        slurm=slurm,
    )


def calls() -> list[str]:
    """Words that were turned, in order."""
    return sorted(path.name.partition("-")[2] for path in Path(CALLS).glob("*"))


def processes() -> set[str]:
    """Processes that turned words."""
    return {path.name.partition("-")[0] for path in Path(CALLS).glob("*")}


WORDS = [f"word{number:02d}" for number in range(23)]
TURNED = [(word, word[::-1].encode()) for word in WORDS]

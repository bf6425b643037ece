"""One training in several processes of this machine, each with its own batches of every step.

Gradients are averaged by torch's DistributedDataParallel, which accelerate puts around the model
when it finds a process group. The process that asks is the first of the group, and what it returns
counts; the others do the same work and end with it, however it ends.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

from groundwork.base import device_type
from groundwork.errors import ConfigError, EngineError, GroundworkError
from groundwork.lifetime import end_with_parent

HOST = "127.0.0.1"
PATIENCE_S = 600
"""For the others to load what they need."""
STALLED = timedelta(hours=2)
"""How long a process waits for the others in the middle of the work."""


def is_first() -> bool:
    """Whether this process is the only one or the first of its training."""
    return os.environ.get("RANK", "0") == "0"


def part_generators(seed: int) -> None:
    """Let this process draw other dropout than the first, which keeps what it has."""
    import torch

    if not is_first():
        torch.manual_seed(seed + int(os.environ["RANK"]))


@contextmanager
def companions(job: Callable[[], Any], *, processes: int, threads: int) -> Iterator[None]:
    """Let `processes` - 1 others run `job` while this process does; with one there are no others.

    Raises: `ConfigError` with more processes than GPUs, `EngineError` when another one fails.
    """
    if processes == 1:
        yield
        return
    import torch

    if device_type() == "cuda" and processes > torch.cuda.device_count():
        raise ConfigError(
            f"train.processes={processes} in params.yaml: expected at most one for each of the "
            f"{torch.cuda.device_count()} GPUs"
        )
    store = torch.distributed.TCPStore(
        HOST, 0, world_size=processes, is_master=True, wait_for_workers=False
    )
    context = multiprocessing.get_context("spawn")
    group = partial(_grouped, processes=processes, threads=threads)
    others = [
        context.Process(target=_accompany, args=(job, store.port, rank, group), daemon=True)
        for rank in range(1, processes)
    ]
    try:
        for other in others:
            other.start()
        _await(store, others)
        with group(store, 0):
            try:
                yield
            except RuntimeError as error:
                _blame(others, error)
                raise
        for other in others:
            other.join(PATIENCE_S)
        _blame(others, None)
    finally:
        for other in others:
            other.kill()


def _accompany(job: Callable[[], Any], port: int, rank: int, group: Callable[..., Any]) -> None:
    """What another process does; the first says what went wrong."""
    import torch

    end_with_parent()
    store = torch.distributed.TCPStore(HOST, port, is_master=False)
    store.set(_joined(rank), "")
    try:
        with group(store, rank):
            job()
    except GroundworkError as error:
        sys.exit(f"process {rank}: {error}")


@contextmanager
def _grouped(store: Any, rank: int, *, processes: int, threads: int) -> Iterator[None]:
    """A process group, and the environment by which accelerate knows of it."""
    import torch
    from accelerate.state import AcceleratorState

    variables = {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "LOCAL_WORLD_SIZE": str(processes),
        "MASTER_ADDR": HOST,
        "MASTER_PORT": str(store.port),
        "OMP_NUM_THREADS": str(threads),
    }
    if sys.platform == "linux":
        variables["GLOO_SOCKET_IFNAME"] = "lo"
    on_gpu = device_type() == "cuda"
    with _environment(variables):
        if on_gpu:
            torch.cuda.set_device(rank)
        torch.distributed.init_process_group(
            "nccl" if on_gpu else "gloo",
            store=store,
            rank=rank,
            world_size=processes,
            timeout=STALLED,
        )
        AcceleratorState._reset_state(reset_partial_state=True)
        try:
            yield
        finally:
            torch.distributed.destroy_process_group()
            AcceleratorState._reset_state(reset_partial_state=True)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _joined(rank: int) -> str:
    return f"joined-{rank}"


def _await(store: Any, others: Sequence[BaseProcess]) -> None:
    """Until all are there."""
    names = [_joined(rank) for rank in range(1, len(others) + 1)]
    deadline = time.monotonic() + PATIENCE_S
    while not store.check(names):
        _blame(others, None)
        if time.monotonic() > deadline:
            raise EngineError(
                f"the {len(others)} other processes of the training did not start within "
                f"{PATIENCE_S} s; set train.processes=1"
            )
        time.sleep(0.1)


def _blame(others: Sequence[BaseProcess], cause: Exception | None) -> None:
    """Raise `EngineError` when a process has ended that should not have."""
    if cause is not None:
        others[0].join(1)  # the one whose end was felt may not have ended yet
    for rank, other in enumerate(others, 1):
        if other.exitcode:
            raise EngineError(
                f"process {rank} of the training ended with {other.exitcode}, see above; run the "
                "stage again and it goes on from the last checkpoint, or set train.processes=1"
            ) from cause

"""Checks of the machine: Python, packages, processor, memory, disk."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from groundwork.command.doctor import Check, Finding, Status

PYTHON = (3, 11)
GIB = 2**30
MEMORY_GIB = 6
"""Peak of the whole DAG with the embedded model."""
DISK_GIB = 5
"""The environment takes 3 GiB, artifacts and caches of a small domain well below 1."""
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)")
NAMED = 5
"""Packages that a finding names before it only counts them."""


def check_python(root: Path) -> Iterator[Finding]:  # noqa: ARG001  # every check takes the root
    """The version that the lock was made for."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] == PYTHON:
        yield Finding("python", Status.OK, found)
    else:
        wanted = ".".join(map(str, PYTHON))
        mend = f"install Python {wanted}, delete .venv and run `make run`"
        yield Finding("python", Status.MEND, f"{found}, expected {wanted}", mend)


def check_packages(root: Path) -> Iterator[Finding]:
    """Installed versions against `requirements.lock`; build tags such as `+cpu` do not count."""
    path = root / "requirements.lock"
    if not path.exists():
        yield Finding(
            "packages", Status.MEND, f"{path} is missing", "git checkout requirements.lock"
        )
        return
    pins = [PIN.match(line) for line in path.read_text(encoding="utf-8").splitlines()]
    wanted = {pin[1]: pin[2] for pin in pins if pin}
    wrong = [text for name, pinned in wanted.items() if (text := _difference(name, pinned))]
    if wrong:
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        mend = f"{sys.executable} -m pip install -r requirements.lock"
        yield Finding("packages", Status.MEND, f"{', '.join(wrong[:NAMED])}{more}", mend)
    else:
        yield Finding("packages", Status.OK, f"{len(wanted)} as in requirements.lock")


def _difference(name: str, pinned: str) -> str:
    try:
        found = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed"
    same = found.partition("+")[0] == pinned.partition("+")[0]
    return "" if same else f"{name} is {found}, expected {pinned}"


def check_processor(root: Path) -> Iterator[Finding]:  # noqa: ARG001  # every check takes the root
    """Cores, and graphics cards if the driver knows any; neither has to be there."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("cpu", Status.OK, f"{cores} cores")
    cards = _graphics_cards()
    found = ", ".join(cards) if cards else "none; the embedded model trains on the CPU"
    yield Finding("gpu", Status.OK if cards else Status.NOTE, found)


def _graphics_cards() -> list[str]:
    if not shutil.which("nvidia-smi"):
        return []
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=False, timeout=20)
    except subprocess.TimeoutExpired:
        return []
    return done.stdout.strip().splitlines() if done.returncode == 0 else []


def check_memory(root: Path) -> Iterator[Finding]:  # noqa: ARG001  # every check takes the root
    """Memory of the machine against the DAG's peak."""
    import psutil

    memory = psutil.virtual_memory()
    found = f"{memory.total / GIB:.1f} GiB, {memory.available / GIB:.1f} GiB available"
    if memory.total < MEMORY_GIB * GIB:
        found = f"{found}; the whole DAG takes up to {MEMORY_GIB} GiB"
    yield Finding("memory", Status.OK if memory.total >= MEMORY_GIB * GIB else Status.NOTE, found)


def check_disk(root: Path) -> Iterator[Finding]:
    """Free space where the checkout lies."""
    free = shutil.disk_usage(root).free
    found = f"{free / GIB:.1f} GiB free"
    if free >= DISK_GIB * GIB:
        yield Finding("disk", Status.OK, found)
    else:
        mend = f"free {DISK_GIB} GiB: `dvc gc --workspace`, .cache/groundwork and mlartifacts first"
        yield Finding("disk", Status.MEND, found, mend)


CHECKS: tuple[Check, ...] = (
    check_python,
    check_packages,
    check_processor,
    check_memory,
    check_disk,
)

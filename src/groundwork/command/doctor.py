"""`groundwork doctor`: looks at the machine and the checkout, and names a mend for each problem."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path


class Status(StrEnum):
    """How a check went."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    MEND = "mend"
    """Something does not work until it is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    name: str
    status: Status
    found: str
    mend: str = ""
    """What to run or do; empty unless the status is `mend`."""


Check = Callable[[Path], Iterator[Finding]]


def examine(root: Path) -> list[Finding]:
    """Run every check on the checkout at `root`, in the order in which they are shown."""
    from groundwork.command import machine, state

    return [finding for check in (*machine.CHECKS, *state.CHECKS) for finding in check(root)]


def report(findings: list[Finding], *, as_json: bool) -> str:
    """The findings as text or JSON."""
    problems = [finding for finding in findings if finding.status is Status.MEND]
    if as_json:
        checks = [asdict(finding) for finding in findings]
        return json.dumps({"problems": len(problems), "checks": checks}, indent=2)
    lines = []
    for finding in findings:
        lines.append(f"{finding.status:<5}{finding.name:<12}{finding.found}")
        lines += [f"{'':<17}-> {finding.mend}"] if finding.mend else []
    verdict = f"{len(problems)} to mend" if problems else "all is well"
    return "\n".join([*lines, verdict])

"""Makes `.venv` from `requirements.lock` and pulls `data/`; does nothing when all is there.

Run by `make`, with the standard library alone. pip's own configuration (index, local wheels,
certificates) is honoured. Every obstacle ends as one line that names it and the way out.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "groundwork.sha256"
NEEDED_GIB = 5
OFFLINE = ("ConnectionError", "NewConnectionError", "Temporary failure in name resolution",
           "Network is unreachable", "Connection refused", "ProxyError", "ConnectTimeout",
           "No matching distribution found", "Could not fetch URL")  # fmt: skip


def main() -> None:
    """Set up what is missing."""
    if sys.version_info[:2] != (3, 11):
        found = ".".join(map(str, sys.version_info[:2]))
        sys.exit(
            f"setup: Python {found} found, expected 3.11; "
            "install it, or run `make PYTHON=/path/to/python3.11`"
        )
    wanted = _fingerprint()
    if not (STAMP.exists() and STAMP.read_text() == wanted):
        _check_disk()
        _install()
        STAMP.write_text(wanted)
    if not (ROOT / "data").is_dir():
        _run([_bin("dvc"), "pull", "data"], "the bundled data could not be pulled")


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def _check_disk() -> None:
    if VENV.exists():
        return
    free_gib = shutil.disk_usage(ROOT).free / 2**30
    if free_gib < NEEDED_GIB:
        sys.exit(
            f"setup: {free_gib:.1f} GiB free in {ROOT}, expected at least {NEEDED_GIB}; "
            "free some space, or clone to another disk"
        )


def _install() -> None:
    if not (VENV / "bin" / "python").exists():
        _run([sys.executable, "-m", "venv", str(VENV)], "the virtual environment was not made")
    print("setup: installing requirements.lock into .venv (some minutes, once)", flush=True)
    pip = [_bin("python"), "-m", "pip", "install", "--disable-pip-version-check"]
    bar = ["--progress-bar", "on"] if sys.stdout.isatty() else ["--progress-bar", "off"]
    _pip([*pip, "--no-compile", *bar, "-r", str(ROOT / "requirements.lock")])
    _pip([*pip, "--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    packages = next(VENV.glob("lib/python*/site-packages"))
    compile_all = [_bin("python"), "-m", "compileall", "-q", "-j", "0", str(packages)]
    subprocess.run(compile_all, check=False, capture_output=True)


def _pip(command: list[str]) -> None:
    """Run pip; its output is shown as it comes, and kept to explain a failure."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.startswith(("Collecting", "Installing", "Successfully", "Building")):
            print("  " + line.strip()[:110], flush=True)
    if process.wait() == 0:
        return
    text = "".join(lines)
    if "No space left on device" in text:
        sys.exit("setup: the disk is full; free some space and call make again, it goes on")
    if any(sign in text for sign in OFFLINE):
        sys.exit(
            "setup: pip reached no package index (or it lacks a package); check the network or "
            f"pip's configuration, then call make again, it goes on: {_last_error(lines)}"
        )
    sys.exit(f"setup: pip failed: {_last_error(lines)}")


def _last_error(lines: list[str]) -> str:
    errors = [line.strip() for line in lines if line.startswith("ERROR")]
    return (errors or [line.strip() for line in lines if line.strip()] or ["no output"])[-1]


def _run(command: list[str], failure: str) -> None:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines()
        sys.exit(f"setup: {failure}: {lines[-1] if lines else 'no output'}")


def _bin(name: str) -> str:
    return str(VENV / "bin" / name)


if __name__ == "__main__":
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    try:
        main()
    except OSError as error:
        sys.exit(f"setup: {error}; mend it and call make again, it goes on")

"""The program `git`, kept within limits: which addresses, how many bytes, how long.

It streams, so that a hostile pack costs disk within a limit that the kernel keeps, not memory.
Nothing of the user's own settings of git takes part, and it asks for no password.
"""

import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from groundwork.crawl.config import CrawlConfig
from groundwork.crawl.resolve import PrivateAddressError, resolve
from groundwork.errors import ConfigError, InputError
from groundwork.sources import GitConfig

OLDEST = (2, 37)
"""Older versions of git cannot be told which address a name has (`http.curloptResolve`)."""
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_LASTING = re.compile(
    r"not found|returned error: 4(?!08|25|29)|does not allow|find remote ref|redirect|"
    r"not valid|authentication|could not read Username|unadvertised|shallow",
    re.I,
)
"""Complaints of git that another attempt would not change."""


@dataclass(frozen=True, slots=True)
class Git:
    """`git` in a folder."""

    folder: Path
    config: CrawlConfig

    def run(
        self, *words: str, settings: Sequence[str] = (), max_bytes: int | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run to the end, no longer than a crawl may; `max_bytes` caps every file it writes."""

        def limit() -> None:
            if max_bytes is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))

        command = self._command(*words, settings=settings)
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
            preexec_fn=limit,
        ) as process:
            try:
                out, err = process.communicate(timeout=self.config.max_total_s)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)  # its helpers hold the pipes open
                if isinstance(error, subprocess.TimeoutExpired):
                    return subprocess.CompletedProcess(command, 124, b"", b"timed out")
                raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def output(self, *words: str) -> bytes:
        """Standard output. Raises: `InputError` with git's complaint."""
        done = self.run(*words)
        if done.returncode:
            raise InputError(f"{self.folder}: git {words[0]} failed: {complaint(done)}")
        return done.stdout

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """A process to talk with."""
        return subprocess.Popen(
            self._command(*words, settings=()),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )

    def _command(self, *words: str, settings: Sequence[str]) -> list[str]:
        named = [word for setting in settings for word in ("-c", setting)]
        return ["git", "-C", str(self.folder), "-c", "safe.directory=*", *named, *words]


def _environment() -> dict[str, str]:
    """Without the user's git settings, and without proxies, which resolve names themselves."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name == "GIT_SSL_CAINFO"
    }
    kept = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
    fixed = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    silent = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "GIT_ALLOW_PROTOCOL": "http:https"}
    return {**kept, **fixed, **silent}


def complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """git's own words, on one line."""
    words = " ".join(done.stderr.decode("utf-8", "replace").split())
    return words[-300:] or f"exit status {done.returncode}"


def find_commit(git: Git, source: GitConfig) -> str:
    """Id of the commit that a repository on disk knows by that name. Raises: `InputError`."""
    if not git.folder.is_dir():
        raise InputError(
            f"{git.folder} is no folder: expected a git repository; check domain.git.repository"
        )
    if git.run("rev-parse", "--git-dir").returncode:
        raise InputError(
            f"{git.folder} is no git repository; check domain.git.repository, or read the folder "
            "with domain=files"
        )
    found = _rev_parse(git, source.commit)
    if not found:
        raise InputError(_unknown(source))
    return found


def _rev_parse(git: Git, name: str) -> str:
    done = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return done.stdout.decode("ascii").strip() if done.returncode == 0 else ""


def _unknown(source: GitConfig) -> str:
    return (
        f"{source.repository}: no commit, tag or branch {source.commit!r}; "
        "check domain.git.commit, or fetch it first if the repository is a shallow copy"
    )


def fetch_commit(git: Git, source: GitConfig) -> str:
    """Bring one commit of a remote repository into `git.folder`; return its id.

    Raises: `ConfigError` for an address that may not be used, `InputError` for what fails.
    """
    settings = [*_wire_settings(git.config), *_pinned(source)]
    git.output("init", "--quiet", "--bare")
    shallow = ["--depth", "1", "--", source.repository, source.commit]
    every = ["--", source.repository, "+refs/heads/*:refs/remotes/o/*", "+refs/tags/*:refs/tags/*"]
    done = _fetch(git, shallow, settings, source)
    if done.returncode == 0:
        return _rev_parse(git, "FETCH_HEAD")
    narrow = complaint(done)
    if _COMMIT.fullmatch(source.commit) or "shallow" in narrow:
        done = _fetch(git, every, settings, source)
    if done.returncode:
        if "find remote ref" in complaint(done):
            raise InputError(_unknown(source))
        raise InputError(f"{source.repository}: git could not fetch it: {complaint(done)}")
    found = _rev_parse(git, source.commit) or _rev_parse(git, f"refs/remotes/o/{source.commit}")
    if not found:
        raise InputError(_unknown(source))
    return found


def _fetch(
    git: Git, words: Sequence[str], settings: Sequence[str], source: GitConfig
) -> subprocess.CompletedProcess[bytes]:
    """Fetch; passing failures are retried with doubled waits. Raises: `InputError` past a limit."""
    wait_s = git.config.backoff_s
    for attempt in range(git.config.retries + 1):
        done = git.run(
            "fetch", "--quiet", "--no-tags", *words, settings=settings, max_bytes=source.max_bytes
        )
        if done.returncode == 124:
            raise InputError(
                f"{source.repository}: not fetched within crawl.max_total_s="
                f"{git.config.max_total_s:g}"
            )
        if done.returncode and _has_file_of(git.folder, source.max_bytes):
            raise InputError(
                f"{source.repository}: more than domain.git.max_bytes={source.max_bytes} bytes; "
                "raise it, or clone the repository yourself and name its folder"
            )
        if done.returncode == 0 or _LASTING.search(complaint(done)):
            break
        if attempt < git.config.retries:
            time.sleep(min(wait_s, git.config.max_backoff_s))
            wait_s *= 2
    return done


def _has_file_of(folder: Path, size_bytes: int) -> bool:
    """Whether a file has reached the size at which the kernel ends its writing."""
    return any(path.stat().st_size >= size_bytes for path in folder.rglob("*") if path.is_file())


def _wire_settings(config: CrawlConfig) -> list[str]:
    return [
        "http.followRedirects=false",
        f"http.userAgent={config.user_agent}",
        "http.lowSpeedLimit=1",
        f"http.lowSpeedTime={max(1, round(config.timeout_s))}",
        "transfer.fsckObjects=false",
        "fetch.unpackLimit=1",
        "gc.auto=0",
        "core.bigFileThreshold=1m",
    ]


def _pinned(source: GitConfig) -> list[str]:
    """The setting that ties the host's name to addresses that were checked."""
    parts = urlsplit(source.repository)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise ConfigError(
            f"domain.git.repository={source.repository!r}: expected http://HOST/… or "
            "https://HOST/… without user and password, or the path of a repository on disk"
        )
    _check_version()
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    try:
        addresses = resolve(parts.hostname, port, local_allowed=source.local)
    except PrivateAddressError as error:
        raise InputError(
            f"{source.repository}: {error}; set domain.git.local=true if it is your own"
        ) from error
    except OSError as error:
        raise InputError(f"{source.repository}: {parts.hostname} cannot be resolved") from error
    named = ",".join(f"[{a}]" if ":" in a else a for a in addresses)
    return [f"http.curloptResolve={parts.hostname}:{port}:{named}"]


def _check_version() -> None:
    done = subprocess.run(["git", "version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)", done.stdout)
    if not found or (int(found[1]), int(found[2])) < OLDEST:
        raise InputError(
            f"git: found {done.stdout.strip() or 'none'}, expected at least "
            f"{'.'.join(map(str, OLDEST))} for a remote repository; or clone it yourself and "
            "name its folder in domain.git.repository"
        )

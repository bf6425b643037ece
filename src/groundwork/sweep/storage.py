"""The database of a study: tables of numbers and JSON. Optuna's journal pickles, so it is not used.

In: an address. Out: Optuna's storage, in which a trial whose worker died is begun again.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from groundwork.errors import ConfigError
from groundwork.sweep.config import SweepConfig

SCHEMES = ("sqlite", "postgresql", "mysql")
GRACE = 4
"""Heartbeats that a worker may miss."""
ATTEMPTS, PAUSE_S = 5, 0.5
"""Times to open a database whose tables another worker is making, and the wait in between."""


@contextmanager
def open_storage(
    address: str, config: SweepConfig, *, on_dead: Callable[[Any], None]
) -> Iterator[Any]:
    """Optuna's storage at `address`; others that open the same SQLite file wait for the block.

    `on_dead` is told of each trial whose worker gave no sign of life. Raises: `ConfigError` for an
    address that is not one, cannot be reached, or needs a driver that is not installed.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, OperationalError

    try:
        url = make_url(address)
        if url.get_backend_name() not in SCHEMES:
            raise ConfigError(f"--storage {address}: expected one of {', '.join(SCHEMES)}://…")
        file = url.database if url.get_backend_name() == "sqlite" else None
        if url.get_backend_name() == "sqlite" and file in (None, "", ":memory:"):
            raise ConfigError(f"--storage {address}: expected a file, sqlite:///PATH")
        with _locked(Path(file)) if file else nullcontext():
            yield _make(address, config, on_dead)
    except ArgumentError as error:
        raise ConfigError(
            f"--storage {address}: no address of a database; expected sqlite:///PATH or "
            "postgresql://USER@HOST/NAME"
        ) from error
    except ImportError as error:
        raise ConfigError(
            f"--storage {address}: its driver is not installed ({error.__cause__ or error}); "
            "install it, for PostgreSQL `pip install psycopg[binary]`"
        ) from error
    except OperationalError as error:
        raise ConfigError(
            f"--storage {address}: cannot be opened ({error.orig}); expected a database that can "
            "be written"
        ) from error


def _make(address: str, config: SweepConfig, on_dead: Callable[[Any], None]) -> Any:
    """Of two workers that make the tables of a new database at once, one is refused: again."""
    from sqlalchemy.exc import IntegrityError, ProgrammingError

    for _ in range(ATTEMPTS - 1):
        try:
            return _storage(address, config, on_dead)
        except (IntegrityError, ProgrammingError):
            time.sleep(PAUSE_S)
    return _storage(address, config, on_dead)


def _storage(address: str, config: SweepConfig, on_dead: Callable[[Any], None]) -> Any:
    from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback

    retry = RetryHeartbeatStaleTrialCallback(max_retry=config.retries)

    def begin_again(study: Any, trial: Any) -> None:
        on_dead(trial)
        retry(study, trial)

    return RDBStorage(
        address,
        heartbeat_interval=config.heartbeat_s,
        grace_period=GRACE * config.heartbeat_s,
        heartbeat_stale_trial_callback=begin_again,
    )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two workers that make the tables of a new file at once would fail."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}.lock").open("wb")
    except OSError as error:
        raise ConfigError(
            f"--storage: {path} cannot be made ({error.strerror}); expected a folder that can be "
            "written"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

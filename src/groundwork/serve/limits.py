"""How much the service takes on: a rate for each client address, a bound on requests in flight."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from groundwork.serve.problems import RequestError

CLIENTS = 10_000
"""Addresses remembered; the one unheard of for longest is forgotten first."""


@dataclass(slots=True)
class RateLimit:
    """A token bucket for each client address, of this process."""

    rate_per_s: float
    burst: int
    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def admit(self, client: str) -> None:
        """Take one token. Raises: `RequestError` 429 with the seconds until there is one again."""
        now = self.clock()
        tokens, seen = self._buckets.pop(client, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - seen) * self.rate_per_s)
        if len(self._buckets) >= CLIENTS:
            self._buckets.popitem(last=False)
        self._buckets[client] = (tokens - 1 if tokens >= 1 else tokens, now)
        if tokens < 1:
            raise RequestError(
                429,
                f"more than {self.rate_per_s:g} requests a second from {client} "
                f"(serve.rate_per_s); send fewer, or wait as Retry-After says",
                retry_after_s=math.ceil((1 - tokens) / self.rate_per_s),
            )


@dataclass(slots=True)
class Gate:
    """Bounds the requests that are worked on or wait, so that waiting stays short."""

    places: int
    taken: int = 0

    @contextmanager
    def enter(self) -> Iterator[None]:
        """Hold a place. Raises: `RequestError` 429 when all are taken."""
        if self.taken >= self.places:
            raise RequestError(
                429,
                f"{self.taken} requests are being answered already (serve.max_in_flight); "
                "try again in a second",
                retry_after_s=1,
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

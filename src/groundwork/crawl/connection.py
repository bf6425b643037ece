"""Connections of `client`: to checked addresses alone, and never longer than a request may take."""

import time
from collections.abc import Iterable
from typing import Any

import httpcore

from groundwork.crawl.resolve import resolve


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to addresses that were checked; a name keeps those that it had first."""

    def __init__(self, *, local_allowed: bool) -> None:
        self.system = httpcore.SyncBackend()
        self.local_allowed = local_allowed
        self.deadline_s = 0.0
        """Of the request in flight, on the monotonic clock: a drop a second is no answer."""
        self.pinned: dict[tuple[str, int], list[str]] = {}

    def left(self, timeout: float | None) -> float:
        """Seconds that a step may take. Raises: `TimeoutError` past the deadline."""
        left_s = self.deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("past the deadline of the request")
        return left_s if timeout is None else min(timeout, left_s)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers. Raises: `PrivateAddressError`."""
        if (host, port) not in self.pinned:
            name = host.strip("[]")
            self.pinned[host, port] = resolve(name, port, local_allowed=self.local_allowed)
        refused: Exception = OSError(f"{host} has no address")
        for address in self.pinned[host, port]:
            try:
                stream = self.system.connect_tcp(
                    address, port, self.left(timeout), local_address, socket_options
                )
            except httpcore.ConnectError as error:
                refused = error
            else:
                return _Stream(stream, self)
        raise refused

    def sleep(self, seconds: float) -> None:
        """Wait between attempts to connect."""
        time.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    """A stream whose every step ends with the request's deadline."""

    def __init__(self, stream: httpcore.NetworkStream, backend: CheckedBackend) -> None:
        self.stream, self.backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.stream.read(max_bytes, self.backend.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.stream.write(buffer, self.backend.left(timeout))

    def close(self) -> None:
        self.stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        inner = self.stream.start_tls(ssl_context, server_hostname, self.backend.left(timeout))
        return _Stream(inner, self.backend)

    def get_extra_info(self, info: str) -> Any:
        return self.stream.get_extra_info(info)

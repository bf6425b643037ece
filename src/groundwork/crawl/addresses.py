"""Which network addresses a crawl may connect to, checked where names are resolved.

A name is resolved once and its addresses are pinned for the whole crawl, so that a name cannot
turn from a public address into a private one between the check and the connection.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer  # type: ignore[import-untyped]

NAT64 = ip_network("64:ff9b::/96")
BLOCKED = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a cloud's metadata service
            "192.88.99.0/24",  # relays of 6to4, out of use
            "168.63.129.16/32",  # public by number, but a cloud's service to its own machines
            "2001::/32",  # Teredo, out of use: it leads to an IPv4 address behind a router
            "3fff::/20",  # documentation
            "fec0::/10",  # site-local: the private addresses of old networks
        ),
    )
)
"""What Python 3.11.0 calls global, or later versions alone do not."""


def is_public(address: str) -> bool:
    """Whether `address` is a public unicast address, also when IPv6 wraps an IPv4 one."""
    parsed = ip_address(address.partition("%")[0])
    inner = _embedded(parsed) if isinstance(parsed, IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    if any(parsed in network for network in BLOCKED):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """A resolution from the pinned table is over before it can be cancelled."""


@implementer(IResolutionReceiver)
class _Checker:
    """Collects the addresses of one host and passes them on once they are checked."""

    def __init__(self, resolver: "PinningResolver", host: str, receiver: Any, *, port: int) -> None:
        self.resolver, self.host, self.receiver, self.port = resolver, host, receiver, port
        self.addresses: list[Any] = []

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802  Twisted's interface
        self.receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self.addresses.append(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        for address in self.resolver.pin(self.host, self.addresses):
            self.receiver.addressResolved(type(address)("TCP", address.host, self.port))
        self.receiver.resolutionComplete()


@implementer(IHostnameResolver)
class PinningResolver:
    """Name resolver of the reactor: every connection, address literals included, passes here."""

    def __init__(self, reactor: Any, *, local_allowed: bool) -> None:
        self.system = reactor.nameResolver
        self.local_allowed = local_allowed
        self.pinned: dict[str, list[Any]] = {}
        self.refused: dict[str, str] = {}
        reactor.installNameResolver(self)

    def pin(self, host: str, addresses: list[Any]) -> list[Any]:
        """Addresses to connect to: none when any of them is refused; the first answer stays."""
        private = [a.host for a in addresses if not self.local_allowed and not is_public(a.host)]
        if private:
            self.refused[host] = private[0]
            return []
        return self.pinned.setdefault(host, addresses) if addresses else []

    def resolveHostName(  # noqa: N802  Twisted's interface
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        """Resolve through the system once; afterwards answer from the pinned addresses."""
        if hostName not in self.pinned:
            checker = _Checker(self, hostName, resolutionReceiver, port=portNumber)
            return self.system.resolveHostName(
                checker, hostName, portNumber, addressTypes, transportSemantics
            )
        resolution = _Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        for address in self.pinned[hostName]:
            resolutionReceiver.addressResolved(type(address)("TCP", address.host, portNumber))
        resolutionReceiver.resolutionComplete()
        return resolution

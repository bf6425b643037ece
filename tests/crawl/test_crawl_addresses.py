"""Which addresses may be connected to."""

from typing import Any

import pytest
from twisted.internet.address import IPv4Address

from groundwork.crawl.addresses import PinningResolver, is_public


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("127.255.255.254", False),
        ("0.0.0.0", False),  # noqa: S104  an address to refuse
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("192.0.2.1", False),
        ("224.0.0.1", False),
        ("239.1.1.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("2002:7f00:0001::", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("2001:0:0:0:0:0:80ff:fffe", False),
        ("2001:0:4136:e378:8000:63bf:a2ea:28f1", False),  # Teredo of 93.21.215.14
        ("192.0.0.192", False),
        ("168.63.129.16", False),
        ("168.63.129.17", True),
        ("192.88.99.1", False),
        ("fec0::1", False),
        ("3fff::1", False),
    ],
)
def test_only_public_unicast_addresses_are_public(address: str, expected: bool) -> None:
    """Also when IPv6 wraps an IPv4 address."""
    assert is_public(address) == expected


class Reactor:
    """A reactor whose name server gives another answer each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.nameResolver = self
        self.answers = list(answers)

    def installNameResolver(self, resolver: object) -> None:  # noqa: N802
        self.installed = resolver

    def resolveHostName(self, receiver: Any, host: str, port: int, *_: object) -> None:  # noqa: N802
        receiver.resolutionBegan(None)
        for address in self.answers.pop(0):
            receiver.addressResolved(IPv4Address("TCP", address, port))
        receiver.resolutionComplete()


class Receiver:
    """What a connection would be made to."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []
        self.complete = False

    def resolutionBegan(self, resolution: Any) -> None:  # noqa: N802
        if resolution is not None:
            resolution.cancel()

    def addressResolved(self, address: Any) -> None:  # noqa: N802
        self.found.append((address.host, address.port))

    def resolutionComplete(self) -> None:  # noqa: N802
        self.complete = True


def resolve(resolver: PinningResolver, port: int) -> list[tuple[str, int]]:
    """Addresses that a connection to host h would use."""
    receiver = Receiver()
    resolver.resolveHostName(receiver, "h", port)
    assert receiver.complete
    return receiver.found


def test_a_name_keeps_its_first_addresses() -> None:
    """A name that turns to a private address after the check does not lead there."""
    resolver = PinningResolver(Reactor(["93.184.215.14"], ["127.0.0.1"]), local_allowed=False)
    assert resolve(resolver, 80) == [("93.184.215.14", 80)]
    assert resolve(resolver, 443) == [("93.184.215.14", 443)]


def test_one_private_address_refuses_the_name() -> None:
    """Mixed answers are how a filter is passed by."""
    resolver = PinningResolver(Reactor(["93.184.215.14", "10.0.0.1"]), local_allowed=False)
    assert resolve(resolver, 80) == []
    assert resolver.refused == {"h": "10.0.0.1"}


def test_a_name_without_addresses_is_asked_again() -> None:
    """Nothing is pinned before there is an answer."""
    resolver = PinningResolver(Reactor([], ["10.0.0.1"]), local_allowed=True)
    assert resolve(resolver, 80) == []
    assert resolve(resolver, 80) == [("10.0.0.1", 80)]


def test_two_ports_of_a_host_at_once_are_not_confused() -> None:
    """The second answer of the name server is dropped for the first; each keeps its own port."""
    late: list[Any] = []

    class Slow(Reactor):
        def resolveHostName(self, receiver: Any, host: str, port: int, *_: object) -> None:  # noqa: N802
            late.append(lambda: Reactor.resolveHostName(self, receiver, host, port))

    resolver = PinningResolver(Slow(["10.0.0.1"], ["10.0.0.2"]), local_allowed=True)
    receivers = {port: Receiver() for port in (80, 443)}
    for port, receiver in receivers.items():
        resolver.resolveHostName(receiver, "h", port)
    for answer in late:
        answer()
    assert {port: receiver.found for port, receiver in receivers.items()} == {
        80: [("10.0.0.1", 80)],
        443: [("10.0.0.1", 443)],
    }

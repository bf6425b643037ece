"""Names resolved and checked for programs that connect by themselves, outside of the reactor."""

import socket

from groundwork.crawl.addresses import is_public
from groundwork.errors import InputError


class PrivateAddressError(InputError):
    """A name has an address that may not be connected to; the user declares the source local."""


def resolve(host: str, port: int, *, local_allowed: bool) -> list[str]:
    """Addresses of a name or literal, in the system's order, all of them checked.

    Connect to these, not to the name: it may have another address a moment later.
    Raises: `PrivateAddressError`; `OSError` when the name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host} is no name of a host") from error
    addresses = list(dict.fromkeys(str(item[4][0]) for item in found))
    private = [address for address in addresses if not local_allowed and not is_public(address)]
    if private:
        raise PrivateAddressError(f"{host} has the address {private[0]}")
    return addresses

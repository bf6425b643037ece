"""A network of its own for a crawl: Python imports this first where the folder is on its path.

The file that `FENCE` names says which names there are, with the addresses of one answer after the
other (the last stays), which public addresses are played by which port of loopback, and where each
connection that anything tries to make is written down, one a line.
"""

import json
import os
import socket
import sys
from collections import Counter
from pathlib import Path

FENCE = json.loads(Path(os.environ["FENCE"]).read_text())
asked: Counter[str] = Counter()
system_getaddrinfo, system_socket = socket.getaddrinfo, socket.socket


def note(event, arguments):
    """Every connection, whoever makes it; sockets of files have no host."""
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        with Path(FENCE["log"]).open("a") as log:
            log.write(json.dumps(arguments[1]) + "\n")


def getaddrinfo(host, port, *arguments, **named):
    """Names of the fence have its addresses; all else, odd spellings too, is the system's."""
    name = host.decode() if isinstance(host, bytes) else host
    answers = FENCE["names"].get(name.lower()) if name else None
    if answers is None:
        return system_getaddrinfo(host, port, *arguments, **named)
    addresses = answers[min(asked[name], len(answers) - 1)]
    asked[name] += 1
    found = []
    for address in addresses:
        found += system_getaddrinfo(address, port, *arguments, **named)
    return found


class Socket(system_socket):
    """Public addresses of the fence are played by a server on loopback."""

    def connect(self, address):
        return super().connect(route(address))

    def connect_ex(self, address):
        return super().connect_ex(route(address))


def route(address):
    """Where a connection really goes."""
    played = isinstance(address, tuple) and FENCE["played"].get(address[0])
    return ("127.0.0.1", played) if played else address


sys.addaudithook(note)
socket.getaddrinfo = getaddrinfo
socket.socket = Socket

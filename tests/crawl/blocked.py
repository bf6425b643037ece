"""Addresses that a crawl may not connect to, by kind; `{port}` is that of a server on loopback."""

KINDS: dict[str, tuple[str, ...]] = {
    "IPv4, each blocked range": (
        *("127.0.0.1", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1"),  # noqa: S104
        *("10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1"),
        *("169.254.1.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.7"),
        *("203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    ),
    "metadata services of clouds": (
        *("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
        *("[fd00:ec2::254]", "[fd20:ce::254]", "metadata.google.internal", "metadata"),
    ),
    "decimal": ("2130706433", "2852039166", "167772161", "3232235777", "0"),
    "octal": (
        *("0177.0.0.1", "00000177.0.0.1", "017700000001", "0251.0376.0251.0376", "012.0.0.1"),
        "0300.0250.1.1",
    ),
    "hexadecimal": (
        *("0x7f.0.0.1", "0x7f000001", "0X7F.0x0.0x0.0x1", "0xa9fea9fe", "0xa.0.0.1", "0x0"),
    ),
    "short and mixed forms": (
        *("127.1", "127.0.1", "10.1", "192.168.257", "169.254.43518", "0x7f.1", "0177.0x0.1"),
    ),
    "IPv6": (
        *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]"),
        *("[fec0::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[3fff::1]", "[2001:2::1]"),
    ),
    "IPv4 inside of IPv6": (
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[::ffff:10.0.0.1]"),
        *("[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]"),
        *("[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]"),
        *("[2001:0:7f00:1::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]"),
    ),
    "names": (
        *("localhost", "LOCALHOST", "localhost.", "127.0.0.1.", "loopback.example"),
        *("both.example", "private.example", "six.example"),
    ),
    "letters and dots of other scripts": (
        *("１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1"),
        *("ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "127.0.0\u00ad.1", "𝟙𝟚𝟟.𝟘.𝟘.𝟙", "%31%32%37.0.0.1"),
    ),
    "a user before the host": (
        *("public.example@127.0.0.1", "public.example:80@127.0.0.1", "a:b@[::1]"),
        *("public.example%2f@127.0.0.1", "public.example%23@localhost", "@127.0.0.1"),
    ),
}
"""Hosts, which stand in a URL behind `http://` and before a port."""

SCHEMES = (
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file://127.0.0.1/etc/passwd",
    "ftp://127.0.0.1:{port}/",
    "gopher://127.0.0.1:{port}/_GET%20/",
    "dict://127.0.0.1:{port}/info",
    "ldap://127.0.0.1:{port}/",
    "sftp://127.0.0.1:{port}/",
    "tftp://127.0.0.1:{port}/x",
    "ws://127.0.0.1:{port}/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "jar:http://127.0.0.1:{port}/!/",
    "view-source:http://127.0.0.1:{port}/",
    "data:text/html,words",
    "javascript:fetch('http://127.0.0.1:{port}/')",
)
"""URLs whose scheme is none of ours."""

NAMES: dict[str, list[list[str]]] = {
    "loopback.example": [["127.0.0.1"]],
    "both.example": [["93.184.215.14", "127.0.0.1"]],
    "private.example": [["10.0.0.1"]],
    "six.example": [["::1"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "metadata": [["169.254.169.254"]],
    "localhost.": [["127.0.0.1"]],
    "127.0.0.1.": [["127.0.0.1"]],
}
"""What the tests' own resolver says of names, one answer after the other. Of dots at the end some
systems make nothing; this one makes the worst of them."""


def urls(port: int) -> dict[str, list[str]]:
    """The URLs of each kind."""
    return {kind: [f"http://{host}:{port}/" for host in hosts] for kind, hosts in KINDS.items()}


def schemes(port: int) -> list[str]:
    """The URLs with other schemes."""
    return [url.replace("{port}", str(port)) for url in SCHEMES]

"""A domain's source, whole: mirrors and live sites in processes of their own."""

import json
import shutil
import signal
import ssl
import threading
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest
from crawl_servers import (
    PUBLIC,
    Server,
    make_domain,
    mirror_domain,
    page,
    respond,
    site_domain,
    write_site,
)

from groundwork.crawl import CrawlConfig, CrawlResult, crawl_domain
from groundwork.errors import ConfigError, InputError

FILES = {
    "robots.txt": "User-agent: *\nDisallow: /internal/\nCrawl-delay: 1\n"
    f"Sitemap: {PUBLIC}/map.xml\n",
    "map.xml": f"<sitemapindex><sitemap><loc>{PUBLIC}/pages.xml</loc></sitemap></sitemapindex>",
    "pages.xml": f"<urlset><url><loc>{PUBLIC}/unlinked/</loc></url></urlset>",
    "index.html": page(
        f"{PUBLIC}/absolute/",
        "http://www.site.example/insecure/",
        "relative/",
        "/old/",
        "/internal/x",
        "/print/p/",
        "/report.pdf",
        "/missing",
        "https://elsewhere.example/",
    ),
    "absolute/index.html": f'<link rel="canonical" href="{PUBLIC}/canonical/">words',
    "canonical/index.html": page(),
    "insecure/index.html": page(),
    "relative/index.html": page("../index.html"),
    "new/index.html": page(),
    "unlinked/index.html": page(),
    "internal/x/index.html": page(),
    "print/p/index.html": page(),
    "report.pdf": "%PDF-1.7",
    "_redirects": "/old/ /new/ 301\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A mirrored site."""
    return write_site(tmp_path_factory.mktemp("mirror") / "site", FILES)


@pytest.fixture(scope="module")
def mirrored(folder: Path, config: CrawlConfig) -> CrawlResult:
    """The crawl of the mirror without its print versions."""
    with chdir(folder.parent):
        return crawl_domain(mirror_domain(folder, exclude=("/print/",)), config)


def test_a_mirror_is_recorded_under_its_public_urls(mirrored: CrawlResult) -> None:
    """Found through the sitemap's index, absolute, relative, insecure and canonical links."""
    assert [p.url.removeprefix(PUBLIC) for p in mirrored.pages] == [
        "/",
        "/absolute/",
        "/canonical/",
        "/index.html",
        "/insecure/",
        "/new/",
        "/relative/",
        "/report.pdf",
        "/unlinked/",
    ]
    assert {r.key.removeprefix(PUBLIC): r.reason for r in mirrored.rejects} == {
        "/internal/x": "robots",
        "/missing": "http_error",
    }
    assert (mirrored.offsite, mirrored.excluded) == (1, 1)
    assert {(p.source, p.licence) for p in mirrored.pages} == {("mirror", "MIT")}


def test_the_fetch_log_of_a_mirror_tells_the_way(mirrored: CrawlResult) -> None:
    """Redirects, verdicts and times, all under public URLs."""
    log = {fetch.url.removeprefix(PUBLIC): fetch for fetch in mirrored.fetches}
    assert log["/new/"].requested_url == f"{PUBLIC}/old/"
    assert log["/new/"].redirects == (f"{PUBLIC}/old/",)
    assert {fetch.robots for fetch in mirrored.fetches} == {"allowed", "disallowed"}
    fetched_at = datetime.fromisoformat(log["/"].fetched_at)
    assert datetime.now(UTC) - fetched_at < timedelta(minutes=10)
    assert log["/"].sha256 == next(p.sha256 for p in mirrored.pages if p.url == f"{PUBLIC}/")


def test_nothing_of_the_machine_reaches_the_result(mirrored: CrawlResult, folder: Path) -> None:
    """No port, no loopback host, no path."""
    rows = [asdict(p) | {"body": p.body.decode("latin-1")} for p in mirrored.pages]
    rows += [asdict(row) for row in (*mirrored.rejects, *mirrored.fetches)]
    text = json.dumps(rows)
    assert "127.0.0.1" not in text
    assert "localhost" not in text
    assert str(folder) not in text


def test_the_same_site_elsewhere_gives_the_same_result(
    mirrored: CrawlResult, folder: Path, config: CrawlConfig, tmp_path: Path
) -> None:
    """Another folder, another port, other timing, one request at a time."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    again = crawl_domain(mirror_domain(copy, exclude=("/print/",)), replace(config, concurrency=1))
    assert again.pages == mirrored.pages
    assert again.rejects == mirrored.rejects


class _Tls(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that refuses the certificate is what the test wants."""


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose certificate nobody vouches for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem_path = tmp_path_factory.mktemp("tls") / "server.pem"
    encoding = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    pem_path.write_bytes(private + certificate.public_bytes(encoding))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem_path)
    server = _Tls(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def test_a_site_that_cannot_be_reached_does_not_end_the_others(
    config: CrawlConfig, self_signed: str
) -> None:
    """An unknown certificate, a closed port, an unknown name, a robots.txt that fails."""
    with Server({}) as closed:
        refused = f"{closed.url}/"
    guarded = Server({"/robots.txt": respond(503), "/": respond(200, page())})
    good = Server({"/": respond(200, page("/a")), "/a": respond(200, page())})
    with guarded, good:
        starts = [f"{guarded.url}/", f"{good.url}/", refused, self_signed, "http://no.invalid/"]
        result = crawl_domain(site_domain(*starts), replace(config, retries=0))
    assert [p.url for p in result.pages] == [f"{good.url}/", f"{good.url}/a"]
    found = {reject.key: (reject.reason, reject.detail) for reject in result.rejects}
    assert found[refused] == ("unreachable", f"{refused}robots.txt: connection refused")
    assert found[self_signed][0] == "unreachable"
    assert "certificate verify failed" in found[self_signed][1]
    assert found["http://no.invalid/"][0] == "unreachable"
    assert "cannot be resolved" in found["http://no.invalid/"][1]
    assert found[f"{guarded.url}/"][0] == "robots"
    assert "/" not in guarded.paths()


def test_private_addresses_are_refused_unless_the_site_is_local(config: CrawlConfig) -> None:
    """Also behind a name or an odd spelling; not one request is sent."""
    with Server({"/": respond(200, page())}) as server:
        port = server.url.rpartition(":")[2]
        names = ("127.0.0.1", "localhost", "2130706433", "[::1]", "169.254.169.254", "10.0.0.1")
        starts = [f"http://{name}:{port}/" for name in names]
        with pytest.raises(
            InputError, match=r"\(6 private_address\).*has the address.*domain.site.local=true"
        ):
            crawl_domain(site_domain(*starts, local=False), config)
    assert server.paths() == []


def test_the_time_cap_ends_the_crawl_with_what_it_has(config: CrawlConfig) -> None:
    """Pages fetched by then are kept; the rest is rejected as `time_cap`."""
    many = [f"/{number}" for number in range(20)]
    routes = {path: respond(200, page()) for path in many} | {"/": respond(200, page(*many))}
    with Server(routes) as server:
        short = replace(config, max_total_s=8.0, delay_s=1.0)
        result = crawl_domain(site_domain(f"{server.url}/"), short)
    assert result.pages
    assert {reject.reason for reject in result.rejects} == {"time_cap"}
    assert len(result.pages) + len(result.rejects) == 21
    assert result.failed() == len(result.rejects)


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        (make_domain(), "exactly one of"),
        (site_domain("file:///etc/passwd"), "'file:///etc/passwd'.*begins with http"),
        (site_domain("example.org"), "'example.org'.*begins with http"),
    ],
)
def test_a_source_that_is_none_is_a_configuration_error(
    config: CrawlConfig, domain, message: str
) -> None:
    """Before any process starts."""
    with pytest.raises(ConfigError, match=message):
        crawl_domain(domain, config)


def test_a_crawl_that_breaks_off_says_so(config: CrawlConfig) -> None:
    """The process that hangs is ended by its alarm; here, by the server that it asks."""

    def strike(handler: BaseHTTPRequestHandler) -> None:
        for child in psutil.Process().children():
            if "groundwork.crawl.worker" in child.cmdline():
                child.send_signal(signal.SIGALRM)

    with (
        Server({"/": strike}) as server,
        pytest.raises(InputError, match=rf"{server.url}/: the crawl hung past crawl.max_total_s"),
    ):
        crawl_domain(site_domain(f"{server.url}/"), config)


def test_a_missing_mirror_is_named(config: CrawlConfig, tmp_path: Path) -> None:
    """With the key to mend."""
    with pytest.raises(InputError, match=r"no-such is no folder.*domain.mirror.dir"):
        crawl_domain(mirror_domain(tmp_path / "no-such"), config)

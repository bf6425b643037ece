"""The loopback server of a static site."""

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from crawl_servers import write_site

from groundwork.crawl import StaticSite
from groundwork.crawl.site import fingerprint
from groundwork.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small site with everything that static hosts know."""
    site = write_site(
        tmp_path / "site",
        {
            "index.html": "home",
            "dir/index.html": "dir",
            "dir/page.html": "page",
            "dir.html": "shadow",
            "café.html": "coffee",
            "404.html": "lost",
            "robots.txt": "User-agent: *",
            "sitemap.xml": "<urlset/>",
            "file.pdf": "%PDF-1.7",
            "data.unknown": "?",
            ".git/config": "secret",
            ".well-known/security.txt": "contact",
            "_redirects": "# moved\n/old/ /dir/ 301\n/gone /dir/page.html 302 # soon\n"
            "/blog/* /dir/:splat 308\n/dir/page.html /never 301\n/short /dir/\n\n",
        },
    )
    (tmp_path / "outside.html").write_text("secret")
    (site / "escape.html").symlink_to(tmp_path / "outside.html")
    (site / "latest").symlink_to(site / "dir")
    return site


def ask(base: str, target: str, method: str = "GET") -> tuple[int, str, str, str]:
    """Status, content type, location and body."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    connection.request(method, target)
    response = connection.getresponse()
    kind, location = response.getheader("Content-Type", ""), response.getheader("Location", "")
    body = response.read().decode()
    connection.close()
    return response.status, kind, location, body


@pytest.mark.parametrize(
    ("target", "status", "kind", "body"),
    [
        ("/", 200, "text/html", "home"),
        ("/index.html", 200, "text/html", "home"),
        ("/dir/", 200, "text/html", "dir"),
        ("/dir/page", 200, "text/html", "page"),
        ("/dir/page?x=1", 200, "text/html", "page"),
        ("/caf%C3%A9", 200, "text/html", "coffee"),
        ("/robots.txt", 200, "text/plain", "User-agent: *"),
        ("/sitemap.xml", 200, "text/xml", "<urlset/>"),
        ("/file.pdf", 200, "application/pdf", "%PDF-1.7"),
        ("/data.unknown", 200, "application/octet-stream", "?"),
        ("/latest/", 200, "text/html", "dir"),
        ("/.well-known/security.txt", 200, "text/plain", "contact"),
        ("/nothing", 404, "text/html", "lost"),
        ("/.git/config", 404, "text/html", "lost"),
        ("/_redirects", 404, "text/html", "lost"),
        ("/../outside.html", 404, "text/html", "lost"),
        ("/%2e%2e/outside.html", 404, "text/html", "lost"),
        ("/escape.html", 404, "text/html", "lost"),
        ("/a%00b", 404, "text/html", "lost"),
    ],
)
def test_paths_are_files(folder: Path, target: str, status: int, kind: str, body: str) -> None:
    """As static hosts serve them; nothing hidden and nothing outside."""
    with StaticSite(folder) as base:
        assert ask(base, target) == (status, kind, "", body)


@pytest.mark.parametrize(
    ("target", "status", "location"),
    [
        ("/dir", 301, "/dir/"),
        ("/dir?x=1", 301, "/dir/?x=1"),
        ("/latest", 301, "/latest/"),
        ("/old", 301, "/dir/"),
        ("/old/", 301, "/dir/"),
        ("/gone", 302, "/dir/page.html"),
        ("/short", 301, "/dir/"),
        ("/blog/2024/a", 308, "/dir/2024/a"),
    ],
)
def test_redirects_come_from_folders_and_rules(
    folder: Path, target: str, status: int, location: str
) -> None:
    """A rule applies where no file is; its status defaults to 301."""
    with StaticSite(folder) as base:
        assert ask(base, target) == (status, "text/html", location, "")


def test_a_file_wins_over_a_rule(folder: Path) -> None:
    """As static hosts do without a forced rule."""
    with StaticSite(folder) as base:
        assert ask(base, "/dir/page.html")[3] == "page"


def test_head_has_no_body(folder: Path) -> None:
    """Only the headers."""
    with StaticSite(folder) as base:
        assert ask(base, "/", "HEAD") == (200, "text/html", "", "")


@pytest.mark.parametrize("line", ["/a", "/a /b 200", "/a /b often", "/a /b 301 more"])
def test_a_line_that_is_no_rule_is_named(folder: Path, line: str) -> None:
    """With its file and number."""
    (folder / "_redirects").write_text(f"/ok /dir/\n{line}\n")
    with pytest.raises(InputError, match=r"_redirects:2: .*expected `FROM TO STATUS`"):
        StaticSite(folder)


def test_a_missing_or_empty_folder_is_named(tmp_path: Path) -> None:
    """With the way out."""
    with pytest.raises(InputError, match=r"no-such is no folder.*domain.mirror.dir"):
        StaticSite(tmp_path / "no-such")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty is empty"):
        StaticSite(tmp_path / "empty")


def test_an_edit_of_a_folder_changes_its_fingerprint(tmp_path: Path) -> None:
    """Content of equal length, a new, a lost and a renamed file, a link that leads elsewhere."""
    folder = write_site(tmp_path / "site", {"a/index.html": "one", "b.html": "two"})
    (folder / "latest").symlink_to("a")
    seen = [fingerprint(folder), fingerprint(folder)]
    assert seen[0] == seen[1]
    (folder / "b.html").write_text("six")
    seen.append(fingerprint(folder))
    (folder / "c").mkdir()
    (folder / "c/index.html").write_text("new")
    seen.append(fingerprint(folder))
    (folder / "b.html").rename(folder / "d.html")
    seen.append(fingerprint(folder))
    (folder / "latest").unlink()
    (folder / "latest").symlink_to("c")
    seen.append(fingerprint(folder))
    assert len(set(seen)) == len(seen) - 1

"""Two sites that nobody here wrote, crawled whole: every page on disk is accounted for.

An own walk over the files, with the standard library's parser, says what can be reached.
"""

import tarfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit
from xml.etree import ElementTree

import pytest
from crawl_servers import make_domain

from groundwork.crawl import CrawlConfig, crawl_domain

ARCHIVE_PATH = Path(__file__).resolve().parents[3] / "shared" / "data" / "sites.tar.xz"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ARCHIVE_PATH.exists(), reason=f"{ARCHIVE_PATH.name} is not beside us"),
]
PUBLIC = {"evcc": "https://docs.evcc.io", "citrineos": "https://citrineos.github.io"}
VERSIONS = ["/1.4.x/", "/1.5.x/", "/latest/", "/main/", "/v1.8.X/"]


class Anchors(HTMLParser):
    """Where one page leads."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Anchors, canonical and translated pages, neighbours, immediate forwarding."""
        given = {name: value or "" for name, value in attrs}
        rel = given.get("rel", "").split()
        translated = "alternate" in rel and "hreflang" in given
        follows = translated or {"canonical", "next", "prev"} & {*rel}
        if tag in ("a", "area") or (tag == "link" and follows):
            self.hrefs.append(given.get("href", ""))
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.hrefs.append(given.get("content", "").partition("url=")[2])


class Walk:
    """What can be reached from the start URLs: URLs as they are written, and files."""

    def __init__(self, folder: Path, *, public: str, include: list[str]) -> None:
        self.folder, self.public, self.include = folder, public, include
        self.urls: set[str] = set()
        self.files: set[str] = set()
        for path in include or ["/"]:
            self._reach(f"{public}{path}")
            self._read_sitemap(folder / path.strip("/") / "sitemap.xml")
        self._read_sitemap(folder / "sitemap.xml")

    def _read_sitemap(self, path: Path) -> None:
        if path.exists():
            for place in ElementTree.parse(path).iter():  # noqa: S314  a file of our own data
                if place.tag.endswith("}loc"):
                    self._reach((place.text or "").strip())

    def _reach(self, url: str) -> None:
        url = urldefrag(url).url
        if url == self.public:
            url += "/"
        inside = url.startswith(f"{self.public}/")
        below = [*self.include] or [""]
        path = unquote(urlsplit(url).path)
        if not inside or url in self.urls or not any(f"{path}/".startswith(b) for b in below):
            return
        self.urls.add(url)
        file = self.folder / path.strip("/")
        if file.is_dir():
            file /= "index.html"
        if file.suffix == ".html" and file.exists():
            self._follow(file, url=f"{url.rstrip('/')}/" if file.name == "index.html" else url)

    def _follow(self, file: Path, *, url: str) -> None:
        self.files.add(file.relative_to(self.folder).as_posix())
        anchors = Anchors()
        anchors.feed(file.read_text(encoding="utf-8"))
        for href in anchors.hrefs:
            if href:
                self._reach(urljoin(url, href.strip()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both sites, unpacked."""
    folder = tmp_path_factory.mktemp("sites")
    with tarfile.open(ARCHIVE_PATH) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.rglob("evcc")).parent


def file_of(url: str) -> str:
    """The file behind a page's URL."""
    path = unquote(urlsplit(url).path)
    return f"{path}index.html".lstrip("/") if path.endswith("/") else path.lstrip("/")


@pytest.mark.parametrize(
    ("name", "include", "pages", "redirects", "unreached"),
    [
        ("evcc", [], 136, 132, 2),
        ("evcc", ["/en/"], 68, 66, 70),
        ("citrineos", [], 40, 0, 44),
        ("citrineos", VERSIONS, 67, 0, 17),
    ],
)
def test_every_page_is_accounted_for(
    config: CrawlConfig,
    folder: Path,
    name: str,
    include: list[str],
    pages: int,
    redirects: int,
    unreached: int,
) -> None:
    """What can be reached is a page or a reject; nothing leads to the other files.

    Those are each site's `404.html`, what `include` leaves out, and, when citrineos is crawled from
    its root, versions that only a script of the page leads to.
    """
    public = PUBLIC[name]
    walk = Walk(folder / name, public=public, include=include)
    mirror = {"dir": str(folder / name), "public_url": public, "include": include, "exclude": []}
    result = crawl_domain(make_domain(mirror=mirror), config)
    assert (len(result.pages), len(result.rejects)) == (pages, redirects)
    found = {page.url for page in result.pages} | {reject.key for reject in result.rejects}
    assert found == walk.urls
    assert {file_of(page.url) for page in result.pages} == walk.files
    assert {reject.reason for reject in result.rejects} <= {"duplicate_url"}
    reached = {(folder / name / file).resolve() for file in walk.files}
    files = {path.resolve() for path in (folder / name).rglob("*.html")}
    assert len(files) == len(reached) + unreached


def test_the_versions_of_citrineos_are_crawled_side_by_side(
    config: CrawlConfig, folder: Path
) -> None:
    """Near-copies for `clean` to find: every version has its home page and its roadmap."""
    mirror = {"dir": str(folder / "citrineos"), "public_url": PUBLIC["citrineos"]}
    mirror |= {"include": VERSIONS, "exclude": []}
    urls = {page.url for page in crawl_domain(make_domain(mirror=mirror), config).pages}
    for version in VERSIONS:
        assert {f"{PUBLIC['citrineos']}{version}{page}" for page in ("", "roadmap/")} <= urls

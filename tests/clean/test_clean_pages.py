"""From pages to documents: every page is accounted for."""

import json
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork.artifacts import sha256_bytes
from groundwork.clean import (
    Categorise,
    CleanConfig,
    CleanResult,
    MeaningCategoriser,
    Reason,
    categories_of_urls,
    clean_pages,
)
from groundwork.clean import page as page_module
from groundwork.config import DomainConfig
from groundwork.errors import InputError
from groundwork.records import Page

SITE = "https://site.example"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered between runs lies below the current folder."""
    monkeypatch.chdir(tmp_path)


def _article(title: str, seed: int, *, head: str = "") -> str:
    sentences = " ".join(
        f"Point {seed}-{i} says that the {title} of number {i * seed} draws {i} amperes."
        for i in range(1, 9)
    )
    return (
        f"<html lang='en'><head>{head}</head><body><main><h1>{title}</h1><p>{sentences}</p>"
        f"<p>The {title} ends here, and nobody asks for more of {seed} at night.</p></main></body>"
        "</html>"
    )


def _clean(
    pages: Sequence[Page],
    config: CleanConfig,
    domain: DomainConfig,
    categorise: Categorise | None = None,
) -> CleanResult:
    return clean_pages(pages, config=config, domain=domain, categorise=categorise)


def test_pages_become_documents(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """Sorted by URL, tied to the page by its hash, in a category by folder."""
    pages = [
        make_page(_article("socket", 3), url=f"{SITE}/en/home/socket/"),
        make_page(_article("cable", 2), url=f"{SITE}/cable/"),
    ]
    result = _clean(pages, config, domain)
    assert [document.url for document in result.documents] == [pages[1].url, pages[0].url]
    document = result.documents[1]
    assert document.document_id == sha256_bytes(document.url.encode())[:16]
    assert (document.title, document.language, document.media) == ("socket", "en", "html")
    assert (document.category, document.category_confidence) == ("general", 1.0)
    assert (document.page_sha256, document.licence) == (pages[0].sha256, "CC-BY-4.0")
    assert document.text.startswith("# socket\n\nPoint 3-1 says")
    assert result.rejects == []


def test_every_page_is_a_document_or_a_reject(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """A page of every kind of trouble; the stage dies of none and the report counts them all."""
    bodies: dict[str, tuple[bytes | str, str]] = {
        "a-good": (_article("wallbox", 5), "text/html"),
        "b-again-with-a-longer-address": (_article("wallbox", 5), "text/html"),
        "c-empty": (b" \n", "text/html"),
        "d-json": (b'{"a": 1}', "text/html"),
        "e-deep": ("<html>" + "<div>" * 100_000, "text/html"),
        "f-picture": (b"\x89PNG", "image/png"),
        "g-nothing": ("<html><body></body></html>", "text/html"),
        "h-short": (
            "<html><body><main><h1>Hi</h1><p>A word.</p></main></body></html>",
            "text/html",
        ),
        "i-german": (
            "<html><body><main><h1>Laden</h1>"
            + "<p>Die Wallbox lädt das Auto über Nacht, und am Morgen ist die Batterie voll.</p>"
            + "<p>Das Kabel hängt an der Wand, und der Stecker passt in jedes neue Auto.</p>"
            + "<p>Wer im Winter fährt, sollte die Batterie vor dem Laden wärmen.</p></main></body>",
            "text/html",
        ),
        "j-scan": (b"%PDF-1.7", "application/pdf"),
        "k-noindex": (_article("x", 7, head="<meta name=robots content=noindex>"), "text/html"),
    }
    pages = [make_page(b, url=f"{SITE}/{k}", content_type=t) for k, (b, t) in bodies.items()]
    result = _clean(pages, config, domain)
    reasons = {reject.key.rsplit("/", 1)[1]: reject.reason for reject in result.rejects}
    assert reasons == {
        "b-again-with-a-longer-address": Reason.EXACT_DUPLICATE,
        "c-empty": Reason.EMPTY_BODY,
        "d-json": Reason.NOT_HTML,
        "e-deep": Reason.MARKUP_TOO_DEEP,
        "f-picture": Reason.UNSUPPORTED_TYPE,
        "g-nothing": Reason.NO_CONTENT,
        "h-short": Reason.TOO_SHORT,
        "i-german": Reason.WRONG_LANGUAGE,
        "j-scan": Reason.DAMAGED_PDF,
        "k-noindex": Reason.NOINDEX,
    }
    assert [document.url for document in result.documents] == [f"{SITE}/a-good"]
    assert result.report["funnel"] == {"pages": 11, "extracted": 4, "good": 2, "documents": 1}
    assert sum(result.report["rejects"].values()) == 10
    assert result.report["languages"] == {"en": 1}


def test_large_bodies_are_refused_unread(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """The limit stands in the detail."""
    small = replace(config, extract=replace(config.extract, max_body_bytes=100))
    (reject,) = _clean([make_page(_article("x", 1))], small, domain).rejects
    assert reject.reason == Reason.BODY_TOO_LARGE
    assert reject.detail.endswith("bytes; expected at most 100")


def test_near_duplicates_name_the_page_that_is_kept(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """The canonical page stays; the reject and the report say how similar the other is."""
    link = f"<link rel=canonical href={SITE}/guide/cable/>"
    print_version = _article("cable", 2, head=link).replace("at night", "when printed")
    pages = [
        make_page(_article("cable", 2, head=link), url=f"{SITE}/guide/cable/"),
        make_page(print_version, url=f"{SITE}/p"),
    ]
    result = _clean(pages, config, domain)
    (reject,) = result.rejects
    assert (reject.key, reject.reason) == (f"{SITE}/p", Reason.NEAR_DUPLICATE)
    assert reject.detail == f"repeats {SITE}/guide/cable/ (similarity 0.98)"
    (cluster,) = result.report["clusters"]
    assert cluster["canonical"] == f"{SITE}/guide/cable/"
    assert [(page["url"], page["left_out"]) for page in cluster["pages"]] == [(f"{SITE}/p", True)]


def test_a_url_that_comes_twice_is_an_error(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """It would give two documents one identifier."""
    with pytest.raises(InputError, match="comes twice"):
        _clean([make_page("x"), make_page("y")], config, domain)


def test_unchanged_pages_are_not_extracted_again(
    config: CleanConfig,
    domain: DomainConfig,
    make_page: Callable[..., Page],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page that changed is read, the others are remembered; the result is that of a full run."""
    pages = [make_page(_article(f"thing{i}", i), url=f"{SITE}/{i}") for i in range(1, 5)]
    first = _clean(pages, config, domain)
    read: list[str] = []
    extract = page_module._extract

    def spy(page: Page, *args: object) -> object:
        read.append(page.url)
        return extract(page, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(page_module, "_extract", spy)
    assert _clean(pages, config, domain) == first
    assert read == []
    changed = [make_page(_article("other", 9), url=f"{SITE}/2"), *pages[2:]]
    incremental = _clean(changed, config, domain)
    assert read == [f"{SITE}/2"]
    shutil.rmtree(".cache")
    assert _clean(changed, config, domain) == incremental
    other = replace(config, personal_data=replace(config.personal_data, phone_regions=["FR"]))
    for settings, place in (
        (other, domain),
        (replace(config, extract=replace(config.extract, max_depth=99)), domain),
        (config, replace(domain, allowed_personal_data=["@site.example"])),
    ):
        read.clear()
        _clean(changed, settings, place)
        assert len(read) == 3


def test_personal_data_is_masked_and_counted(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """In text, title and author, but for what the domain allows; nothing else is remembered."""
    body = _article("wallbox", 3, head="<meta name=author content=eve@b.example>")
    body = body.replace("<h1>wallbox", "<h1>Mail a@b.example").replace(
        "<p>", "<p>Call +44 20 7946 0958 or +44 20 7946 0959 (desk@help.example). ", 1
    )
    site = replace(
        domain, allowed_personal_data=["020 7946 0958", "@help.example", "+442079460958"]
    )
    result = _clean([make_page(body)], config, site)
    (document,) = result.documents
    assert (document.title, document.author) == ("Mail [EMAIL]", "[EMAIL]")
    assert "Call +44 20 7946 0958 or [PHONE] (desk@help.example)." in document.text
    assert {kind: n for kind, n in result.report["masked"].items() if n} == {"email": 1, "phone": 1}
    assert result.report["documents_with_masks"] == 1
    stored = [path.read_text("utf-8") for path in Path(".cache/groundwork/clean").glob("*/*")]
    assert len(stored) == 1
    assert "a@b.example" not in stored[0]


def test_failures_inside_libraries_are_rejects(
    config: CleanConfig,
    domain: DomainConfig,
    make_page: Callable[..., Page],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever a parser makes of a page, the others are still read."""

    def fail(page: Page, _config: object) -> None:
        raise RecursionError("too deep\nfor me")

    monkeypatch.setattr(page_module, "extract_html", fail)
    (reject,) = _clean([make_page(_article("x", 1))], config, domain).rejects
    assert reject.reason == Reason.EXTRACTION_FAILED
    assert reject.detail == "RecursionError: too deep for me"


@pytest.mark.parametrize(
    ("paths", "categories"),
    [
        ("/docs/x /docs/y /blog/1 /blog/2", "docs docs blog blog"),
        ("/en/docs/x/ /en-GB/docs/y/ /de/blog/1 /blog/2", "docs docs blog blog"),
        ("/faq /docs/ /blog/1 /blog/2 /a/1 /a/2", "general general blog blog a a"),
        ("/page.html / /en/ /---/x /---/y", "general general general general general"),
        ("/blog/2023/x /blog/2024/y /docs/x /docs/y", "blog blog docs docs"),
        ("/Core%20Concepts/x /Core%20Concepts/y /z", "core_concepts core_concepts general"),
        (
            "/docs/ /docs/faq/ /docs/api/ /docs/api/a/ /docs/setup/ /docs/setup/x/ /blog/1 /blog/2",
            "docs docs api api setup setup blog blog",
        ),
        ("/docs/x/1 /docs/x/2 /docs/x/3 /blog/x/4 /blog/x/5", "x x x blog blog"),
        ("", ""),
    ],
)
def test_without_categories_the_folder_that_parts_the_site_counts(
    paths: str, categories: str
) -> None:
    """Not one that holds most of it, is a language or a number, or holds a single page."""
    urls = [f"https://site.example{path}" for path in paths.split()]
    assert categories_of_urls(urls) == categories.split()
    assert categories_of_urls(urls[::-1]) == categories.split()[::-1]


class OneWayEncoder:
    """Embeds by the words that it knows, and remembers how many texts came together."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def encode(self, texts: Sequence[str]) -> object:
        import numpy as np

        self.asked.append(len(texts))
        axes = ["cable", "winter", "subject"]
        rows = [[float(axis in text) + 0.1 for axis in axes] for text in texts]
        return np.array(rows, dtype=np.float32)


def test_the_category_is_the_nearest_description(
    config: CleanConfig, domain: DomainConfig, make_page: Callable[..., Page]
) -> None:
    """The confidence is below 1 and over an even share; each page is embedded apart."""
    encoder = OneWayEncoder()
    categorise = MeaningCategoriser(
        encoder,  # type: ignore[arg-type]
        "subject",
        {"cables": "about a cable", "cold": "about winter"},
        config.category,
    )
    pages = [
        make_page(_article("cable", 2), url=f"{SITE}/a"),
        make_page(_article("winter", 3), url=f"{SITE}/b"),
    ]
    documents = _clean(pages, config, domain, categorise).documents
    assert [document.category for document in documents] == ["cables", "cold"]
    assert all(0.5 < document.category_confidence <= 1 for document in documents)
    assert encoder.asked == [1, 2, 1, 1], "subject, descriptions, and the windows of each page"


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_confidence_is_a_softmax_at_the_configured_temperature(
    config: CleanConfig, temperature: float
) -> None:
    """Of two categories: the logistic function of their difference over the temperature."""
    categorise = MeaningCategoriser(
        OneWayEncoder(),  # type: ignore[arg-type]
        "subject",
        {"cables": "about a cable", "cold": "about winter"},
        replace(config.category, temperature=temperature),
    )
    text = "A cable\n\nA cable and nothing else."
    (near, far) = next(iter(categorise.similarities([text])))
    ((category, confidence),) = categorise([text])
    assert category == "cables"
    assert confidence == pytest.approx(1 / (1 + math.exp((far - near) / temperature)), abs=1e-4)


@pytest.mark.slow
def test_the_bundled_encoder_tells_subjects_apart(config: CleanConfig) -> None:
    """With the real model: a page about winter is about winter."""
    from groundwork.index import Encoder

    categorise = MeaningCategoriser(
        Encoder.load(),
        "electric-vehicle charging",
        {
            "winter": "cold weather, winter range, preconditioning and heat pumps",
            "costs": "cost of charging, electricity tariffs, price per kilowatt hour",
        },
        config.category,
    )
    texts = [
        "Driving in frost\n\nSnow and ice cost range; a warm battery charges faster.",
        "Night rates\n\nThe supplier bills 8 p/kWh between midnight and five.",
    ]
    found = list(categorise(texts))
    assert [category for category, _ in found] == ["winter", "costs"]
    assert json.dumps(found)

"""Duplicates: every near-duplicate is found, and the right page kept."""

import random

from groundwork.clean.config import DuplicatesConfig
from groundwork.clean.duplicates import Candidate, Duplicate, find_duplicates, list_clusters

SITE = "https://site.example"
WORDS = [f"word{i}" for i in range(200)]


def _text(seed: int, length: int = 200) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def _candidate(url: str, text: str, *, canonical: str = "", headed: bool = True) -> Candidate:
    return Candidate(f"{SITE}{url}", canonical, headed, text)


def _find(*candidates: Candidate, min_covered: float = 0.8) -> list[Duplicate]:
    config = DuplicatesConfig(shingle_words=3, min_similarity=0.5, min_covered=min_covered)
    return find_duplicates(candidates, config)


def _kept(*candidates: Candidate) -> dict[str, str]:
    return {
        item.url.removeprefix(SITE): item.other.removeprefix(SITE)
        for item in _find(*candidates)
        if item.left_out
    }


def test_equal_words_are_exact_duplicates() -> None:
    """Case, punctuation and layout do not matter."""
    found = _find(_candidate("/a", "One two, three."), _candidate("/bb", "ONE  two\n\n- three!"))
    assert found == [Duplicate(f"{SITE}/bb", f"{SITE}/a", 1.0, exact=True, left_out=True)]


def test_similarity_is_the_share_of_the_shorter_text() -> None:
    """a b c d e f g has 5 shingles of 3 words; with X for g 4 of them stand: 4/5."""
    long = _candidate("/a", "a b c d e f g h i j k l m n")
    (found,) = _find(long, _candidate("/b", "a b c d e f X"))
    assert found == Duplicate(f"{SITE}/b", f"{SITE}/a", 4 / 5, exact=False, left_out=True)


def test_a_page_with_much_of_its_own_stays() -> None:
    """It is a near-duplicate all the same: 3 of 5 shingles stand in the other page."""
    pages = _candidate("/a", "a b c d e f g h i j"), _candidate("/b", "a b c d e X Y")
    assert _find(*pages) == [
        Duplicate(f"{SITE}/b", f"{SITE}/a", 3 / 5, exact=False, left_out=False)
    ]
    assert _find(*pages, min_covered=0.6)[0].left_out


def test_a_page_that_has_grown_is_kept_for_what_it_was() -> None:
    """The shorter address does not help the older edition."""
    old, new = _text(1, 100), f"{_text(1, 100)} {_text(2, 150)}"
    assert _kept(_candidate("/v1", old), _candidate("/version/2", new)) == {"/v1": "/version/2"}


def test_a_canonical_page_does_not_replace_a_longer_one() -> None:
    """The page that names itself is kept, and so is the page that holds it and much more."""
    short = _candidate("/a", _text(1, 100), canonical="/a")
    found = _find(short, _candidate("/all", f"{_text(1, 100)} {_text(2, 150)}"))
    assert [(item.url, item.similarity, item.left_out) for item in found] == [
        (f"{SITE}/all", 1.0, False)
    ]


def test_unlike_and_short_texts_stay() -> None:
    """Below the threshold nothing is left out; texts shorter than a shingle are compared whole."""
    texts = [_candidate("/a", _text(1)), _candidate("/b", _text(2)), _candidate("/c", "one two")]
    assert _find(*texts, _candidate("/d", "one three"), _candidate("/e", "")) == []
    assert _find() == []


def test_clusters_name_every_page_once() -> None:
    """A chain of editions is one cluster; each page names the one it resembles most."""
    words = _text(1, 220).split()
    pages = [_candidate(f"/{number}", " ".join(words[number * 40 :][:100])) for number in range(4)]
    (cluster,) = list_clusters(_find(*pages, _candidate("/other", _text(5))))
    assert cluster == {
        "canonical": f"{SITE}/0",
        "pages": [
            {
                "url": f"{SITE}/{number}",
                "resembles": f"{SITE}/{number - 1}",
                "similarity": round(58 / 98, 4),
                "left_out": False,
            }
            for number in (1, 2, 3)
        ],
    }


def test_a_page_that_others_name_comes_first() -> None:
    """Of two that name themselves the one that a copy names, too: `latest` names its version."""
    text = _text(8)
    old = _candidate("/page", text, canonical="/page")
    new = _candidate("/v1.8/page", text, canonical="/v1.8/page")
    latest = _candidate("/latest/page", text, canonical="/v1.8/page")
    assert _kept(old, new, latest) == {"/page": "/v1.8/page", "/latest/page": "/v1.8/page"}


def test_the_canonical_page_is_kept() -> None:
    """Who names itself wins over who names another, whatever the length of the address."""
    text = _text(3)
    long = _candidate("/guide/the-real-page/", text, canonical="/guide/the-real-page/")
    short = _candidate("/p", text, canonical="https://SITE.example/guide/the-real-page")
    assert _kept(short, long) == {"/p": "/guide/the-real-page/"}


def test_a_page_that_others_name_is_kept() -> None:
    """It need not name itself; pages without a canonical link come before those that point away."""
    text = _text(4)
    named = _candidate("/the/named/one/index.html", text)
    assert _kept(
        _candidate("/a", text, canonical="/the/named/one/"), _candidate("/b", text), named
    ) == {"/a": "/the/named/one/index.html", "/b": "/the/named/one/index.html"}
    gone = _candidate("/c", text, canonical="/not/crawled/")
    assert _kept(gone, _candidate("/long/address", text)) == {"/c": "/long/address"}


def test_an_article_is_kept_before_the_list_that_shows_it() -> None:
    """A page with a heading of its own wins; else the shorter address, else the first by name."""
    text = _text(6)
    post, listing = _candidate("/blog/2024/post/", text), _candidate("/blog/", text, headed=False)
    assert _kept(listing, post) == {"/blog/": "/blog/2024/post/"}
    assert _kept(_candidate("/bb", text), _candidate("/a", text)) == {"/bb": "/a"}
    assert _kept(_candidate("/b", text), _candidate("/a", text)) == {"/b": "/a"}


def test_a_broken_canonical_address_is_no_error() -> None:
    """Whatever the page wrote there."""
    text = _text(7)
    assert _kept(_candidate("/bb", text, canonical="http://[x"), _candidate("/a", text)) == {
        "/bb": "/a"
    }

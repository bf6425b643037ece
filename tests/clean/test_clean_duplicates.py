"""Duplicates: every pair above the threshold, and the right one kept."""

import random

from groundwork.clean.duplicates import Candidate, Duplicate, find_duplicates

WORDS = [f"word{i}" for i in range(200)]


def _text(seed: int, length: int = 200) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=length))


def _candidate(url: str, text: str, *, canonical: str = "", headed: bool = True) -> Candidate:
    return Candidate(f"https://site.example{url}", canonical, headed, text)


def _find(*candidates: Candidate, min_jaccard: float = 0.7) -> list[Duplicate]:
    return find_duplicates(candidates, shingle_words=3, min_jaccard=min_jaccard)


def _kept(*candidates: Candidate) -> dict[str, str]:
    strip = len("https://site.example")
    return {item.url[strip:]: item.kept[strip:] for item in _find(*candidates)}


def test_equal_words_are_exact_duplicates() -> None:
    """Case, punctuation and layout do not matter."""
    found = _find(_candidate("/a", "One two, three."), _candidate("/bb", "ONE  two\n\n- three!"))
    assert found == [
        Duplicate("https://site.example/bb", "https://site.example/a", 1.0, exact=True)
    ]


def test_similarity_is_the_jaccard_index_of_shingles() -> None:
    """a b c d e f g: 5 shingles of 3 words; one word added makes 6, 5 in common: 5/6."""
    (found,) = _find(_candidate("/a", "a b c d e f g"), _candidate("/b", "a b c d e f g h"))
    assert (found.similarity, found.exact) == (5 / 6, False)


def test_unlike_and_short_texts_stay() -> None:
    """Below the threshold nothing is left out; texts shorter than a shingle are compared whole."""
    texts = [_candidate("/a", _text(1)), _candidate("/b", _text(2)), _candidate("/c", "one two")]
    assert _find(*texts, _candidate("/d", "one three"), _candidate("/e", "")) == []
    assert _find() == []


def test_every_pair_above_the_threshold_is_found() -> None:
    """The filter that spares comparisons loses none: checked against all pairs."""
    rng = random.Random(5)
    candidates = []
    for number in range(80):
        words = _text(number // 4).split()
        for _ in range(rng.randrange(0, 30)):
            words[rng.randrange(len(words))] = f"other{rng.randrange(10_000)}"
        candidates.append(_candidate(f"/{number:03}", " ".join(words)))

    def shingles(item: Candidate) -> set[tuple[str, ...]]:
        words = item.text.split()
        return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}

    for limit in (0.5, 0.8):
        found = {item.url for item in _find(*candidates, min_jaccard=limit)}
        kept: list[set[tuple[str, ...]]] = []
        expected = set()
        for item in candidates:
            own = shingles(item)
            if any(len(own & other) / len(own | other) >= limit for other in kept):
                expected.add(item.url)
            else:
                kept.append(own)
        assert found == expected
        assert 0 < len(found) < 80


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

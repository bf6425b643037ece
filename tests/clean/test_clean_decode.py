"""Charsets, and what must not reach a parser."""

import time
import tracemalloc
from dataclasses import replace

import pytest

from groundwork.clean import CleanConfig, Reason
from groundwork.clean.decode import check_html, check_markup, decode_body
from groundwork.clean.reasons import PageRefusedError

TEXT = "Preis: 5 € für größere Autos – „schnell“"


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (TEXT.encode("utf-8"), ""),
        (TEXT.encode("utf-8"), "iso-8859-1"),
        (TEXT.encode("cp1252"), "utf-8"),
        (TEXT.encode("cp1252"), "iso-8859-1"),
        (TEXT.encode("cp1252"), "no-such-charset"),
        (TEXT.encode("cp1252"), "hex"),
        (b"\xef\xbb\xbf" + TEXT.encode("utf-8"), "cp1252"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "utf-8"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), ""),
        ("<p>Energy".encode("utf-16-le") + TEXT.encode("utf-16-le"), ""),
        ("<p>Energy".encode("utf-16-be") + TEXT.encode("utf-16-be"), ""),
        (b'<meta charset="windows-1252">' + TEXT.encode("cp1252"), ""),
        (b"<meta http-equiv=x content='text/html; charset=cp1252'>" + TEXT.encode("cp1252"), ""),
    ],
)
def test_the_bytes_decide_before_the_declaration(body: bytes, charset: str) -> None:
    """Byte-order mark, then valid UTF-8, then header and meta tag, then Windows-1252."""
    assert decode_body(body, charset).endswith(TEXT)


def test_declared_charsets_of_other_scripts_are_honoured() -> None:
    """What is no UTF-8 is read as declared, also where escapes look like ASCII."""
    assert decode_body("充电站".encode("gb18030"), "gb18030") == "充电站"
    assert decode_body("зарядка".encode("koi8-r"), "koi8-r") == "зарядка"
    assert decode_body("充電".encode("iso2022_jp"), "iso-2022-jp") == "充電"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"%PDF-1.7 <p>", "a PDF that the server calls HTML"),
        (b'{"price": 5}', "no HTML element; it begins '{\"price\": 5}'"),
        (b"<?xml version='1.0'?><rss><item/></rss>", "no HTML element"),
        (b"<html>" + bytes(range(1, 32)) * 40, "are not text"),
    ],
)
def test_what_is_no_html_is_refused(body: bytes, detail: str) -> None:
    """A server may call anything HTML; the reject says what came instead."""
    with pytest.raises(PageRefusedError, match=detail) as caught:
        check_html(body, body.decode("latin-1"))
    assert caught.value.reason is Reason.NOT_HTML


def test_a_million_nested_tags_are_refused_at_once(config: CleanConfig) -> None:
    """Depth is counted before any parser recurses."""
    text = "<html><body>" + "<div>" * 1_000_000 + "x" + "</div>" * 1_000_000
    started = time.monotonic()
    with pytest.raises(PageRefusedError, match="more than 200 nested elements") as caught:
        check_markup(text, config.extract)
    assert caught.value.reason is Reason.MARKUP_TOO_DEEP
    assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        "<p>" * 3000,
        "<li>" * 3000,
        "<br>" * 3000,
        "<svg>" + "<path d='M0'/>" * 3000,
        "<i>x</i>" * 3000,
        "<!-- " + "<div>" * 3000 + " -->",
        "<script>" + "'<div>'" * 3000 + "</SCRIPT><p>",
        "<script>" + "<div>" * 3000,
        "<!-- never closed " + "<div>" * 3000,
        "</div>" * 3000,
        "a < b " * 3000,
        "<div>" * 150 + "</b>" * 150 + "</div>" * 150,
    ],
)
def test_wide_markup_is_no_deep_markup(text: str, config: CleanConfig) -> None:
    """Elements that close by themselves, comments and scripts make no depth."""
    check_markup(text, config.extract)


def test_too_many_tags_are_refused(config: CleanConfig) -> None:
    """A page with more tags than any document has is no document."""
    limits = replace(config.extract, max_tags=100)
    with pytest.raises(PageRefusedError, match="more than 100 tags") as caught:
        check_markup("<p>x" * 101, limits)
    assert caught.value.reason is Reason.TOO_MANY_TAGS


def test_hostile_markup_takes_linear_time(config: CleanConfig) -> None:
    """Unclosed comments and scripts and stray brackets do not multiply the work."""
    started = time.monotonic()
    for text in ("<!--" * 300_000, "<script>" * 200_000, "<" * 1_000_000):
        check_markup(text, config.extract)
    assert time.monotonic() - started < 5


def test_many_attributes_are_refused_before_the_parser_compares_them(config: CleanConfig) -> None:
    """Of 100,000 on one element it would take two minutes."""
    names = " ".join(f"a{number}" for number in range(100_000))
    started = time.process_time()
    with pytest.raises(PageRefusedError, match="attributes; expected at most 5000") as caught:
        check_markup(f'<html><p title="a > b" {names}>x</p>', config.extract)
    assert caught.value.reason is Reason.TOO_MANY_TAGS
    assert time.process_time() - started < 5


def test_more_text_than_a_document_may_have_is_not_parsed(config: CleanConfig) -> None:
    """What the page shows counts; scripts and addresses of pictures do not."""
    limits = replace(config.extract, max_text_chars=300_000)
    with pytest.raises(PageRefusedError, match="more than 300000 characters of text") as caught:
        check_markup("<p>" + "word " * 70_000, limits)
    assert caught.value.reason is Reason.BODY_TOO_LARGE
    script, picture = "x = 1;" * 70_000, "A" * 400_000
    check_markup(f"<p>word<script>{script}</script><img src='data:{picture}'>", limits)


def test_attributes_are_counted_before_anything_holds_them(config: CleanConfig) -> None:
    """Also where scripts are off; tags within a tag do not multiply the work."""
    names = " ".join(f"a{number}" for number in range(100_000))
    started = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises(PageRefusedError, match="with 100000 attributes"):
            check_markup(f"<html><noscript><p {names}>x</p></noscript>", config.extract)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    check_markup("<p " + "<br" * 50_000 + ">", config.extract)
    assert time.process_time() - started < 5

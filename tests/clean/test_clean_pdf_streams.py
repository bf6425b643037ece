"""Streams of a PDF are measured before they are unpacked."""

import resource
import zlib
from dataclasses import replace

import pytest

from groundwork.clean import CleanConfig, Reason
from groundwork.clean.pdf_streams import IMAGE_FACTOR, check_streams
from groundwork.clean.reasons import PageRefusedError


def _pdf(packed: bytes, kind: bytes = b"/Filter /FlateDecode") -> bytes:
    return b"%%PDF-1.7\n4 0 obj\n<< %s >>\nstream\n%s\nendstream\nendobj\n" % (kind, packed)


def _packed(size_bytes: int) -> bytes:
    return zlib.compress(b" " * size_bytes, 9)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_stream_that_unpacks_to_too_much_is_refused(layers: int, config: CleanConfig) -> None:
    """However often it was packed, whatever the dictionary calls it."""
    packed = _packed(100_000_000)
    for _ in range(layers - 1):
        packed = zlib.compress(packed)
    for kind in (b"/Filter /FlateDecode", b"/Filter /Fl#61teDecode", b""):
        with pytest.raises(PageRefusedError, match="more than 20000000 bytes unpacked") as caught:
            check_streams(_pdf(packed, kind), config.extract)
        assert caught.value.reason is Reason.BODY_TOO_LARGE


def test_pictures_may_be_larger(config: CleanConfig) -> None:
    """They are not read; the word in another object's dictionary does not count."""
    limits = replace(config.extract, max_body_bytes=1_000_000)
    picture, packed = b"/Subtype /Image", _packed(2_000_000)
    check_streams(_pdf(packed, picture), limits)
    with pytest.raises(PageRefusedError, match=f"more than {IMAGE_FACTOR * 1_000_000} bytes"):
        check_streams(_pdf(_packed(5_000_000), picture), limits)
    with pytest.raises(PageRefusedError, match="more than 1000000 bytes"):
        check_streams(_pdf(b"", picture) + _pdf(packed), limits)


def test_a_sound_document_passes(config: CleanConfig) -> None:
    """Of many streams none is too large; broken and unpacked ones are the reader's business."""
    limits = replace(config.extract, max_body_bytes=1_000_000)
    body = _pdf(_packed(900_000)) * 9 + _pdf(b"BT (words) Tj ET", b"") + _pdf(_packed(900_000)[:50])
    check_streams(body, limits)


def test_a_bomb_is_measured_without_being_held(config: CleanConfig) -> None:
    """Megabytes at a time."""
    packer = zlib.compressobj(9)
    packed = b"".join([packer.compress(b" " * 1_000_000) for _ in range(300)]) + packer.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PageRefusedError):
        check_streams(_pdf(packed), config.extract)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000

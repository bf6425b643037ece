"""Packed streams of a PDF, measured before a reader unpacks them.

In: the body of a page. Out: nothing, or a refusal. Whatever its dictionary says, what can be
unpacked as zlib is, some megabytes at a time and without keeping them.
"""

import re
import zlib

from groundwork.clean.config import ExtractConfig
from groundwork.clean.reasons import PageRefusedError, Reason

IMAGE_FACTOR = 4
"""Pictures, which are not read, are larger than text: a photograph of a screen has 25 MB."""
LAYERS = 4
"""A stream may be packed more than once."""
STEP_BYTES = 1 << 20
_START = re.compile(rb"(?<!end)stream\r?\n")
_IMAGE = re.compile(rb"/Subtype\s*/Image")
DICTIONARY_BYTES = 1000


def check_streams(body: bytes, config: ExtractConfig) -> None:
    """Refuse a PDF with a stream that unpacks to too much. Raises: `PageRefusedError`.

    Streams of encrypted documents, and those packed with LZW, cannot be measured so.
    """
    view = memoryview(body)
    for match in _START.finditer(body):
        head = body[max(0, match.start() - DICTIONARY_BYTES) : match.start()]
        is_image = _IMAGE.search(head, max(0, head.rfind(b" obj"))) is not None
        most = config.max_body_bytes * (IMAGE_FACTOR if is_image else 1)
        packed: bytes | memoryview = view[match.end() :]
        for _ in range(LAYERS):
            unpacked = _unpack(packed, most)
            if not unpacked.startswith(b"x"):
                break
            packed = unpacked


def _unpack(packed: bytes | memoryview, most: int) -> bytes:
    """What a stream holds, if that might be packed again. Raises: `PageRefusedError`."""
    engine = zlib.decompressobj()
    kept: list[bytes] = []
    size_bytes = 0
    rest: bytes | memoryview = packed
    while rest and not engine.eof:
        try:
            part = engine.decompress(rest[:STEP_BYTES], STEP_BYTES)
        except zlib.error:
            break
        rest = _unread(engine, rest)
        size_bytes += len(part)
        if size_bytes > most:
            raise PageRefusedError(
                Reason.BODY_TOO_LARGE, f"a stream of more than {most} bytes unpacked"
            )
        if kept or part.startswith(b"x"):
            kept.append(part)
    return b"".join(kept)


def _unread(engine: "zlib._Decompress", rest: bytes | memoryview) -> bytes | memoryview:
    return rest[min(len(rest), STEP_BYTES) - len(engine.unconsumed_tail) :]

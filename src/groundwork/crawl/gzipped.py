"""Gzip with a cap: what unpacks to more than allowed is never held in full."""

import io
import zlib
from collections.abc import Iterator

GZIP_OR_ZLIB = 47
"""`wbits` that lets zlib tell gzip and zlib headers apart."""
STEP_BYTES = 1 << 18
"""Unpacked at a time: asked for all at once, zlib holds twice as much."""


class TooLargeError(ValueError):
    """The content is larger than its cap."""


def unzip(body: bytes, *, max_bytes: int, partial: bool = False) -> bytes:
    """Decompress gzip or zlib; `partial` takes the first `max_bytes` of what may be cut off.

    Raises: `TooLargeError` past `max_bytes`, `ValueError` if broken.
    """
    whole = io.BytesIO()  # parts to be joined would be held twice
    for part in unzipped(body, max_bytes=max_bytes, partial=partial):
        whole.write(part)
    if whole.tell() > max_bytes:
        whole.truncate(max_bytes)
    return whole.getvalue()


def unzipped(body: bytes, *, max_bytes: int, partial: bool = False) -> Iterator[bytes]:
    """The same in parts; `partial` ends with the one that goes past `max_bytes`."""
    engine = zlib.decompressobj(wbits=GZIP_OR_ZLIB)
    size_bytes = 0
    for start in range(0, len(body), STEP_BYTES):
        rest = body[start : start + STEP_BYTES]
        while rest and not engine.eof and size_bytes <= max_bytes:
            try:
                part = engine.decompress(rest, STEP_BYTES)
            except zlib.error as error:
                raise ValueError(f"broken gzip: {error}") from error
            size_bytes += len(part)
            rest = engine.unconsumed_tail
            yield part
    if partial:
        return
    if size_bytes > max_bytes:
        raise TooLargeError(f"more than {max_bytes} bytes when decompressed")
    if not engine.eof:
        raise ValueError("broken gzip: it ends early")

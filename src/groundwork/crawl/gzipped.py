"""Gzip with a cap: what unpacks to more than allowed is never held in full."""

import zlib

GZIP_OR_ZLIB = 47
"""`wbits` that lets zlib tell gzip and zlib headers apart."""


class TooLargeError(ValueError):
    """The content is larger than its cap."""


def unzip(body: bytes, *, max_bytes: int, partial: bool = False) -> bytes:
    """Decompress gzip or zlib; `partial` takes the first `max_bytes` of what may be cut off.

    Raises: `TooLargeError` past `max_bytes`, `ValueError` if broken.
    """
    engine = zlib.decompressobj(wbits=GZIP_OR_ZLIB)
    try:
        content = engine.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise ValueError(f"broken gzip: {error}") from error
    if partial:
        return content[:max_bytes]
    if len(content) > max_bytes:
        raise TooLargeError(f"more than {max_bytes} bytes when decompressed")
    if not engine.eof:
        raise ValueError("broken gzip: it ends early")
    return content

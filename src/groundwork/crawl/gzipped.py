"""Gzip with a cap: what unpacks to more than allowed is never held in full."""

import zlib

GZIP_OR_ZLIB = 47
"""`wbits` that lets zlib tell gzip and zlib headers apart."""
STEP_BYTES = 1 << 20
"""Unpacked at a time: asked for all at once, zlib holds twice as much."""


class TooLargeError(ValueError):
    """The content is larger than its cap."""


def unzip(body: bytes, *, max_bytes: int, partial: bool = False) -> bytes:
    """Decompress gzip or zlib; `partial` takes the first `max_bytes` of what may be cut off.

    Raises: `TooLargeError` past `max_bytes`, `ValueError` if broken.
    """
    engine = zlib.decompressobj(wbits=GZIP_OR_ZLIB)
    parts: list[bytes] = []
    size_bytes, rest = 0, body
    while rest and not engine.eof and size_bytes <= max_bytes:
        try:
            parts.append(engine.decompress(rest, STEP_BYTES))
        except zlib.error as error:
            raise ValueError(f"broken gzip: {error}") from error
        size_bytes += len(parts[-1])
        rest = engine.unconsumed_tail
    if partial:
        return b"".join(parts)[:max_bytes]
    if size_bytes > max_bytes:
        raise TooLargeError(f"more than {max_bytes} bytes when decompressed")
    if not engine.eof:
        raise ValueError("broken gzip: it ends early")
    return b"".join(parts)

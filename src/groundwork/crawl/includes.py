"""AsciiDoc keeps its examples in files of their own: they are put where it includes them.

Chapters that are documents themselves stay out: each is a page of its own.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from posixpath import dirname, join, normpath

_INCLUDE = re.compile(r"^include::([^\[\]\n]+)\[([^\]\n]*)\][ \t]*$", re.M)
_ATTRIBUTE = re.compile(r"^:([\w-]+):[ \t]+(\S.*)$", re.M)
_REFERENCE = re.compile(r"\{([\w-]+)\}")
_OPTION = re.compile(r"(lines|tags?)=(?:\"([^\"]*)\"|([^,\]]*))")


@dataclass(slots=True)
class Assembled:
    """A document with its includes in place."""

    body: bytes
    missing: list[tuple[str, str]] = field(default_factory=list)
    """Targets that could not be put in, with the cause; their lines stay as they are."""


def put_includes(
    body: bytes,
    *,
    path: str,
    read: Callable[..., bytes],
    is_page: Callable[[str], bool],
    max_bytes: int,
) -> Assembled:
    """`body` with the lines `include::FILE[lines=2..4]` replaced by what they name.

    `read(path, max_bytes=…)` gives a file of the same tree; `is_page` tells which are left alone.
    """
    text = body.decode("utf-8", "surrogateescape")
    attributes = {name: value.rstrip() for name, value in _ATTRIBUTE.findall(text)}
    result = Assembled(body)
    room = max_bytes - len(body)

    def put(match: re.Match[str]) -> str:
        nonlocal room
        target = _REFERENCE.sub(lambda m: attributes.get(m[1], m[0]), match[1].strip())
        place = normpath(join(dirname(path), target))
        if "://" not in target and is_page(place):
            return match[0]
        if "://" in target or place.startswith(("../", "/")):
            result.missing.append((target, "outside the tree"))
            return match[0]
        try:
            content = read(place, max_bytes=max(0, room))
        except OSError as error:
            result.missing.append((target, error.strerror or "not readable"))
            return match[0]
        room -= len(content)
        if room < 0:
            result.missing.append((target, f"with it the page has more than {max_bytes} bytes"))
            return match[0]
        lines = content.decode("utf-8", "surrogateescape").splitlines()
        return "\n".join(_chosen(lines, match[2]))

    result.body = _INCLUDE.sub(put, text).encode("utf-8", "surrogateescape")
    return result


def _chosen(lines: list[str], options: str) -> list[str]:
    """The lines that `lines=` or `tag=` name; tag marks themselves are never shown."""
    named = {key.rstrip("s"): quoted or bare for key, quoted, bare in _OPTION.findall(options)}
    if "line" in named:
        numbers = set(_numbers(named["line"], last=len(lines)))
        lines = [line for number, line in enumerate(lines, start=1) if number in numbers]
    if "tag" in named:
        lines = list(_tagged(lines, set(re.split(r"[;,]", named["tag"]))))
    return [line for line in lines if not re.search(r"(?:tag|end)::[\w-]+\[\]", line)]


def _numbers(ranges: str, *, last: int) -> Iterator[int]:
    for part in re.split(r"[;,]", ranges):
        first, dots, end = part.strip().partition("..")
        if first.isdecimal():
            stop = int(end) if end.isdecimal() else (last if dots else int(first))
            yield from range(int(first), min(stop, last) + 1)


def _tagged(lines: list[str], names: set[str]) -> Iterator[str]:
    open_tags: set[str] = set()
    for line in lines:
        mark = re.search(r"(tag|end)::([\w-]+)\[\]", line)
        if mark:
            (open_tags.add if mark[1] == "tag" else open_tags.discard)(mark[2])
        elif open_tags & names:
            yield line

"""How one answer of an API leads to the next."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from groundwork.crawl.urls import canonical
from groundwork.errors import ConfigError
from groundwork.sources import PaginationConfig

_LINK = re.compile(r"<([^<>]{1,2000})>([^<>]{0,500})")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"[^\"]*\bnext\b[^\"]*\"|next\b)", re.I)
NEEDS = {"page": "param", "offset": "param", "cursor": "param", "next": "path"}


@dataclass(frozen=True, slots=True)
class Pagination:
    """Gives the addresses of answers."""

    config: PaginationConfig
    search: Callable[[Any], Any]
    """Looks up `config.path` in an answer."""

    def first(self, url: str) -> str:
        """Address of the first answer. Raises: `ConfigError` for a key that is missing."""
        missing = NEEDS.get(self.config.kind)
        if missing and not getattr(self.config, missing):
            raise ConfigError(
                f"domain.api.pagination.{missing}='': expected a value for "
                f"pagination.kind={self.config.kind}"
            )
        if self.config.kind == "cursor" and not self.config.path:
            raise ConfigError("domain.api.pagination.path='': expected where the cursor stands")
        if self.config.kind in ("page", "offset"):
            url = _with(url, self.config.param, str(self.config.start))
        spelled = canonical(url)
        if spelled is None:
            raise ConfigError(
                f"domain.api.url={url!r}: expected a URL that begins with http:// or https://"
            )
        return spelled

    def following(self, url: str, data: Any, *, records: int, link: str) -> str | None:
        """Address after `url`, whose answer had `records` records; None at the end.

        Raises: `ValueError` when what the answer names is no address.
        """
        kind, param = self.config.kind, self.config.param
        if kind == "none" or (kind in ("page", "offset") and not records):
            return None
        if kind in ("page", "offset"):
            here = int(dict(parse_qsl(urlsplit(url).query)).get(param, self.config.start))
            return canonical(_with(url, param, str(here + (1 if kind == "page" else records))))
        target = _linked(link) if kind == "link" else self.search(data)
        if target in (None, "", False):
            return None
        if not isinstance(target, str | int):
            raise ValueError(f"pagination: found {str(target)[:100]!r}, expected a text")
        address = _with(url, param, str(target)) if kind == "cursor" else urljoin(url, str(target))
        following = canonical(address)
        if following is None:
            raise ValueError(f"pagination: {str(target)[:200]!r} is no address of http or https")
        return following


def _with(url: str, param: str, value: str) -> str:
    """`url` with one query parameter set; the others keep their order."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == param for name, _ in pairs):
        pairs = [(name, value if name == param else old) for name, old in pairs]
    else:
        pairs.append((param, value))
    return urlunsplit(parts._replace(query=urlencode(pairs)))


def _linked(header: str) -> str | None:
    """Target of `rel="next"` in a header `Link` (RFC 8288)."""
    return next((url for url, rest in _LINK.findall(header) if _NEXT.search(rest)), None)

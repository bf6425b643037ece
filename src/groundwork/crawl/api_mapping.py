"""What of a record of an API is shown, and where it is recorded.

Expressions are JMESPath. The page of a record is what they find, so that a field that nobody asked
for, such as a clock, changes no page.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from groundwork.crawl.urls import canonical
from groundwork.errors import ConfigError
from groundwork.sources import ApiConfig

Search = Callable[[Any], Any]
MAX_DETAIL_CHARS = 200


def compiled(key: str, expression: str) -> Search:
    """A JMESPath expression as a function; an empty one finds nothing. Raises: `ConfigError`."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    if not expression:
        return lambda _: None
    try:
        compiled = jmespath.compile(expression)
    except JMESPathError as error:
        words = " ".join(str(error).split())
        raise ConfigError(
            f"domain.api.{key}={expression!r}: expected JMESPath ({words})"
        ) from error

    def search(value: Any) -> Any:
        try:
            return compiled.search(value)
        except (JMESPathError, RecursionError) as error:
            raise ValueError(f"{key}: {' '.join(str(error).split())[:MAX_DETAIL_CHARS]}") from error

    return search


@dataclass(frozen=True, slots=True)
class RecordMapping:
    """What of a record is shown, and where it is recorded."""

    records: Search
    key: Search
    title: Search
    date: Search
    licence: Search
    fields: dict[str, Search]
    record_url: str

    @classmethod
    def of(cls, api: ApiConfig) -> "RecordMapping":
        """Compile every expression. Raises: `ConfigError`."""
        if "{id}" not in api.record_url:
            raise ConfigError(f"domain.api.record_url={api.record_url!r}: expected {{id}} in it")
        return cls(
            compiled("records", api.records),
            compiled("id", api.id),
            compiled("title", api.title),
            compiled("date", api.date),
            compiled("licence", api.licence),
            {label: compiled(f"fields.{label}", path) for label, path in api.fields.items()},
            api.record_url,
        )

    def url(self, record: Any) -> str:
        """Public address of a record. Raises: `ValueError` when it has none."""
        key = self.key(record)
        if isinstance(key, bool) or not isinstance(key, str | int | float) or key == "":
            raise ValueError(f"its id is {str(key)[:MAX_DETAIL_CHARS]!r}; expected text or number")
        text = str(key)
        whole = self.record_url == "{id}"
        address = text if whole else self.record_url.replace("{id}", quote(text, safe=""))
        spelled = canonical(address)
        if spelled is None:
            raise ValueError(f"{address[:MAX_DETAIL_CHARS]!r} is no address of http or https")
        return spelled

    def body(self, record: dict[str, Any], url: str) -> bytes:
        """The record as stage `clean` reads it. Raises: `ValueError`."""
        pairs = (
            ((label, search(record)) for label, search in self.fields.items())
            if self.fields
            else record.items()
        )
        shown = [[label, value] for label, value in pairs if value not in (None, "", [], {})]
        title = self.title(record)
        content = {
            "title": str(title) if title not in (None, "") else url.rpartition("/")[2],
            "date": str(self.date(record) or "")[:10],
            "fields": shown,
        }
        return json.dumps(content, ensure_ascii=False, allow_nan=False).encode()

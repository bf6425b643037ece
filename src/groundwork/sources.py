"""Kinds of sources beside a mirrored and a live web site, as a domain pack describes them."""

from typing import Annotated, Literal

from pydantic import Field

from groundwork.schemas import Count, PositiveInt, Text, schema

PublicUrl = Annotated[str, Field(pattern=r"^https?://[^/]+(/.*[^/])?$")]
"""An address without a slash at its end; a file's path comes below it."""


@schema
class FilesConfig:
    """A folder of documents: HTML, Markdown, AsciiDoc, text, PDF, DOCX."""

    dir: Text
    """Folder that holds the files; hidden ones are left out."""
    public_url: PublicUrl
    """Address under which the files are recorded: `public_url/path/in/the/folder`."""
    include: list[str]
    """Path prefixes to keep, from the folder on; empty keeps all."""
    exclude: list[str]
    """Path prefixes to leave out."""


@schema
class GitConfig:
    """The documentation files of a repository, at a commit."""

    repository: Text
    """http(s) address, or the path of a repository on disk."""
    commit: Annotated[str, Field(pattern=r"^[^-+:^~\s][^:^~\s]*$")]
    """Commit, tag or branch; a branch moves, and with it what is read."""
    public_url: PublicUrl
    """Address under which the files are recorded; `{commit}` stands for the commit's id."""
    include: list[str]
    """Path prefixes to keep, from the repository's root on; empty keeps all."""
    exclude: list[str]
    local: bool
    """Whether private and loopback addresses are allowed: only for a server of your own."""
    max_bytes: PositiveInt
    """A repository that is larger on its way here is refused."""


@schema
class FeedConfig:
    """RSS or Atom feeds and their articles."""

    urls: Annotated[list[str], Field(min_length=1)]
    articles: Literal["linked", "inline"]
    """`linked` fetches the page that an entry links to; `inline` takes the feed's own text."""
    max_feed_pages: PositiveInt
    """Pages of one feed to read, for a feed that links to its older entries (RFC 5005)."""
    local: bool
    """Whether private and loopback addresses are allowed: only for a source of your own."""


@schema
class PaginationConfig:
    """How one answer of an API leads to the next."""

    kind: Literal["none", "page", "offset", "cursor", "next", "link"]
    """`page`, `offset`: a number in the query; `cursor`: a value of the answer in the query;
    `next`: an address in the answer; `link`: the header `Link` with `rel="next"`."""
    param: str
    """Query parameter of `page`, `offset` and `cursor`."""
    start: Count
    """First number of `page` or `offset`."""
    path: str
    """Where in the answer the cursor or the next address stands (JMESPath)."""


@schema
class ApiConfig:
    """A JSON API with a list of records, each of which becomes a page."""

    url: Text
    """Address of the first answer, with its query."""
    headers: dict[str, str]
    """Sent with every request to the API's host; may be empty."""
    secret_headers: dict[str, str]
    """Header to the environment variable that holds its value: keys stay out of all files."""
    pagination: PaginationConfig
    records: Text
    """Where the list stands in an answer (JMESPath); `@` for an answer that is a list."""
    id: Text
    """What tells a record from the others (JMESPath in the record)."""
    record_url: Text
    """Public address of a record, with `{id}` in it."""
    title: Text
    """Title of a record (JMESPath)."""
    fields: dict[str, str]
    """Label to what it shows (JMESPath), in this order; empty shows all that the record holds."""
    date: str
    """ISO 8601 date of a record (JMESPath); empty for none."""
    licence: str
    """Licence of a record (JMESPath); where it is empty or finds none, the domain's counts."""
    obey_robots: bool
    """False only where the owner allows programs what robots.txt forbids them."""
    local: bool
    """Whether private and loopback addresses are allowed: only for an API of your own."""

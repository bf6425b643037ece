"""The line that a person watches while a crawl runs."""

from types import TracebackType
from typing import Protocol

LINE = "{desc}: {n_fmt} pages, {rate_noinv_fmt}{postfix} [{elapsed}]"


class Books(Protocol):
    """Who keeps count of a source."""

    @property
    def kept(self) -> int:
        """Pages."""

    def queued(self) -> int:
        """What waits, as far as it is known."""

    def rejected(self) -> int:
        """What is no page."""


class Progress:
    """Context manager: pages kept, pages a second, URLs that wait, and rejects, on stderr."""

    def __init__(self, *, resumed: int) -> None:
        """`resumed` answers come from a crawl that broke off; they do not count in the rate."""
        from tqdm import tqdm

        note = f"crawl (goes on after {resumed} answers)" if resumed else "crawl"
        self.bar = tqdm(desc=note, unit=" pages", bar_format=LINE, mininterval=0.5)

    def show(self, books: Books) -> None:
        """Called after each URL or file; draws twice a second at most."""
        self.bar.set_postfix_str(
            f"{books.queued()} waiting, {books.rejected()} rejected", refresh=False
        )
        self.bar.update(books.kept - self.bar.n)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.close()

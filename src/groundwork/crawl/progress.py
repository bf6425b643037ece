"""The line that a person watches while a crawl runs."""

from types import TracebackType

from groundwork.crawl.frontier import Frontier

LINE = "{desc}: {n_fmt} pages, {rate_noinv_fmt}{postfix} [{elapsed}]"


class Progress:
    """Context manager: pages kept, pages a second, URLs that wait, and rejects, on stderr."""

    def __init__(self, *, resumed: int) -> None:
        """`resumed` answers come from a crawl that broke off; they do not count in the rate."""
        from tqdm import tqdm

        note = f"crawl (goes on after {resumed} answers)" if resumed else "crawl"
        self.bar = tqdm(desc=note, unit=" pages", bar_format=LINE, mininterval=0.5)

    def show(self, frontier: Frontier) -> None:
        """Called after each URL; draws twice a second at most."""
        self.bar.set_postfix_str(
            f"{frontier.queued()} waiting, {frontier.rejected()} rejected", refresh=False
        )
        self.bar.update(frontier.kept - self.bar.n)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bar.close()

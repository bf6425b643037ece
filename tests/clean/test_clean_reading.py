"""Pages read over processes."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from groundwork.clean import CleanConfig
from groundwork.clean.page import Reading, read_page
from groundwork.clean.reading import MIN_PAGES, over_processes
from groundwork.records import Page


def _body(number: int) -> str:
    text = "This plug charges a car with alternating current, at home or on the road."
    rows = "".join(
        f"<div class='card'><h3>Plug {number}{k}</h3><p>{text} Its power is {number} kW.</p></div>"
        for k in "abcdef"
    )
    return f"<html><body><nav><a href='/'>Home</a></nav><div>{rows}</div></body></html>"


def test_any_number_of_processes_reads_the_same(
    config: CleanConfig, make_page: Callable[..., Page]
) -> None:
    """Two processes give the readings of one, in the order of the pages."""
    extract = replace(config.extract, honour_noindex=False)
    reading = Reading(extract, config.personal_data, ())
    pages = [make_page(_body(n), url=f"https://a.example/{n}") for n in range(MIN_PAGES)]
    read = partial(read_page, reading=reading)
    alone = list(over_processes(read, pages, processes=1))
    assert list(over_processes(read, pages, processes=2)) == alone
    assert len({str(reading) for reading in alone}) == MIN_PAGES

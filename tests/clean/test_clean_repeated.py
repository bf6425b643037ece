"""Boilerplate of a site: what goes, what stays, what the report says."""

import pytest

from groundwork.clean.config import RepeatedConfig
from groundwork.clean.repeated import find_repeated, split_blocks

CONFIG = RepeatedConfig(min_pages=3, min_share=0.5)
BAR = "Share this page with your friends"


def _pages(count: int, text: str = BAR, host: str = "a.example") -> list[tuple[str, str]]:
    return [
        (f"https://{host}/{number}", f"# Page {number}\n\nBody {number}.\n\n{text}")
        for number in range(count)
    ]


def test_a_block_on_many_pages_of_a_host_goes_and_is_named() -> None:
    """It is counted per host; on a host where it is rare it stays."""
    rare = [("https://b.example/1", f"One.\n\n{BAR}"), ("https://b.example/2", "Two.")]
    found = find_repeated([*_pages(4), *rare], CONFIG)
    assert found.as_report() == {"a.example": [{"pages": 4, "text": BAR}]}
    assert found.strip("https://a.example/0", _pages(1)[0][1]) == "# Page 0\n\nBody 0."
    assert found.strip(*rare[0]) == f"One.\n\n{BAR}"


def test_copies_of_a_page_do_not_make_its_text_boilerplate() -> None:
    """The same text under five addresses is one page."""
    copies = [(f"https://a.example/{number}", f"# Page\n\n{BAR}") for number in range(5)]
    assert find_repeated(copies, CONFIG).counts == {}


@pytest.mark.parametrize(
    "block", ["## Usage", "| a |\n| --- |\n| b |", "```\nrun\n\nit\n```", "For example:"]
)
def test_structure_stays_however_often_it_repeats(block: str) -> None:
    """Headings, tables, code and introductions mean something else on every page."""
    assert find_repeated(_pages(4, block), CONFIG).counts == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"# T\n\nBody.\n\n## Share\n\n{BAR}", "# T\n\nBody."),
        (f"# T\n\nBody.\n\n## Share\n\n{BAR}\n\n## More\n\nX.", "# T\n\nBody.\n\n## More\n\nX."),
        (f"# T\n\n## Share\n\n{BAR}\n\nOwn.", "# T\n\n## Share\n\nOwn."),
        (f"# T\n\n## Share\n\n{BAR}\n\n### Own\n\nX.", "# T\n\n## Share\n\n### Own\n\nX."),
        (f"# T\n\n{BAR}", "# T"),
    ],
)
def test_a_heading_goes_when_all_below_it_went(text: str, expected: str) -> None:
    """The title stays; a heading over text of its own, or over a section, stays."""
    assert find_repeated(_pages(4), CONFIG).strip("https://a.example/x", text) == expected


def test_blocks_joined_again_are_the_text() -> None:
    """Empty lines inside fenced code do not part it."""
    text = "# T\n\n- a\n    - b\n\n```\nx\n\ny\n```\n\nEnd."
    blocks = list(split_blocks(text))
    assert blocks == ["# T", "- a\n    - b", "```\nx\n\ny\n```", "End."]
    assert "\n\n".join(blocks) == text

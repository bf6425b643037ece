"""Pages judged segment by segment: cutting, trees, limits, shape of what is kept."""

from collections.abc import Callable

import numpy as np
import pytest

from groundwork.clean import CleanConfig
from groundwork.clean.blocks import to_markdown
from groundwork.clean.forest import Forest
from groundwork.clean.retag import retag_tree
from groundwork.clean.segments import cut_tree
from groundwork.clean.selection import Judged, best_limit, choose_segments, kept_shares
from groundwork.clean.tei import read_body
from groundwork.clean.web import extract_html, parse_html, stock_words
from groundwork.errors import ArtifactError
from groundwork.records import Page


def test_a_page_is_cut_at_the_edges_of_blocks() -> None:
    """Inline elements do not part a text; scripts are none; links side by side stand apart."""
    tree = parse_html(
        "<body><p>A <b>bold</b> word</p>tail<script>no</script>"
        "<div><a href='/'>One</a><a href='/'>Two</a><ul><li>Item</li></ul></div></body>"
    )
    _, segments = cut_tree(tree)
    assert [segment.text for segment in segments] == ["A bold word", "tail", "One Two", "Item"]
    assert [segment.link_share for segment in segments] == [0, 0, 1, 0]


def test_boxes_know_their_segments_and_pass_on_their_marks() -> None:
    """A box counts the segments inside; what hides or names it holds for all inside."""
    tree = parse_html("<body><nav hidden><p>a</p><p>b</p></nav><p>c</p></body>")
    boxes, segments = cut_tree(tree)
    spans = {box.element.tag: (box.first, box.last) for box in boxes if box.element.tag != "p"}
    assert spans == {"html": (0, 3), "body": (0, 3), "nav": (0, 2)}
    assert [segment.box.hidden for segment in segments] == [True, True, False]
    assert segments[0].box.tags == segments[1].box.tags != segments[2].box.tags


def test_shares_of_kept_words_follow_the_order_of_the_page() -> None:
    """A word that was kept once counts once, at the place where its neighbours are."""
    _, segments = cut_tree(parse_html("<body><p>price</p><p>the price is five</p></body>"))
    assert kept_shares(segments, ["the", "price", "is"]).tolist() == [0, 0.75]


def test_trees_are_summed() -> None:
    """base .1 + .2 or .5 by the first feature + .05 or .3 by the second; cut at 1."""
    tree = {"left": [1, 0, 0], "right": [2, 0, 0], "feature": [0, -1, -1], "limit": [1.0, 0, 0]}
    trees = [
        {**tree, "value": [0, 0.2, 0.5]},
        {**tree, "feature": [1, -1, -1], "value": [0, 0.05, 0.3]},
    ]
    forest = Forest({"features": ["a", "b"], "base": 0.1, "depth": 1, "trees": trees})
    found = forest.predict(["a", "b"], np.array([[1.0, 1.0], [2.0, 1.0], [2.0, 2.0]]))
    assert found.tolist() == pytest.approx([0.35, 0.65, 0.9])


def test_trees_refuse_features_that_they_were_not_fitted_on() -> None:
    """The message names what differs and how to fit again."""
    fitted = {"features": ["a"], "base": 0, "depth": 0, "trees": []}
    fitted["trees"] = [{"feature": [-1], "limit": [0], "left": [0], "right": [0], "value": [0]}]
    with pytest.raises(ArtifactError, match=r"features \(a, b\); run .*fit_extraction"):
        Forest(fitted).predict(["b"], np.zeros((1, 1)))


def test_the_limit_is_where_the_expected_f1_is_greatest() -> None:
    """Certainties .9, .4, .1 of 10 words each: 18/24, then 26/34 and 28/44; the second wins."""
    assert best_limit(np.array([0.4, 0.1, 0.9]), np.full(3, 10.0)) == 0.4


def test_segments_are_chosen_from_the_limit_of_their_page_on() -> None:
    """Of certainties .9, .4, .1 the first two; of a page that expects 9.8 words of content none."""
    words = " ".join("word" for _ in range(10))
    _, segments = cut_tree(parse_html(f"<body><p>{words}</p><p>{words}</p><p>{words}</p></body>"))
    chosen = choose_segments(Judged(segments, np.array([0.9, 0.1, 0.4])))
    assert chosen == [segments[0], segments[2]]
    assert choose_segments(Judged(segments, np.array([0.9, 0.04, 0.04]))) == []


@pytest.mark.parametrize(
    ("around", "name", "is_settled"),
    [("main", "text", True), ("div", "text", False), ("main", "related", False)],
)
def test_segments_are_not_asked_where_most_of_a_main_region_was_found(
    around: str, name: str, is_settled: bool
) -> None:
    """A region is believed; no region, or one that the extractor left most of, is not."""
    first, *rest = (
        f"<p>The wallbox charges a car with eleven kilowatts when the sun shines on roof {n}.</p>"
        for n in range(7)
    )
    box = f"<div class='{name}'>{''.join(rest)}</div>"
    page = f"<body><{around}><h1>Sun</h1>{first}{box}</{around}></body>"
    assert stock_words(parse_html(page))[1] is is_settled


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h2>Head</h2><div>Text <code>x</code><br>more</div>", "## Head\n\nText `x`\nmore"),
        ("<ul>beside<li>One</li></ul>", "beside\n\nOne"),
        ("<ul><div>wrapped</div><li>One</li></ul>", "- wrapped\n- One"),
        (f"<ul><li><h3>Post</h3><p>{'a ' * 400}</p></li></ul>", f"### Post\n\n{'a ' * 399}a"),
        ("<table><tr><td>a<table><tr><td>b</td></tr></table></td></tr></table>", "a\n\nb"),
        ("<table><tr><th>k</th><th>v</th></tr><tr><td>a</td><td>1</td></tr></table>",
         "| k | v |\n| --- | --- |\n| a | 1 |"),
        ("<a href='/'><div>Card</div><div>$5</div></a>", "Card\n\n$5"),
        ("<pre>a\n  b</pre>", "```\na\n  b\n```"),
    ],
)  # fmt: skip
def test_what_is_kept_has_the_shape_of_the_page(html: str, expected: str) -> None:
    """Headings, lists, tables and code; tables and lists that lay out a page are boxes."""
    tree = retag_tree(parse_html(f"<html><body>{html}</body></html>"))
    assert to_markdown(read_body(tree)) == expected


def test_the_posts_of_a_thread_are_kept_and_its_furniture_is_not(
    config: CleanConfig, make_page: Callable[..., Page]
) -> None:
    """A forum that shows its posts by a script: the extractor alone finds none of them."""
    menu = "".join(f"<li><a href='/{name}'>Board {name}</a></li>" for name in "abcdefghij")
    texts = [
        f"My wallbox number {n} stops after an hour, and the car says that the cable is too hot. "
        "Has anybody seen this with a long cable in summer?"
        for n in range(6)
    ]
    posts = "".join(
        f"<div class='post'><div class='post-author'><a href='/u'>user{n}</a></div>"
        f"<div class='post-body'><p>{text}</p></div></div>"
        for n, text in enumerate(texts)
    )
    html = (
        "<html><head><title>Hot cable</title></head><body>"
        f"<div class='nav-menu'><ul>{menu}</ul></div>"
        f"<noscript><div class='thread'><h1>Hot cable</h1>{posts}</div></noscript>"
        "<div class='footer'><p>Copyright 2026. All rights reserved. Privacy policy.</p></div>"
        "</body></html>"
    )
    text = extract_html(make_page(html, url="https://a.example/forum/t/1"), config.extract).text
    assert all(post in text for post in texts)
    assert "Board a" not in text
    assert "All rights reserved" not in text


def test_only_what_was_chosen_is_kept(
    config: CleanConfig, make_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the extractor kept other words, the chosen segments alone make the text."""
    monkeypatch.setattr(
        "groundwork.clean.web.choose_segments",
        lambda judged: [segment for segment in judged.segments if "cable" in segment.text],
    )
    other = "<div><span>Buy now</span><p>Our shop sells many other things to all of you.</p></div>"
    html = (
        f"<html><body><div><h2>A cable</h2>tail<p>The cable is red.</p></div>{other}</body></html>"
    )
    found = extract_html(make_page(html), config.extract)
    assert found.text == "## A cable\n\nThe cable is red."

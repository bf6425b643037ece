"""The web page in a real browser: keyboard, citations, refusals, errors, widths, colours."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import uvicorn
from serve_browser import Browser, browsing, chromium

from groundwork.errors import EndpointError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium() is None, reason="needs a Chromium on PATH"),
]
ANSWERED = "document.querySelectorAll('.answer').length"


@pytest.fixture
def url(house) -> Iterator[str]:
    """The application on a loopback port."""
    config = uvicorn.Config(house.app, port=0, log_level="warning", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the module."""
    with browsing(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def page(chrome: Browser, url: str) -> Browser:
    """The page, loaded, with the question in focus and nothing to complain about yet."""
    chrome.open(url)
    chrome.wait("!document.querySelector('#examples-block').hidden")
    chrome.events.clear()
    return chrome


def ask(page: Browser, question: str, number: int = 1) -> None:
    page.run("document.querySelector('#question').focus()")
    page.write(question)
    page.press("Enter")
    page.wait(f"{ANSWERED} === {number}")


def test_the_keyboard_is_enough(page):
    """Type, new line, send, walk back to the citation, open it, close it; focus returns."""
    assert page.run("document.activeElement.id") == "question"
    page.write("How fast")
    page.press("Enter", shift=True)
    page.write("is Level 2?")
    assert page.run(ANSWERED) == 0
    page.press("Enter")
    page.wait(f"{ANSWERED} === 1")
    assert page.run("document.querySelector('.asked').textContent") == "How fast\nis Level 2?"
    assert page.run("document.activeElement.id") == "question"
    for _ in range(12):
        page.press("Tab", shift=True)
        if page.run("document.activeElement.className") == "chip":
            break
    assert page.run("document.activeElement.ariaLabel") == "Source 1: Charging levels"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("Enter")
    page.wait("document.querySelector('#passage-dialog').open")
    page.press("Escape")
    page.wait("!document.querySelector('#passage-dialog').open")
    assert page.run("document.activeElement.className") == "chip"
    assert page.problems() == []


def test_a_citation_opens_the_quoted_passage(page):
    """Quote marked, heading, title, address, licence and date of the fetch."""
    ask(page, "How fast?")
    page.run("document.querySelector('.source').click()")
    shown = page.run("document.querySelector('#passage-dialog').innerText")
    for part in ("1. Charging levels", "Level 2", "CC-BY-4.0", "2026"):
        assert part in shown
    assert page.run("document.querySelector('#passage-dialog mark').textContent") == (
        "Level 2 chargers deliver 7.4 kW."
    )
    link = "document.querySelector('#passage-dialog a')"
    assert page.run(f"{link}.href") == "https://www.amperewise.example/levels/"
    assert page.run(f"{link}.rel") == "noopener noreferrer"


def test_confidence_is_words_and_a_bar(page):
    """85 % reads as high; nobody needs to see a colour."""
    ask(page, "How fast?")
    assert page.run("document.querySelector('.confidence').innerText").strip() == (
        "85 % confidence, high"
    )
    bar = "document.querySelector('.level').getBoundingClientRect().width"
    track = "document.querySelector('.track').getBoundingClientRect().width"
    assert page.run(f"Math.round(100 * {bar} / {track})") == 85
    assert "Level 2 chargers deliver 7.4 kW." in page.run(
        "document.querySelector('[aria-live]').textContent"
    )


def test_a_refusal_is_no_error(page):
    """It has its own label, no sources and no alert."""
    ask(page, "Which cheese goes with it?")
    text = page.run("document.querySelector('.answer').innerText")
    assert "Not found in the pages" in text
    assert "70 % sure that the pages do not answer this" in text
    assert "Sources" not in text
    assert page.run("document.querySelector('.failure') === null")


def test_an_error_says_what_happened_and_tries_again(house, page):
    """The message of the service, and a button."""
    house.opened[0].error = EndpointError("http://127.0.0.1:9/v1 is down; start it")
    page.write("How fast?")
    page.press("Enter")
    page.wait("document.querySelector('.failure')")
    assert "127.0.0.1:9/v1 is down" in page.run("document.querySelector('.failure').innerText")
    house.opened[0].error = None
    page.run("document.querySelector('.failure button').click()")
    page.wait(f"{ANSWERED} === 1 && !document.querySelector('.failure')")


def test_without_a_champion_the_page_says_so(house, chrome, url):
    """With the way out, before anybody asks."""
    house.releases._champion = None
    house.registry.releases = []
    house.releases.refresh()
    chrome.open(url)
    chrome.wait("!document.querySelector('#notice').hidden")
    assert "run `dvc repro`" in chrome.run("document.querySelector('#notice').innerText")


def test_feedback_goes_with_the_answer(house, page):
    """A thumb is stored at once, a comment after it."""
    ask(page, "How fast?")
    page.run("document.querySelector('.rate.down').click()")
    page.wait("!document.querySelector('.comment').hidden")
    page.run("document.querySelector('.comment textarea').focus()")
    page.write("too short")
    page.run("document.querySelector('.comment button').click()")
    page.wait("document.querySelector('.rating-state').textContent.startsWith('Thank you')")
    answer_id = house.log._connection.execute("SELECT answer_id FROM answers").fetchone()[0]
    ratings = [(item["rating"], item["comment"]) for item in house.log.get(answer_id).feedback]
    assert ratings == [(1, ""), (1, "too short")]


def test_category_and_release_are_sent(house, page):
    """The two pickers narrow the search and choose another release."""
    page.run("document.querySelector('#category').value = 'winter'")
    page.run("document.querySelector('#release').value = 'ev_charging/2'")
    ask(page, "How fast?")
    assert house.opened[-1].info.version == "2"
    assert house.opened[-1].asked == [("How fast?", None, "winter")]
    assert "ev_charging/2" in page.run("document.querySelector('.meta').textContent")


def test_the_trace_shows_the_way_back(page):
    """Answer, source, release with its commit; the raw JSON is a link."""
    ask(page, "How fast?")
    page.run("document.querySelector('[data-trace]').click()")
    page.wait("document.querySelectorAll('.trace > li').length === 3")
    shown = page.run("document.querySelector('#trace-dialog').innerText")
    for part in ("Answer", "Source 1", "Release", "ev_charging/3 (extractive)", "abc"):
        assert part in shown


def test_text_from_a_page_stays_text(house, page):
    """Markup in an answer is shown, not run; a javascript: address is no link."""
    evil = "<img src=x onerror=alert(1)> **bold** `code` [1]"
    answered = house.opened[0].answer("How?")
    citation = replace(answered.citations[0], url="javascript:alert(1)", title="<b>t</b>")
    answered = replace(answered, text=evil, citations=(citation,))
    house.opened[0].answer = lambda *_args, **_more: answered
    ask(page, "How fast?")
    assert page.run("document.querySelector('.text').innerText").startswith("<img src=x")
    assert page.run("document.querySelector('.text strong').textContent") == "bold"
    page.run("document.querySelector('.chip').click()")
    assert page.run("document.querySelector('#passage-facts a') === null")
    assert page.run("document.querySelector('#passage-title').textContent") == "1. <b>t</b>"
    assert page.run("document.images.length") == 0


def test_lists_and_tables_of_an_answer_are_lists_and_tables(house, page):
    """The little Markdown that passages hold, with chips in place."""
    text = "Steps:\n1. Plug in. [1]\n2. Wait.\n\n| kW | h |\n|---|---|\n| 7.4 | 8 |"
    answered = replace(house.opened[0].answer("How?"), text=text)
    house.opened[0].answer = lambda *_args, **_more: answered
    ask(page, "How fast?")
    assert page.run("[...document.querySelectorAll('.text li')].map((li) => li.innerText)") == [
        "Plug in.\u00a01",
        "Wait.",
    ]
    cells = "[...document.querySelectorAll('.text th, .text td')].map((cell) => cell.innerText)"
    assert page.run(cells) == ["kW", "h", "7.4", "8"]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_sticks_out_at_any_width(page, width):
    """No sideways scrolling, before and after an answer, also with the dialog open."""
    size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    page.send("Emulation.setDeviceMetricsOverride", **size)
    fits = "document.documentElement.scrollWidth <= window.innerWidth"
    assert page.run(fits)
    ask(page, "What does " + "averyverylongwordwithoutanyspace" * 4 + " mean?")
    assert page.run(fits)
    page.run("document.querySelector('.chip').click()")
    edge = "document.querySelector('#passage-dialog').getBoundingClientRect().right"
    assert page.run(f"{edge} <= window.innerWidth")
    page.send("Emulation.clearDeviceMetricsOverride")


def test_dark_mode_follows_the_system(page):
    """Paper and ink change places."""
    colours = []
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.send("Emulation.setEmulatedMedia", features=[feature])
        colours.append(page.run("getComputedStyle(document.body).backgroundColor"))
    page.send("Emulation.setEmulatedMedia", features=[])
    assert colours == ["rgb(247, 246, 242)", "rgb(17, 22, 20)"]

"""Headers, request ids and the files of the page."""

import re
from pathlib import Path

import pytest
from starlette.websockets import WebSocketDisconnect

import groundwork.serve.app

PAGE = groundwork.serve.app.PAGE_DIR


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/api/v1/models", "/nothing"])
def test_every_response_carries_the_security_headers(client, path):
    """The page, its files, the API and errors alike."""
    headers = client.get(path).headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_a_request_id_is_taken_over_or_made(client):
    """An id that could break a log line is replaced."""
    assert client.get("/", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    for given in ("a b", "a" * 65, ""):
        made = client.get("/", headers={"x-request-id": given}).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{32}", made)


def test_answers_are_not_cached_and_the_page_is_checked_again(client):
    """A proxy must not keep answers; a browser must notice a new page."""
    assert client.get("/api/v1/models").headers["cache-control"] == "no-store"
    assert client.get("/").headers["cache-control"] == "no-cache"


def test_a_websocket_is_turned_away(client):
    """The service speaks HTTP only."""
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass


def test_the_page_loads_its_files_and_nothing_else(client):
    """Every file that the page names is there with its type; none comes from another host."""
    page = client.get("/").text
    files = re.findall(r'(?:src|href)="(page/[^"]+)"', page)
    types = {".js": "javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    for name in [*files, "page/text.js", "page/api.js", "page/dialogs.js"]:
        response = client.get(f"/{name}")
        assert response.status_code == 200
        assert types[Path(name).suffix] in response.headers["content-type"]
    sources = [path.read_text(encoding="utf-8") for path in PAGE.iterdir()]
    addresses = {found for text in sources for found in re.findall(r"https?://[^\s\"'`)]+", text)}
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_the_page_never_turns_text_into_html():
    """No innerHTML and its kin, no inline script, style or event handler that the CSP forbids."""
    scripts = "".join(path.read_text(encoding="utf-8") for path in PAGE.glob("*.js"))
    for name in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert name not in scripts
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"\son\w+=|\sstyle=|<script(?![^>]*\ssrc=)|<style", page)


def test_controls_have_names():
    """Every button has text or an aria-label, every field a label."""
    page = (PAGE / "index.html").read_text(encoding="utf-8")
    for attributes, inner in re.findall(r"<button([^>]*)>(.*?)</button>", page, re.DOTALL):
        words = re.sub(r"<svg.*?</svg>|<[^>]+>", "", inner, flags=re.DOTALL).strip()
        assert words or "aria-label=" in attributes
    for found in re.finditer(r'<(?:select|textarea)(?: id="(\w+)")?', page):
        inside_label = page.rfind("<label", 0, found.start()) > page.rfind(
            "</label>", 0, found.start()
        )
        assert inside_label or f'for="{found[1]}"' in page


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(scheme):
    """Text 4.5:1, the edges of controls and the bar 3:1, in both schemes."""
    style = (PAGE / "style.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colour = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", block))
    text = [
        *[(ink, on) for ink in ("ink", "muted", "accent") for on in ("paper", "surface")],
        *[("ink", "error-soft"), ("ink", "mark"), ("ink", "accent-soft")],
        *[("accent-ink", "accent"), ("accent", "accent-soft")],
    ]
    assert [pair for pair in text if _contrast(*(colour[c] for c in pair)) < 4.5] == []
    shapes = [("edge", "surface"), ("edge", "paper"), ("fair", "paper"), ("low", "paper")]
    assert [pair for pair in shapes if _contrast(*(colour[c] for c in pair)) < 3] == []

"""Any OpenAI-compatible server as an answerer, against a real server on loopback."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tiny_base import DOMAIN, make_retrieved, sentence

from groundwork.answer import EndpointConfig, endpoint
from groundwork.answer.endpoint import Endpoint
from groundwork.errors import ConfigError, EndpointError


class ChatServer(ThreadingHTTPServer):
    """Answers from a list of (status, body, headers), the last one again and again."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, bytes, dict[str, str]]] = []
        self.requests: list[dict[str, Any]] = []
        self.delay_s = 0.0

    def says(self, text: object) -> None:
        """Let the next answer be a chat completion."""
        body = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
        self.answers.append((200, body, {}))


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(
            {"path": self.path, "headers": dict(self.headers), "body": json.loads(body)}
        )
        time.sleep(self.server.delay_s)
        answers = self.server.answers
        status, data, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        with suppress(BrokenPipeError):  # a client that gave up
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    """A chat server; pauses between attempts are short."""
    monkeypatch.setattr(endpoint, "FIRST_PAUSE_S", 0.01)
    running = ChatServer()
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def _endpoint(server: ChatServer, **changes: Any) -> Endpoint:
    values: dict[str, Any] = {
        "base_url": f"http://127.0.0.1:{server.server_port}/v1/",
        "model": "tiny",
        "api_key_env": "",
        "timeout_s": 5.0,
        "retries": 2,
    }
    return Endpoint(EndpointConfig(**(values | changes)), domain=DOMAIN)


def test_answer_is_read_with_its_citations(server: ChatServer) -> None:
    """The model's text becomes a draft; the request holds prompt, model and temperature 0."""
    server.says(f"{sentence(1)} [2]")
    draft = _endpoint(server).draft("What does the fern like?", make_retrieved(0, 1))
    assert [(s.passage_id, s.quote) for s in draft.supports] == [("p1", sentence(1))]
    assert draft.signals == {"answer_tokens": 9.0, "copied_fraction": 1.0}
    request = server.requests[0]
    assert request["path"] == "/v1/chat/completions"
    assert (request["body"]["model"], request["body"]["temperature"]) == ("tiny", 0)
    assert "Question: What does the fern like?" in request["body"]["messages"][0]["content"]
    assert "Authorization" not in request["headers"]


def test_key_comes_from_the_named_variable(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent as a bearer token."""
    monkeypatch.setenv("PLANT_KEY", "s3cret")
    server.says(DOMAIN.refusal)
    draft = _endpoint(server, api_key_env="PLANT_KEY").draft("Why?", make_retrieved(0))
    assert draft.refused
    assert server.requests[0]["headers"]["Authorization"] == "Bearer s3cret"


def test_missing_key_is_told_before_anything_is_sent(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named."""
    monkeypatch.delenv("PLANT_KEY", raising=False)
    with pytest.raises(ConfigError, match="PLANT_KEY"):
        _endpoint(server, api_key_env="PLANT_KEY")


def test_missing_url_is_told(server: ChatServer) -> None:
    """The key is named."""
    with pytest.raises(ConfigError, match=r"answer\.endpoint\.base_url"):
        _endpoint(server, base_url=None)


def test_what_passes_is_tried_again(server: ChatServer) -> None:
    """A busy and a broken server, then an answer."""
    server.answers = [(429, b"", {"Retry-After": "0"}), (503, b"busy", {})]
    server.says(f"{sentence(0)} [1]")
    draft = _endpoint(server).draft("Why?", make_retrieved(0))
    assert len(server.requests) == 3
    assert not draft.refused


def test_server_that_stays_broken_is_an_error(server: ChatServer) -> None:
    """After the last attempt the status and what it said are told."""
    server.answers = [(500, b"out of memory", {})]
    with pytest.raises(EndpointError, match="HTTP 500 'out of memory'"):
        _endpoint(server).draft("Why?", make_retrieved(0))
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "way_out"), [(401, "api_key_env"), (404, "base_url"), (400, "server's log")]
)
def test_refused_request_is_not_repeated(server: ChatServer, status: int, way_out: str) -> None:
    """A wrong key, path or request stays wrong."""
    server.answers = [(status, b"{}", {})]
    with pytest.raises(EndpointError, match=way_out):
        _endpoint(server).draft("Why?", make_retrieved(0))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"choices": []}', b'{"choices": [{"message": {}}]}', b"null"]
)
def test_nonsense_is_an_error(server: ChatServer, body: bytes) -> None:
    """What came back is quoted."""
    server.answers = [(200, body, {})]
    with pytest.raises(EndpointError, match=r"OpenAI-compatible"):
        _endpoint(server).draft("Why?", make_retrieved(0))


def test_content_that_is_no_text_is_an_error(server: ChatServer) -> None:
    """A number where words are expected."""
    server.says(7)
    with pytest.raises(EndpointError, match="expected a string"):
        _endpoint(server).draft("Why?", make_retrieved(0))


def test_empty_content_is_a_refusal(server: ChatServer) -> None:
    """Some servers send null when a model says nothing."""
    server.says(None)
    assert _endpoint(server).draft("Why?", make_retrieved(0)).refused


def test_slow_server_is_an_error(server: ChatServer) -> None:
    """The time limit is told."""
    server.delay_s = 0.5
    server.says("late")
    with pytest.raises(EndpointError, match=r"no answer within 0\.05 s"):
        _endpoint(server, timeout_s=0.05, retries=1).draft("Why?", make_retrieved(0))


def test_server_that_is_down_is_an_error(server: ChatServer) -> None:
    """The URL and the way out are told."""
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1:9/.*cannot be reached.*start the"):
        _endpoint(server, base_url="http://127.0.0.1:9").draft("Why?", make_retrieved(0))

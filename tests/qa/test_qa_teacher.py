"""The teacher, against a real server on loopback that speaks the OpenAI protocol."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from groundwork.artifacts import short_id
from groundwork.errors import ConfigError, EndpointError
from groundwork.qa.config import TeacherConfig
from groundwork.qa.teacher import generate_by_teacher
from groundwork.records import Chunk

TEXT = "A wallbox draws 7.4 kW.\nThe cable   carries 32 A to the car."
GOOD = {
    "pairs": [
        {
            "question": "How much power does a wallbox draw?",
            "answer": "A wallbox draws 7.4 kW.",
            "quote": "A wallbox draws 7.4 kW.",
            "kind": "number",
        },
        {
            "question": "What carries the current?",
            "answer": "The cable carries it.",
            "quote": "The cable carries 32 A",
            "kind": "fact",
        },
        {
            "question": "Who made the wallbox?",
            "answer": "Somebody.",
            "quote": "made by Somebody",
            "kind": "fact",
        },
    ]
}


def completion(content: str | None, **changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": changes.get("refusal")}
    return {
        "id": "c", "object": "chat.completion", "created": 0, "model": "m",
        "choices": [
            {"index": 0, "message": message, "finish_reason": changes.get("finish", "stop")}
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }  # fmt: skip


@dataclass
class Server:
    """Answers each request with the next of `answers`, the last one for ever."""

    answers: list[tuple[int, Any]]
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serving(*answers: tuple[int, Any]) -> Iterator[Server]:
    server = Server(list(answers))
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                number = min(len(server.requests), len(server.answers) - 1)
                server.requests.append(body)
                server.keys.append(self.headers.get("Authorization", ""))
            status, answer = server.answers[number]
            data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def config(url: str, **changes: Any) -> TeacherConfig:
    plain = TeacherConfig(
        base_url=url, model="m", api_key_env=None, timeout_s=5.0, retries=2, backoff_s=0.0,
        temperature=0.0, max_tokens=500, pairs_per_passage=3, concurrency=1, json_mode=True,
        styles=["plain"], prompt_price=0.0, completion_price=0.0,
    )  # fmt: skip
    return replace(plain, **changes)


def chunk(number: int = 0) -> Chunk:
    text = TEXT if not number else f"{TEXT} Number {number}."
    return Chunk(
        passage_id=short_id(text), document_id="doc", url="https://example.org/a/", title="T",
        heading="H", text=text, start=0, end=len(text), tokens=9, category="levels", licence="CC",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_json_becomes_questions_with_verbatim_quotes() -> None:
    """A quote is found whatever its blanks; one that is not in the passage is rejected."""
    with serving((200, completion(json.dumps(GOOD)))) as server:
        taught = generate_by_teacher([chunk()], config=config(server.url))
    assert [q.question for q in taught.questions] == [
        "How much power does a wallbox draw?", "What carries the current?",
    ]  # fmt: skip
    assert taught.questions[1].evidence[0].quote == "The cable   carries 32 A"
    assert {q.origin for q in taught.questions} == {"teacher"}
    assert [r.reason for r in taught.rejects] == ["quote"]
    assert (taught.prompt_tokens, taught.completion_tokens) == (100, 20)
    (request,) = server.requests
    assert request["response_format"] == {"type": "json_object"}
    assert TEXT in request["messages"][1]["content"]


def test_json_in_a_fence_is_read() -> None:
    """Small models wrap their JSON; without json_mode no response format is asked for."""
    fenced = f"```json\n{json.dumps(GOOD)}\n```"
    with serving((200, completion(fenced))) as server:
        taught = generate_by_teacher([chunk()], config=config(server.url, json_mode=False))
    assert len(taught.questions) == 2
    assert "response_format" not in server.requests[0]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (completion("Here are some questions for you!"), "broken_json"),
        (completion('{"pairs": [{"question": "Why?"}]}'), "broken_json"),
        (completion("I'm sorry, but I can't help with that."), "refused"),
        (completion(None, refusal="No."), "refused"),
        (completion("", finish="content_filter"), "refused"),
        (completion('{"pairs": [', finish="length"), "truncated"),
    ],
)
def test_nonsense_and_refusals_are_counted(answer: dict[str, Any], reason: str) -> None:
    """The passage goes to the rejects with a reason; the run goes on."""
    with serving((200, answer), (200, completion(json.dumps(GOOD)))) as server:
        taught = generate_by_teacher([chunk(), chunk(1)], config=config(server.url))
    assert [r.reason for r in taught.rejects] == [reason, "quote"]
    assert taught.rejects[0].key == chunk().passage_id
    assert len(taught.questions) == 2


def test_what_passes_by_itself_is_tried_again() -> None:
    """Two errors of the server, then an answer."""
    good = (200, completion(json.dumps(GOOD)))
    with serving((500, {"error": "busy"}), (429, {"error": "slow"}), good) as server:
        taught = generate_by_teacher([chunk()], config=config(server.url))
    assert len(taught.questions) == 2
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "attempts", "way_out"),
    [
        (500, 3, "start the server"),
        (429, 3, "lower qa.teacher.concurrency"),
        (401, 1, "check the key"),
        (404, 1, "qa.teacher.model=m"),
    ],
)
def test_an_endpoint_that_fails_is_named(status: int, attempts: int, way_out: str) -> None:
    """URL, status and way out; what cannot pass by itself is not tried again."""
    with serving((status, {"error": {"message": "no"}})) as server:
        with pytest.raises(EndpointError) as caught:
            generate_by_teacher([chunk()], config=config(server.url))
        assert len(server.requests) == attempts
    assert server.url in str(caught.value)
    assert f"HTTP {status}" in str(caught.value)
    assert way_out in str(caught.value)


def test_an_endpoint_that_is_down_is_named() -> None:
    """Nothing listens there."""
    with serving((200, "")) as server:
        url = server.url
    with pytest.raises(EndpointError, match=r"127\.0\.0\.1.*start the server, or use qa=rules"):
        generate_by_teacher([chunk()], config=config(url, retries=0))


def test_something_that_is_no_chat_completion_is_named() -> None:
    """A web server that answers 200 to everything."""
    with (
        serving((200, {"hello": "world"})) as server,
        pytest.raises(EndpointError, match="answered without choices"),
    ):
        generate_by_teacher([chunk()], config=config(server.url))


def test_an_aborted_run_goes_on_where_it_stopped() -> None:
    """Answers are kept per passage: only what is missing is asked again."""
    good = (200, completion(json.dumps(GOOD)))
    with serving(good, (404, {"error": "gone"}), good) as server:
        with pytest.raises(EndpointError, match="goes on from here"):
            generate_by_teacher([chunk(), chunk(1)], config=config(server.url))
        first = generate_by_teacher([chunk(), chunk(1)], config=config(server.url))
        assert len(server.requests) == 3
        assert generate_by_teacher([chunk(), chunk(1)], config=config(server.url)) == first
        assert len(server.requests) == 3
        generate_by_teacher([chunk()], config=config(server.url, temperature=0.5))
        assert len(server.requests) == 4


def test_results_do_not_depend_on_concurrency() -> None:
    """Replies come back in the order of the passages."""

    def made(many: int) -> list[str]:
        with serving((200, completion(json.dumps(GOOD)))) as server:
            taught = generate_by_teacher(
                [chunk(n) for n in range(6)], config=config(server.url, concurrency=many)
            )
        return [q.question_id for q in taught.questions]

    assert made(1) == made(4)


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent as a bearer token; a variable that is empty is a configuration error."""
    monkeypatch.setenv("TEACHER_KEY", "secret")
    with serving((200, completion(json.dumps(GOOD)))) as server:
        generate_by_teacher([chunk()], config=config(server.url, api_key_env="TEACHER_KEY"))
    assert server.keys == ["Bearer secret"]
    monkeypatch.delenv("TEACHER_KEY")
    with pytest.raises(ConfigError, match=r"qa\.teacher\.api_key_env=TEACHER_KEY"):
        generate_by_teacher(
            [chunk()], config=config("http://127.0.0.1:9/v1", api_key_env="TEACHER_KEY")
        )


def test_each_passage_is_asked_in_each_style_and_the_cost_is_counted() -> None:
    """Two styles are two requests with different words; prices are of a million tokens."""
    with serving((200, completion(json.dumps(GOOD)))) as server:
        settings = config(
            server.url, styles=["plain", "user"], prompt_price=2.0, completion_price=10.0
        )
        taught = generate_by_teacher([chunk()], config=settings)
    first, second = (request["messages"][1]["content"] for request in server.requests)
    assert "textbook" in first
    assert "hurried user" in second
    assert len(taught.questions) == 4
    assert (taught.prompt_tokens, taught.completion_tokens) == (200, 40)
    assert taught.cost == pytest.approx((200 * 2.0 + 40 * 10.0) / 1e6)

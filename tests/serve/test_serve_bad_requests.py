"""What a client may send wrong: each gets its status, the field, what was read, what is expected.

The rows of the issue about requests: empty, 100 kB, non-string question, invalid JSON.
"""

import json
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from groundwork.serve.app import Application
from groundwork.serve.desk import Desk
from groundwork.serve.requests import Query, Search, parse

QUESTION = "expected a string of 1 to 2000 characters, not only spaces"
BAD_QUERIES = {
    "empty": ({"question": ""}, f"question is ''; {QUESTION}"),
    "spaces": ({"question": " \n"}, rf"question is ' \n'; {QUESTION}"),
    "number": ({"question": 17}, f"question is 17; {QUESTION}"),
    "list": ({"question": ["How?"]}, f"question is ['How?']; {QUESTION}"),
    "null": ({"question": None}, f"question is None; {QUESTION}"),
    "missing": ({}, f"question is missing; {QUESTION}"),
    "100 kB": (
        {"question": "a" * 100_000},
        f"question is '{'a' * 40}'… (100000 characters); {QUESTION}",
    ),
    "top_k too small": (
        {"question": "How?", "top_k": 0},
        "top_k is 0; expected an integer from 1 to 20, or null",
    ),
    "top_k too large": (
        {"question": "How?", "top_k": 21},
        "top_k is 21; expected an integer from 1 to 20, or null",
    ),
    "top_k as text": (
        {"question": "How?", "top_k": "5"},
        "top_k is '5'; expected an integer from 1 to 20, or null",
    ),
    "top_k as true": (
        {"question": "How?", "top_k": True},
        "top_k is True; expected an integer from 1 to 20, or null",
    ),
    "category": (
        {"question": "How?", "category": 3},
        "category is 3; expected the name of a category (see GET /api/v1/models), or null",
    ),
    "session": (
        {"question": "How?", "session_id": "a b"},
        "session_id is 'a b'; expected 1 to 64 letters, digits, dots, colons, hyphens or "
        "underscores, or null",
    ),
    "unknown field": (
        {"question": "How?", "topk": 3},
        "topk: unknown field; expected question, top_k?, category?, session_id?, model?",
    ),
}


@pytest.mark.parametrize("name", BAD_QUERIES)
def test_a_bad_query_is_422_and_says_why(client, name):
    """The message names the field, what was read and what is expected; so does `param`."""
    body, message = BAD_QUERIES[name]
    response = client.post("/api/v1/query", json=body)
    assert response.status_code == 422
    error = response.json()["error"]
    assert error["message"] == message
    assert message.startswith(error["param"])
    assert error["type"] == "invalid_request"


def test_all_problems_of_a_body_are_told_together(client):
    """One round trip is enough to mend a request."""
    response = client.post("/api/v1/query", json={"question": "", "top_k": 99})
    assert response.json()["error"]["message"] == (
        f"question is ''; {QUESTION}; top_k is 99; expected an integer from 1 to 20, or null"
    )


BROKEN = [b"", b"{", b"{'question': 'How?'}", b'{"question": "\xff"}', b'{"question": "\\ud800"}',
          b"[" * 5000]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/query",
        "/api/v1/search",
        "/api/v1/classify",
        "/api/v1/feedback",
        "/v1/chat/completions",
    ],
)
def test_what_is_not_json_is_400(client, path, body):
    """Also wrong UTF-8, a lone surrogate and absurd nesting."""
    response = client.post(path, content=body)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("the body is not JSON: ")


@pytest.mark.parametrize("body", ["[]", "null", '"How?"', "3"])
def test_json_that_is_no_object_is_422(client, body):
    """The message lists the fields."""
    response = client.post("/api/v1/search", content=body)
    assert response.status_code == 422
    message = response.json()["error"]["message"]
    assert message.endswith("expected an object of query, top_k?, category?")


def test_a_large_body_is_413_without_being_read(house, client):
    """By its declared length, and without one as soon as the limit is passed."""
    limit = house.desk.config.body_limit_bytes
    whole = json.dumps({"question": "a" * limit})
    for content in (whole, iter([whole.encode()] * 3)):
        response = client.post("/api/v1/query", content=content)
        assert response.status_code == 413
        assert response.json()["error"]["message"] == (
            f"the body is larger than {limit} bytes (serve.body_limit_bytes)"
        )
    assert house.opened[0].asked == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"answer_id": "a", "rating": 0}, "rating"),
        ({"answer_id": "a", "rating": 6}, "rating"),
        ({"answer_id": "a", "rating": 4.5}, "rating"),
        ({"answer_id": "a", "rating": "good"}, "rating"),
        ({"answer_id": 3, "rating": 3}, "answer_id"),
        ({"rating": 3}, "answer_id"),
        ({"answer_id": "a", "rating": 3, "comment": "a" * 101}, "comment"),
    ],
)
def test_bad_feedback_is_422(client, body, field):
    """The field is named."""
    response = client.post("/api/v1/feedback", json=body)
    assert response.status_code == 422
    assert response.json()["error"]["param"] == field


def test_an_unknown_path_is_404_and_a_wrong_method_405(client):
    """Both as JSON; 405 says what is allowed."""
    response = client.get("/api/v2/query")
    assert response.status_code == 404
    assert response.json()["error"]["type"] == "not_found"
    response = client.get("/api/v1/query")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["error"]["message"] == "GET /api/v1/query: expected POST"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil"])
def test_other_sites_may_not_post(client, origin):
    """A visitor's browser sends the Origin of the page that asks."""
    response = client.post("/api/v1/query", json={"question": "How?"}, headers={"origin": origin})
    assert response.status_code == 403
    assert response.json()["error"]["type"] == "forbidden"


def test_the_page_itself_may_post(client):
    """Its Origin is the host that it was loaded from."""
    headers = {"origin": "http://testserver"}
    response = client.post("/api/v1/query", json={"question": "How?"}, headers=headers)
    assert response.status_code == 200


def test_more_than_the_rate_is_429_with_retry_after(house, config):
    """Per client address; another address still gets its answer."""
    limited = replace(config, rate_per_s=0.1, rate_burst=2)
    app = Application(Desk(config=limited, releases=house.releases, log=house.log))
    client = TestClient(app, client=("127.0.0.1", 1))
    statuses = [client.post("/api/v1/search", json={"query": "a"}).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    response = client.post("/api/v1/search", json={"query": "a"})
    assert 9 <= int(response.headers["retry-after"]) <= 10
    assert response.json()["error"]["type"] == "rate_limited"
    assert client.get("/api/v1/health").status_code == 200
    other = TestClient(app, client=("127.0.0.2", 1))
    assert other.post("/api/v1/search", json={"query": "a"}).status_code == 200


def test_strings_are_bounded_by_characters_not_bytes(config):
    """2000 characters of four bytes each are a question."""
    question = "⚡" * config.question_max_chars
    assert parse(Query, json.dumps({"question": question}).encode(), config).question == question
    assert parse(Search, b'{"query": "a", "top_k": null}', config).top_k is None

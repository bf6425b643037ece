"""The OpenAI-compatible routes, by hand and through OpenAI's own client."""

import json

import anyio
import httpx
import openai
import pytest

from groundwork.serve.chat import stream

CHAT = {"model": "ev_charging/3", "messages": [{"role": "user", "content": "How fast is it?"}]}
CONTENT = (
    "Level 2 chargers deliver 7.4 kW. [1]\n\n"
    "Sources:\n[1] Charging levels: https://www.amperewise.example/levels/"
)


def test_a_completion_holds_the_answer_and_its_sources(house):
    """OpenAI's shape; the whole answer travels along under `groundwork`."""
    body = house.client.post("/v1/chat/completions", json=CHAT).json()
    assert body["object"] == "chat.completion"
    assert body["model"] == "ev_charging/3"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": CONTENT, "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert body["usage"]["prompt_tokens"] == 5
    assert body["id"] == f"chatcmpl-{body['groundwork']['answer_id']}"
    assert house.log.get(body["groundwork"]["answer_id"]).question == "How fast is it?"


def test_a_refusal_has_no_sources(client):
    """The refusal's wording alone."""
    messages = [{"role": "user", "content": "Which cheese goes with it?"}]
    body = client.post("/v1/chat/completions", json={"messages": messages}).json()
    assert body["choices"][0]["message"]["content"] == "I cannot answer that."


def test_a_stream_says_the_same_piece_by_piece(client):
    """Server-sent events: role, pieces, the end with `groundwork`, [DONE]."""
    response = client.post("/v1/chat/completions", json=CHAT | {"stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = response.text.removesuffix("\n\n").split("\n\n")
    assert events.pop() == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0]["role"] == "assistant"
    assert "".join(delta.get("content", "") for delta in deltas) == CONTENT
    assert len(deltas) > 4
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1]["groundwork"]["release"] == "ev_charging/3"


def test_pieces_lose_no_space():
    """Leading, double and trailing white space survives the cut into pieces."""
    view = {"answer_id": "a", "release": "r", "citations": [], "answer": "  a  b\n\nc d e f g "}
    events = [event for event in stream(view) if "[DONE]" not in event]
    deltas = [json.loads(event[6:])["choices"][0]["delta"] for event in events]
    assert "".join(delta.get("content", "") for delta in deltas) == view["answer"]


def test_the_user_message_before_serves_a_follow_up(house):
    """A chat carries its own history, so no session is needed."""
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "How fast is it?"}]},
        {"role": "assistant", "content": "Fast."},
        {"role": "user", "content": "And in winter?"},
    ]
    house.client.post("/v1/chat/completions", json={"messages": messages})
    assert house.opened[0].asked == [("How fast is it? And in winter?", None, None)]


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "messages is []; expected a list of messages such as"),
        ("How?", "messages is 'How?'; expected a list of messages such as"),
        ([{"role": "assistant", "content": "Hi"}], "messages: expected the last one to have"),
        ([{"role": "user", "content": ""}], "messages: the last one has 0 characters"),
        ([{"role": "user", "content": "a" * 2001}], "messages: the last one has 2001 characters"),
        ([{"role": "user"}], "messages: the last one has 0 characters"),
        ([{"role": "user", "content": 3}], "messages.0.content is 3; expected a string, or a list"),
        ([{"role": "wizard", "content": "a"}], "messages.0.role is 'wizard'; expected system,"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}],
            "messages.0.content is [{'type': 'image_url'",
        ),
    ],
)
def test_bad_messages_are_422(client, messages, message):
    """The message says which one and what is expected."""
    response = client.post("/v1/chat/completions", json={"messages": messages})
    assert response.status_code == 422
    assert response.json()["error"]["message"].startswith(message)


def test_more_than_one_choice_is_422(client):
    """A question has one answer."""
    response = client.post("/v1/chat/completions", json=CHAT | {"n": 2})
    assert response.json()["error"]["message"] == "n is 2; expected 1: a question has one answer"


def test_an_unknown_model_is_404(client):
    """As with OpenAI."""
    response = client.post("/v1/chat/completions", json=CHAT | {"model": "gpt-4"})
    assert response.status_code == 404


def test_models_are_listed_by_version_and_alias(client):
    """Clients may hold on to an alias."""
    body = client.get("/v1/models").json()
    assert [item["id"] for item in body["data"]] == [
        "ev_charging/3",
        "ev_charging/champion",
        "ev_charging/2",
        "ev_charging/previous",
        "ev_charging/1",
    ]
    assert body["data"][0]["created"] == 1767323045


def test_the_openai_client_understands_it(house):
    """OpenAI's own package, streaming and not, and its error classes."""
    transport = httpx.ASGITransport(app=house.app)

    async def talk() -> None:
        async with httpx.AsyncClient(transport=transport) as http:
            client = openai.AsyncOpenAI(
                base_url="http://testserver/v1", api_key="none", http_client=http, max_retries=0
            )
            whole = await client.chat.completions.create(**CHAT)
            assert whole.choices[0].message.content == CONTENT
            pieces = await client.chat.completions.create(**CHAT, stream=True)
            said = [piece.choices[0].delta.content or "" async for piece in pieces]
            assert "".join(said) == CONTENT
            assert (await client.models.list()).data[0].id == "ev_charging/3"
            with pytest.raises(openai.NotFoundError, match="no such release"):
                await client.chat.completions.create(**CHAT | {"model": "gpt-4"})

    anyio.run(talk)

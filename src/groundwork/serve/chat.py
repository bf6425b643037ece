"""The OpenAI-compatible face: chat completions, streamed or whole, and the list of models.

The last user message is the question, the user message before it serves follow-ups. The whole
answer of `POST /api/v1/query` travels along under the key `groundwork`.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from groundwork.serve.config import ServeConfig
from groundwork.serve.problems import RequestError
from groundwork.serve.requests import Chat, Query

WORDS = re.compile(r"\S+\s*|\s+")
TOKENS = re.compile(r"\w+|[^\w\s]")
PIECE_WORDS = 4
"""Words in one streamed piece."""


def chat_query(chat: Chat, limits: ServeConfig) -> tuple[Query, str]:
    """The question of a chat and the user's question before it.

    Raises: `RequestError` 422 when the last message is not a usable question.
    """
    asked = [message.text().strip() for message in chat.messages if message.role == "user"]
    if not asked or chat.messages[-1].role != "user":
        raise RequestError(
            422, "messages: expected the last one to have the role 'user'", field="messages"
        )
    question = asked[-1]
    if not 1 <= len(question) <= limits.question_max_chars:
        raise RequestError(
            422,
            f"messages: the last one has {len(question)} characters; "
            f"expected 1 to {limits.question_max_chars}",
            field="messages",
        )
    previous = asked[-2][: limits.question_max_chars] if len(asked) > 1 else ""
    query = Query.model_validate({"question": question, "model": chat.model}, context=limits)
    return query, previous


def content(view: Mapping[str, Any]) -> str:
    """The answer as one text: chat clients show nothing else, so the sources follow it."""
    if not view["citations"]:
        return str(view["answer"])
    sources = [f"[{item['n']}] {item['title']}: {item['url']}" for item in view["citations"]]
    return f"{view['answer']}\n\nSources:\n" + "\n".join(sources)


def completion(view: Mapping[str, Any], chat: Chat) -> dict[str, Any]:
    """The body of an answer that is not streamed."""
    text = content(view)
    message = {"role": "assistant", "content": text, "refusal": None}
    return _frame(view, "chat.completion") | {
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _usage(chat, text),
        "groundwork": dict(view),
    }


def stream(view: Mapping[str, Any]) -> Iterator[str]:
    """The same as server-sent events; the last piece carries the key `groundwork`."""
    frame = _frame(view, "chat.completion.chunk")
    yield _event(frame, {"role": "assistant", "content": ""})
    words = WORDS.findall(content(view))
    for start in range(0, len(words), PIECE_WORDS):
        yield _event(frame, {"content": "".join(words[start : start + PIECE_WORDS])})
    yield _event(frame | {"groundwork": dict(view)}, {}, finish="stop")
    yield "data: [DONE]\n\n"


def model_list(models: Mapping[str, Any]) -> dict[str, Any]:
    """`GET /v1/models`: every release, and each alias by its own name."""
    entries = []
    for item in models["models"]:
        created = _timestamp(item["created"])
        for name in (item["version"], *item["aliases"]):
            entries.append(
                {
                    "id": f"{item['name']}/{name}",
                    "object": "model",
                    "created": created,
                    "owned_by": "groundwork",
                }
            )
    return {"object": "list", "data": entries}


def _frame(view: Mapping[str, Any], kind: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{view['answer_id']}",
        "object": kind,
        "created": int(time.time()),
        "model": view["release"],
        "system_fingerprint": None,
    }


def _event(frame: Mapping[str, Any], delta: Mapping[str, str], *, finish: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return f"data: {json.dumps({**frame, 'choices': [choice]}, ensure_ascii=False)}\n\n"


def _usage(chat: Chat, text: str) -> dict[str, int]:
    """Words and punctuation marks: the answerers share no tokenizer."""
    prompt = sum(len(TOKENS.findall(message.text())) for message in chat.messages)
    answer = len(TOKENS.findall(text))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
    }


def _timestamp(created: str) -> int:
    return int(datetime.fromisoformat(created).timestamp()) if created else 0

"""Answers from any OpenAI-compatible server: vLLM, llama.cpp, Ollama, a provider.

In: a question and passages. Out: a draft, read like a generation of our own. What passes by itself
(a lost connection, a timeout, 429, 5xx) is tried again; everything else is an `EndpointError`.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from groundwork.answer.config import EndpointConfig
from groundwork.answer.draft import Draft
from groundwork.answer.prompt import copied_fraction, parse, show, user_turn
from groundwork.config import DomainConfig
from groundwork.errors import ConfigError, EndpointError
from groundwork.records import Retrieved

MAX_TOKENS = 512
"""Length of an answer at which the server stops: ten sentences and their markers."""
FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 20.0
"""Also the longest `Retry-After` that is waited for."""
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class _Reply:
    """What one attempt brought."""

    status: int
    """HTTP status; 0 when there was no answer."""
    found: str
    """For a person."""
    pause_s: float
    """Before the next attempt."""
    payload: bytes


class Endpoint:
    """A chat model behind `answer.endpoint.base_url`, as an `Answerer`."""

    name = "endpoint"

    def __init__(self, config: EndpointConfig, *, domain: DomainConfig) -> None:
        import httpx

        if not config.base_url:
            raise ConfigError("answer.endpoint.base_url=None: expected the URL of a server")
        self._config = config
        self._domain = domain
        self._url = f"{config.base_url.rstrip('/')}/chat/completions"
        self._client = httpx.Client(timeout=config.timeout_s, headers=_headers(config))

    def draft(self, question: str, retrieved: Sequence[Retrieved]) -> Draft:
        """Draft one answer; signals are `copied_fraction` and `answer_tokens` (words here).

        Raises: `EndpointError` that names the URL, what came back and the way out.
        """
        chunks = [item.chunk for item in retrieved]
        turn = user_turn(question, [show(chunk) for chunk in chunks], domain=self._domain)
        text = self._complete(turn)
        draft = parse(text, chunks, refusal=self._domain.refusal)
        signals = {
            "answer_tokens": float(len(text.split())),
            "copied_fraction": copied_fraction(text, chunks),
        }
        return replace(draft, signals=signals)

    def _complete(self, turn: str) -> str:
        body = {
            "model": self._config.model,
            "messages": [{"role": "user", "content": turn}],
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
        }
        for attempt in range(self._config.retries + 1):
            reply = self._post(body, attempt)
            if reply.status == 200:
                return self._read(reply.payload)
            if reply.status and reply.status not in TRANSIENT:
                break
            if attempt < self._config.retries:
                time.sleep(reply.pause_s)
        raise EndpointError(f"{self._url}: {reply.found}; {_way_out(reply.status)}")

    def _post(self, body: Mapping[str, Any], attempt: int) -> _Reply:
        import httpx

        pause_s = min(MAX_PAUSE_S, FIRST_PAUSE_S * 2**attempt)
        try:
            response = self._client.post(self._url, json=body)
        except httpx.TimeoutException:
            return _Reply(0, f"no answer within {self._config.timeout_s:g} s", pause_s, b"")
        except httpx.TransportError as error:
            found = f"cannot be reached ({error or type(error).__name__})"
            return _Reply(0, found, pause_s, b"")
        wished = response.headers.get("retry-after", "")
        if wished.isdigit():
            pause_s = min(MAX_PAUSE_S, float(wished))
        excerpt = " ".join(response.text.split())[:120]
        found = f"HTTP {response.status_code} {excerpt!r}"
        return _Reply(response.status_code, found, pause_s, response.content)

    def _read(self, payload: bytes) -> str:
        try:
            text = json.loads(payload)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError) as error:
            raise EndpointError(
                f"{self._url}: answered with {payload[:80]!r}, which holds no "
                "choices[0].message.content; check that base_url is an OpenAI-compatible server "
                "(it usually ends in /v1)"
            ) from error
        if text is None:
            return ""
        if not isinstance(text, str):
            raise EndpointError(f"{self._url}: its answer is {text!r:.80}; expected a string")
        return text


def _headers(config: EndpointConfig) -> dict[str, str]:
    if not config.api_key_env:
        return {}
    key = os.environ.get(config.api_key_env)
    if not key:
        raise ConfigError(
            f"answer.endpoint.api_key_env={config.api_key_env}: that environment variable is "
            'empty; export it, or set "" for a server that asks for no key'
        )
    return {"Authorization": f"Bearer {key}"}


def _way_out(status: int) -> str:
    known = {
        0: "start the server, or check answer.endpoint.base_url and timeout_s",
        401: "check the key in the variable that answer.endpoint.api_key_env names",
        403: "check the key in the variable that answer.endpoint.api_key_env names",
        404: "check answer.endpoint.base_url (it usually ends in /v1) and answer.endpoint.model",
        429: "ask less often, or go on later",
    }
    return known.get(status, "see the server's log")

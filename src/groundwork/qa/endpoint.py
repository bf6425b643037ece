"""One request to an OpenAI-compatible endpoint, with retries.

In: a prompt. Out: the reply as plain data. What passes by itself (timeouts, lost connections, 429,
5xx) is tried again with growing pauses; everything else is an `EndpointError` at once.
"""

import os
from dataclasses import dataclass
from typing import Any

from groundwork.errors import ConfigError, EndpointError
from groundwork.qa.config import TeacherConfig

MAX_PAUSE_S = 60


@dataclass(frozen=True, slots=True)
class Reply:
    """What the endpoint said; JSON-serialisable."""

    text: str
    refused: bool
    truncated: bool
    prompt_tokens: int
    completion_tokens: int


class Endpoint:
    """A chat model behind `base_url`; safe to use from several threads."""

    def __init__(self, config: TeacherConfig) -> None:
        from openai import OpenAI

        self.config = config
        self._client = OpenAI(
            base_url=config.base_url,
            api_key=_api_key(config),
            timeout=config.timeout_s,
            max_retries=0,
        )

    def complete(self, system: str, prompt: str) -> Reply:
        """The reply to a prompt. Raises: `EndpointError` that names the URL and the way out."""
        from openai import APIConnectionError, InternalServerError, OpenAIError, RateLimitError
        from tenacity import (
            Retrying,
            retry_if_exception_type,
            stop_after_attempt,
            wait_exponential,
        )

        passing = (APIConnectionError, InternalServerError, RateLimitError)
        attempts = Retrying(
            retry=retry_if_exception_type(passing),
            stop=stop_after_attempt(self.config.retries + 1),
            wait=wait_exponential(multiplier=self.config.backoff_s, max=MAX_PAUSE_S),
            reraise=True,
        )
        try:
            return attempts(self._request, system, prompt)
        except OpenAIError as error:
            raise EndpointError(self._explain(error)) from error

    def _request(self, system: str, prompt: str) -> Reply:
        extra: dict[str, Any] = {}
        if self.config.json_mode:
            extra["response_format"] = {"type": "json_object"}
        answer = self._client.chat.completions.create(
            model=self.config.model,
            messages=[
                {"role": "system", "content": system},
                {"role": "user", "content": prompt},
            ],
            temperature=self.config.temperature,
            max_tokens=self.config.max_tokens,
            **extra,
        )
        if not getattr(answer, "choices", None):
            raise EndpointError(
                f"{self.config.base_url}: answered without choices; expected an OpenAI-compatible "
                "chat completion: check qa.teacher.base_url (it usually ends in /v1)"
            )
        choice, usage = answer.choices[0], answer.usage
        text = choice.message.content or ""
        refusal = getattr(choice.message, "refusal", None)
        return Reply(
            text=text or str(refusal or ""),
            refused=bool(refusal) or choice.finish_reason == "content_filter" or not text,
            truncated=choice.finish_reason == "length",
            prompt_tokens=usage.prompt_tokens if usage else 0,
            completion_tokens=usage.completion_tokens if usage else 0,
        )

    def _explain(self, error: Exception) -> str:
        status = getattr(error, "status_code", None)
        found = f"HTTP {status}" if status else type(error).__name__
        ways_out = {
            401: "check the key in the variable that qa.teacher.api_key_env names",
            403: "check the key in the variable that qa.teacher.api_key_env names",
            404: f"check qa.teacher.base_url and qa.teacher.model={self.config.model}",
            429: "lower qa.teacher.concurrency, or go on later",
        }
        way_out = ways_out.get(status or 0, "start the server, or use qa=rules")
        attempts = self.config.retries + 1
        return (
            f"{self.config.base_url}: {found} ({error}) with up to {attempts} attempts; "
            f"{way_out}. Answers so far are kept: a new run goes on from here"
        )


def _api_key(config: TeacherConfig) -> str:
    if config.api_key_env is None:
        return "none"
    key = os.environ.get(config.api_key_env)
    if not key:
        raise ConfigError(
            f"qa.teacher.api_key_env={config.api_key_env} in params.yaml: that environment "
            "variable is empty; export it, or set null for a server that asks for no key"
        )
    return key

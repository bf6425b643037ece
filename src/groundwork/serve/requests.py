"""What clients may send: each body as a strict type; whatever differs is named field by field."""

import re
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
)

from groundwork.serve.config import ServeConfig
from groundwork.serve.problems import RequestError

SHOWN_CHARS = 40
"""Of a value that is quoted back."""
SESSION = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
EXPECTED = {
    "question": "a string of 1 to {question_max_chars} characters, not only spaces",
    "text": "a string of 1 to {question_max_chars} characters, not only spaces",
    "query": "a string of 1 to {question_max_chars} characters, not only spaces",
    "top_k": "an integer from 1 to {top_k_max}, or null",
    "category": "the name of a category (see GET /api/v1/models), or null",
    "session_id": "1 to 64 letters, digits, dots, colons, hyphens or underscores, or null",
    "model": "a release such as ev_charging/7, its version or an alias, or null",
    "answer_id": "the answer_id of an answer, a string",
    "rating": "an integer from 1 to 5",
    "comment": "a string of at most {comment_max_chars} characters, or null",
    "messages": "a list of messages such as {{'role': 'user', 'content': 'a question'}}",
    "role": "system, developer, user, assistant or tool",
    "content": "a string, or a list of parts such as {{'type': 'text', 'text': 'a question'}}",
    "stream": "true or false",
    "n": "1: a question has one answer",
}
Parsed = TypeVar("Parsed", bound="Body")


def _limits(info: ValidationInfo) -> ServeConfig:
    assert isinstance(info.context, ServeConfig)
    return info.context


def _question(value: str, info: ValidationInfo) -> str:
    if not value.strip() or len(value) > _limits(info).question_max_chars:
        raise ValueError("length")
    return value.strip()


def _top_k(value: int, info: ValidationInfo) -> int:
    if not 1 <= value <= _limits(info).top_k_max:
        raise ValueError("range")
    return value


def _comment(value: str, info: ValidationInfo) -> str:
    if len(value) > _limits(info).comment_max_chars:
        raise ValueError("length")
    return value.strip()


def _session(value: str) -> str:
    if not SESSION.fullmatch(value):
        raise ValueError("characters")
    return value


Asked = Annotated[str, AfterValidator(_question)]
TopK = Annotated[int, AfterValidator(_top_k)]


class Body(BaseModel):
    """A JSON object with exactly the fields named."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, protected_namespaces=())


class Query(Body):
    """`POST /api/v1/query`."""

    question: Asked
    top_k: TopK | None = None
    category: str | None = None
    session_id: Annotated[str, AfterValidator(_session)] | None = None
    model: str | None = None


class Search(Body):
    """`POST /api/v1/search`."""

    query: Asked
    top_k: TopK | None = None
    category: str | None = None


class Classify(Body):
    """`POST /api/v1/classify`: either name of the field, one of them."""

    text: Annotated[Asked, Field(validation_alias=AliasChoices("text", "question"))]


class Feedback(Body):
    """`POST /api/v1/feedback`."""

    answer_id: str
    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Annotated[str, AfterValidator(_comment)] | None = None


class Part(Body):
    """A part of a chat message; only text can be answered."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["text"]
    text: str


class Message(Body):
    """A message of a chat."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None

    def text(self) -> str:
        """The message's words."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class Chat(Body):
    """`POST /v1/chat/completions`; parameters of generation are accepted and have no effect."""

    model_config = ConfigDict(extra="ignore")
    messages: Annotated[list[Message], Field(min_length=1)]
    model: str | None = None
    stream: bool | None = None
    n: Literal[1] | None = None


def parse(kind: type[Parsed], body: bytes, limits: ServeConfig) -> Parsed:
    """Read `body` as `kind`.

    Raises: `RequestError` 400 when it is not JSON, 422 when fields are wrong: all of them together.
    """
    try:
        return kind.model_validate_json(body, context=limits)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    first = errors[0]
    wanted = f"expected an object of {_fields(kind)}"
    if first["type"] == "json_invalid":
        reason = first["ctx"]["error"]
        raise RequestError(400, f"the body is not JSON: {reason}; {wanted}")
    if not first["loc"]:
        raise RequestError(422, f"the body is {_shown(first['input'])}; {wanted}")
    seen: dict[str, str] = {}
    for item in errors:
        seen.setdefault(_where(item["loc"]), _explain(kind, item, limits))
    raise RequestError(422, "; ".join(seen.values()), field=next(iter(seen)))


def _fields(kind: type[Body]) -> str:
    return ", ".join(
        name if field.is_required() else f"{name}?" for name, field in kind.model_fields.items()
    )


def _where(loc: tuple[int | str, ...]) -> str:
    """Path of a field, without the branches of a union that pydantic adds."""
    noise = {"str", "list[Part]"}
    return ".".join(str(part) for part in loc if part not in noise)


def _explain(kind: type[Body], item: Any, limits: ServeConfig) -> str:
    where = _where(item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown field; expected {_fields(kind)}"
    name = next((part for part in reversed(where.split(".")) if part in EXPECTED), where)
    wanted = EXPECTED.get(name, str(item["msg"])).format(
        question_max_chars=limits.question_max_chars,
        comment_max_chars=limits.comment_max_chars,
        top_k_max=limits.top_k_max,
    )
    if item["type"] == "missing":
        return f"{where} is missing; expected {wanted}"
    return f"{where} is {_shown(item['input'])}; expected {wanted}"


def _shown(value: Any) -> str:
    if isinstance(value, str) and len(value) > SHOWN_CHARS:
        return f"{value[:SHOWN_CHARS]!r}… ({len(value)} characters)"
    text = repr(value)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"

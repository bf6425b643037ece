"""What a request can meet instead of an answer, with the HTTP status that says so."""

from typing import Any

from groundwork.errors import (
    ArtifactError,
    EndpointError,
    GroundworkError,
    InputError,
    RegistryError,
)

TYPES = {
    400: "invalid_request",
    403: "forbidden",
    404: "not_found",
    405: "invalid_request",
    413: "invalid_request",
    422: "invalid_request",
    429: "rate_limited",
    500: "internal",
    502: "unavailable",
    503: "unavailable",
}


class RequestError(GroundworkError):
    """A request cannot be served; the client reads the message and the status."""

    def __init__(
        self, status: int, message: str, *, field: str = "", retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.retry_after_s = retry_after_s

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON that the client gets: the shape of OpenAI's errors, for every route."""
        error = {
            "message": str(self),
            "type": TYPES.get(self.status, "invalid_request"),
            "param": self.field or None,
            "code": None,
        }
        return {"error": error, "request_id": request_id}


def problem_of(error: GroundworkError) -> RequestError:
    """Give an error of ours its HTTP status."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, InputError):
        return RequestError(422, str(error))
    if isinstance(error, EndpointError):
        return RequestError(502, str(error))
    if isinstance(error, ArtifactError | RegistryError):
        return RequestError(503, str(error))
    return RequestError(500, str(error))

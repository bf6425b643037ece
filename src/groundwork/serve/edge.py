"""The outermost layer: request ids, security headers, cross-site requests, the count of responses.

It is a plain ASGI callable and no Starlette application on purpose: BentoML hands a mounted
Starlette application only the paths that it knows, and would answer the others itself, with its
own pages that load scripts from elsewhere.
"""

import re
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundwork.serve.problems import RequestError

REQUEST_ID = "x-request-id"
REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Edge:
    """Wraps the application; `count` hears the status of every response."""

    def __init__(self, app: ASGIApp, *, count: Callable[[int], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID, "")
        request_id = given if REQUEST_ID_FORM.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(message["status"])
                ours = MutableHeaders(scope=message)
                ours[REQUEST_ID] = request_id
                for name, value in SECURITY_HEADERS.items():
                    ours.setdefault(name, value)
                ours.setdefault("cache-control", "no-store")
            await send(message)

        app: ASGIApp = self._app
        if scope["method"] not in SAFE_METHODS and _is_cross_site(headers):
            problem = RequestError(
                403,
                f"Origin is {headers['origin'][:100]!r}; expected a page of this service: other "
                "sites may not send requests from a visitor's browser",
            )
            app = JSONResponse(problem.body(request_id), problem.status)
        await app(scope, receive, send_with_headers)


def _is_cross_site(headers: Headers) -> bool:
    """Browsers name the page that sends a request; other clients send no Origin."""
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")

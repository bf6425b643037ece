"""The HTTP application: routes, bodies in, JSON out. `service.py` mounts it on BentoML."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from groundwork.config import load
from groundwork.errors import GroundworkError
from groundwork.serve.chat import chat_query, completion, model_list, stream
from groundwork.serve.config import ServeConfig
from groundwork.serve.desk import Desk
from groundwork.serve.edge import Edge
from groundwork.serve.limits import Gate, RateLimit
from groundwork.serve.log import AnswerLog, state_dir
from groundwork.serve.problems import RequestError, problem_of
from groundwork.serve.releases import Releases, domain_name, find_source, open_assistant
from groundwork.serve.requests import Body, Chat, Classify, Feedback, Query, Search, parse

logger = logging.getLogger(__name__)
PAGE_DIR = Path(__file__).parent / "page"
Result = TypeVar("Result")
Parsed = TypeVar("Parsed", bound=Body)
Handler = Callable[[Request], Awaitable[Response]]


class Application:
    """The service as one ASGI callable; `startup` before the first request, `shutdown` after."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._config = desk.config
        self._rate = RateLimit(self._config.rate_per_s, self._config.rate_burst)
        self._gate = Gate(self._config.max_in_flight)
        self._threads = CapacityLimiter(self._config.threads)
        self._refreshing: asyncio.Task[None] | None = None
        self._edge = Edge(self._routes(), count=desk.count)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._edge(scope, receive, send)

    @property
    def ready(self) -> bool:
        """Whether questions can be answered."""
        return bool(self.desk.health()["ready"])

    async def startup(self) -> None:
        """Load the champion if there is one, and watch for its successor."""
        await to_thread.run_sync(self.desk.releases.refresh)
        self._refreshing = asyncio.create_task(self._refresh_forever())

    async def shutdown(self) -> None:
        """Stop watching and close the log."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refreshing
        self.desk.log.close()

    async def _refresh_forever(self) -> None:
        while True:
            await asyncio.sleep(self._config.refresh_s)
            try:
                await to_thread.run_sync(self.desk.releases.refresh)
            except Exception:  # a registry that misbehaves must not end the watching
                logger.exception("asking for the champion failed")

    def _routes(self) -> Starlette:
        routes = [
            Route("/api/v1/query", _bounded(self._query), methods=["POST"]),
            Route("/api/v1/search", _bounded(self._search), methods=["POST"]),
            Route("/api/v1/classify", _bounded(self._classify), methods=["POST"]),
            Route("/api/v1/feedback", _bounded(self._feedback), methods=["POST"]),
            Route("/v1/chat/completions", _bounded(self._chat), methods=["POST"]),
            Route("/api/v1/models", _bounded(self._models)),
            Route("/v1/models", _bounded(self._openai_models)),
            Route("/api/v1/health", _bounded(self._health)),
            Route("/api/v1/metrics", _bounded(self._metrics)),
            Route("/api/v1/answers/{answer_id}/trace", _bounded(self._trace)),
            Route("/", _bounded(_page)),
            Mount("/page", StaticFiles(directory=PAGE_DIR)),
        ]
        return Starlette(routes=routes, exception_handlers={HTTPException: _not_here})

    async def _query(self, request: Request) -> Response:
        query = await self._parse(Query, request)
        with self._gate.enter():
            return JSONResponse(await self._run(self.desk.query, query))

    async def _search(self, request: Request) -> Response:
        search = await self._parse(Search, request)
        with self._gate.enter():
            return JSONResponse(await self._run(self.desk.search, search))

    async def _classify(self, request: Request) -> Response:
        asked = await self._parse(Classify, request)
        with self._gate.enter():
            return JSONResponse(await self._run(self.desk.classify, asked))

    async def _feedback(self, request: Request) -> Response:
        feedback = await self._parse(Feedback, request)
        return JSONResponse(await self._run(self.desk.feedback, feedback), 201)

    async def _chat(self, request: Request) -> Response:
        chat = await self._parse(Chat, request)
        query, previous = chat_query(chat, self._config)
        with self._gate.enter():
            view = await self._run(partial(self.desk.query, previous=previous), query)
        if chat.stream:
            return StreamingResponse(_pieces(view), media_type="text/event-stream")
        return JSONResponse(completion(view, chat))

    async def _models(self, _request: Request) -> Response:
        return JSONResponse(await to_thread.run_sync(self.desk.models))

    async def _openai_models(self, _request: Request) -> Response:
        return JSONResponse(model_list(await to_thread.run_sync(self.desk.models)))

    async def _health(self, _request: Request) -> Response:
        health = await to_thread.run_sync(self.desk.health)
        return JSONResponse(health, 200 if health["ready"] else 503)

    async def _metrics(self, _request: Request) -> Response:
        return JSONResponse(await to_thread.run_sync(self.desk.metrics))

    async def _trace(self, request: Request) -> Response:
        with self._gate.enter():
            answer_id = str(request.path_params["answer_id"])
            return JSONResponse(await self._run(self.desk.trace, answer_id))

    async def _parse(self, kind: type[Parsed], request: Request) -> Parsed:
        self._rate.admit(request.client.host if request.client else "")
        return parse(kind, await _read(request, self._config.body_limit_bytes), self._config)

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Do slow work in a thread of its own pool, so that health and the page never wait."""
        return await to_thread.run_sync(partial(work, *arguments), limiter=self._threads)


def create_app(root: Path) -> Application:
    """The application as `params.yaml` in `root`, the folder of `service.py`, describes it.

    Reads configuration only; releases are opened by `startup`. Raises: `ConfigError`.
    """
    config = load("serve", ServeConfig, root / "params.yaml")
    source = find_source(root, domain_name(root / "params.yaml"))
    releases = Releases(source, open_assistant, kept=config.releases_kept)
    log = AnswerLog(state_dir(root, config))
    return Application(Desk(config=config, releases=releases, log=log))


async def _read(request: Request, limit: int) -> bytes:
    """The body, as long as it stays within `limit` bytes."""
    too_large = RequestError(413, f"the body is larger than {limit} bytes (serve.body_limit_bytes)")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > limit:
        raise too_large
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise too_large
    return bytes(body)


def _bounded(handler: Handler) -> Handler:
    """The request boundary: every error ends here, as JSON with a status and the request's id."""

    async def serve(request: Request) -> Response:
        try:
            return await handler(request)
        except GroundworkError as error:
            problem = problem_of(error)
        except ClientDisconnect:
            problem = RequestError(400, "the client left before its request was read")
        except Exception:  # the boundary: the client learns the id, the log the traceback
            logger.exception("request %s failed", request.state.request_id)
            problem = RequestError(
                500, "the service failed; its log has the details under this request_id"
            )
        return _problem_response(problem, request)

    return serve


def _problem_response(problem: RequestError, request: Request) -> Response:
    headers = {}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    if problem.status == 413:
        headers["connection"] = "close"  # the rest of the body is not read
    return JSONResponse(problem.body(request.state.request_id), problem.status, headers)


async def _not_here(request: Request, error: Exception) -> Response:
    """An unknown path, or a known one with another method."""
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path[:100]}"
    message = f"{what}: no such route; see README.md for what there is"
    if error.status_code == 405:
        message = f"{what}: expected {(error.headers or {}).get('Allow', 'another method')}"
    response = _problem_response(RequestError(error.status_code, message), request)
    response.headers.update(error.headers or {})
    return response


async def _page(_request: Request) -> Response:
    return FileResponse(PAGE_DIR / "index.html", headers={"cache-control": "no-cache"})


async def _pieces(view: dict[str, Any]) -> AsyncIterator[str]:
    for piece in stream(view):
        yield piece

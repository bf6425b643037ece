"""What the routes call: asks a release, keeps the log, says how things stand. No HTTP here."""

import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from groundwork.errors import ArtifactError, GroundworkError
from groundwork.serve.config import ServeConfig
from groundwork.serve.log import AnswerLog, StoredAnswer, new_answer_id, now
from groundwork.serve.problems import RequestError
from groundwork.serve.releases import Releases
from groundwork.serve.requests import Classify, Feedback, Query, Search
from groundwork.serve.sessions import searched_question
from groundwork.serve.views import (
    answer_view,
    guess_view,
    passages_view,
    release_view,
    trace_view,
)

if TYPE_CHECKING:
    from groundwork.answer import Assistant


class Desk:
    """Everything that a request needs; its methods block, so they run in worker threads."""

    def __init__(self, *, config: ServeConfig, releases: Releases, log: AnswerLog) -> None:
        self.config = config
        self.releases = releases
        self.log = log
        self.started_at = now()
        self._started = time.monotonic()
        self._count_lock = threading.Lock()
        self._statuses: dict[str, int] = {}

    def query(self, query: Query, *, previous: str = "") -> dict[str, Any]:
        """Answer a question and log it; `previous` is the question before it, if the caller knows.

        Raises: `RequestError`, or another `GroundworkError` when answering or logging fails.
        """
        started = time.perf_counter()
        assistant = self.releases.get(query.model)
        _check_category(query.category, assistant)
        if query.session_id:
            previous = self.log.last_question(query.session_id) or previous
        searched = searched_question(
            query.question, previous, max_words=self.config.follow_up_words
        )
        answer = assistant.answer(searched, top_k=query.top_k, category=query.category)
        view = answer_view(
            answer,
            answer_id=new_answer_id(),
            response_time_s=time.perf_counter() - started,
            info=assistant.info,
        )
        self.log.add(
            StoredAnswer(
                answer_id=view["answer_id"],
                asked_at=now(),
                session_id=query.session_id or "",
                question=query.question,
                searched=searched,
                answer=view,
            )
        )
        return view

    def search(self, search: Search) -> dict[str, Any]:
        """Ranked passages without an answer; nothing is logged."""
        assistant = self.releases.get(None)
        _check_category(search.category, assistant)
        found = assistant.search(search.query, top_k=search.top_k, category=search.category)
        return {
            "query": search.query,
            "release": assistant.info.release,
            "passages": passages_view(found),
        }

    def classify(self, asked: Classify) -> dict[str, Any]:
        """What a text is about; nothing is logged.

        Raises: `RequestError` 404 when the release that answers has no classifier.
        """
        assistant = self.releases.get(None)
        guess = assistant.classify(asked.text)
        if guess is None:
            raise RequestError(404, no_classifier(assistant.info.release))
        return guess_view(asked.text, guess, info=assistant.info)

    def feedback(self, feedback: Feedback) -> dict[str, Any]:
        """Store a rating of an answer. Raises: `RequestError` 404 when there is no such answer."""
        comment = feedback.comment or ""
        if not self.log.add_feedback(feedback.answer_id, rating=feedback.rating, comment=comment):
            raise _no_answer(feedback.answer_id)
        return {"answer_id": feedback.answer_id, "rating": feedback.rating, "stored": True}

    def trace(self, answer_id: str) -> dict[str, Any]:
        """The lineage of an answer, by the release that gave it."""
        stored = self.log.get(answer_id)
        if stored is None:
            raise _no_answer(answer_id)
        return trace_view(stored, self.releases.get(str(stored.answer["release"])))

    def models(self) -> dict[str, Any]:
        """All releases, and what the page needs to know about the one that answers."""
        current = self.releases.current
        serving = current.info.release if current else ""
        try:
            listed, registry = self.releases.source.listing(), ""
        except GroundworkError as error:
            listed, registry = [], str(error)
        return {
            "serving": serving or None,
            "domain": _domain_view(current) if current else None,
            "models": [
                release_view(item, serving=f"{item.name}/{item.version}" == serving)
                for item in listed
            ],
            "registry_problem": registry or self.releases.trouble or None,
        }

    def health(self) -> dict[str, Any]:
        """Alive, ready, which release, and how each dependency is."""
        current = self.releases.current
        log_problem = self._log_problem()
        trouble = self.releases.trouble
        release_detail = current.info.model_version if current else f"none loaded: {trouble}"
        dependencies = {
            "release": {"ok": current is not None, "detail": release_detail},
            "registry": {"ok": not trouble, "detail": trouble or "the champion is loaded"},
            "answer_log": {"ok": not log_problem, "detail": log_problem or str(self.log.path)},
        }
        return {
            "live": True,
            "ready": current is not None and not log_problem,
            "release": asdict(current.info) | {"release": current.info.release}
            if current
            else None,
            "uptime_s": round(time.monotonic() - self._started, 1),
            "dependencies": dependencies,
        }

    def metrics(self) -> dict[str, Any]:
        """A summary of the log, and of this process's requests by status."""
        with self._count_lock:
            statuses = dict(sorted(self._statuses.items()))
        requests = {"since": self.started_at, "by_status": statuses}
        current = self.releases.current
        release = current.info.release if current else None
        return {"release": release, "requests": requests} | self.log.summary()

    def count(self, status: int) -> None:
        """Count a response."""
        with self._count_lock:
            self._statuses[str(status)] = self._statuses.get(str(status), 0) + 1

    def _log_problem(self) -> str:
        try:
            self.log.get("")
        except ArtifactError as error:
            return str(error)
        return ""


def no_classifier(release: str) -> str:
    """Why a release cannot classify, and the way out."""
    return (
        f"{release} has no classifier: it was made before there was one, or its domain has too few "
        "questions; see artifacts/classify/metrics.json, and run `dvc repro`"
    )


def _check_category(category: str | None, assistant: "Assistant") -> None:
    if category is not None and category not in assistant.categories:
        known = ", ".join(assistant.categories)
        raise RequestError(
            422, f"category is {category!r}; expected one of {known}, or null", field="category"
        )


def _domain_view(assistant: "Assistant") -> dict[str, Any]:
    return {
        "name": assistant.info.name,
        "title": assistant.title,
        "categories": list(assistant.categories),
        "examples": list(assistant.examples),
    }


def _no_answer(answer_id: str) -> RequestError:
    shown = answer_id[:64]
    return RequestError(
        404,
        f"answer_id is {shown!r}: no such answer in the log; expected the answer_id of an answer "
        "that this service gave",
        field="answer_id",
    )

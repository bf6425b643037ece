"""The HTTP service: API, OpenAI-compatible chat, limits, feedback, answer log, web page."""

from groundwork.serve.app import create_app
from groundwork.serve.config import ServeConfig
from groundwork.serve.desk import no_classifier
from groundwork.serve.log import AnswerLog, StoredAnswer, new_answer_id, now, state_dir
from groundwork.serve.problems import RequestError
from groundwork.serve.releases import (
    Releases,
    domain_name,
    find_source,
    open_assistant,
    require_release,
)
from groundwork.serve.sessions import searched_question
from groundwork.serve.views import answer_view, guess_view, passages_view, release_view, trace_view

__all__ = [
    "AnswerLog",
    "Releases",
    "RequestError",
    "ServeConfig",
    "StoredAnswer",
    "answer_view",
    "create_app",
    "domain_name",
    "find_source",
    "guess_view",
    "new_answer_id",
    "no_classifier",
    "now",
    "open_assistant",
    "passages_view",
    "release_view",
    "require_release",
    "searched_question",
    "state_dir",
    "trace_view",
]

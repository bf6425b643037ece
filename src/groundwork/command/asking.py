"""`ask`, `search`, `chat` and `trace`: the champion, or another release, without a server."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundwork.config import load
from groundwork.errors import InputError
from groundwork.promote import Release, champion, get_release, list_releases
from groundwork.serve import (
    AnswerLog,
    ServeConfig,
    StoredAnswer,
    answer_view,
    domain_name,
    guess_view,
    new_answer_id,
    no_classifier,
    now,
    open_assistant,
    passages_view,
    searched_question,
    state_dir,
    trace_view,
)

if TYPE_CHECKING:
    from groundwork.answer import Assistant

QUOTE_CHARS = 240
"""Longer quotes are cut on the terminal; `--json` has them whole."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the options of `ask` and `search` say."""

    model: str | None = None
    """Version, alias or NAME/VERSION; None is the champion."""
    top_k: int | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """An open release, and the log that its answers go to."""

    assistant: "Assistant"
    config: ServeConfig
    log: AnswerLog

    @classmethod
    def open(cls, root: Path, model: str | None) -> "Desk":
        """Open the release. Raises: `RegistryError` with the way out when there is none."""
        params_path = root / "params.yaml"
        config = load("serve", ServeConfig, params_path)
        release = find_release(domain_name(params_path), model)
        return cls(open_assistant(release), config, AnswerLog(state_dir(root, config)))

    def ask(self, question: str, wish: Wish, *, previous: str = "") -> dict[str, Any]:
        """Answer, log, and return what `POST /api/v1/query` would."""
        self.check_length(question)
        words = self.config.follow_up_words
        searched = searched_question(question, previous, max_words=words)
        started = time.perf_counter()
        answer = self.assistant.answer(searched, top_k=wish.top_k, category=wish.category)
        view = answer_view(
            answer,
            answer_id=new_answer_id(),
            response_time_s=time.perf_counter() - started,
            info=self.assistant.info,
        )
        self.log.add(StoredAnswer(view["answer_id"], now(), "", question, searched, view))
        return view

    def check_length(self, text: str) -> None:
        """Raises: `InputError` for an empty question and for one that the service refuses too."""
        limit = self.config.question_max_chars
        if not text.strip() or len(text) > limit:
            raise InputError(
                f"the question has {len(text.strip())} characters; expected 1 to {limit}"
            )


def find_release(domain: str, model: str | None) -> Release:
    """The release called `model`. Raises: `RegistryError` when there is none of that name."""
    if model is None:
        return champion(domain)
    version = model.removeprefix(f"{domain}/")
    for release in list_releases(domain):
        if version in release.aliases:
            return get_release(domain, release.version)
    return get_release(domain, version)


def ask(question: str, wish: Wish, *, root: Path, as_json: bool) -> str:
    """The answer to a question with its citations."""
    view = Desk.open(root, wish.model).ask(question, wish)
    return _json(view) if as_json else show_answer(view)


def search(query: str, wish: Wish, *, root: Path, as_json: bool) -> str:
    """Ranked passages, no answer."""
    desk = Desk.open(root, wish.model)
    desk.check_length(query)
    found = desk.assistant.search(query, top_k=wish.top_k, category=wish.category)
    view = {
        "query": query,
        "release": desk.assistant.info.release,
        "passages": passages_view(found),
    }
    return _json(view) if as_json else show_passages(view)


def classify(text: str, model: str | None, *, root: Path, as_json: bool) -> str:
    """What a text is about. Raises: `InputError` when the release has no classifier."""
    desk = Desk.open(root, model)
    desk.check_length(text)
    guess = desk.assistant.classify(text)
    if guess is None:
        raise InputError(no_classifier(desk.assistant.info.release))
    view = guess_view(text, guess, info=desk.assistant.info)
    return _json(view) if as_json else show_guess(view)


def chat(wish: Wish, *, root: Path, read: Callable[[str], str], say: Callable[[str], None]) -> None:
    """Answer line after line until the input ends; a follow-up leans on the question before."""
    desk = Desk.open(root, wish.model)
    say(f"{desk.assistant.info.model_version}: {desk.assistant.title}. Ctrl-D ends.")
    for example in desk.assistant.examples:
        say(f"  for instance: {example}")
    previous = ""
    while True:
        try:
            question = read("\n> ").strip()
        except EOFError:
            say("")
            return
        if not question:
            continue
        try:
            say("\n" + show_answer(desk.ask(question, wish, previous=previous)))
        except InputError as error:
            say(str(error))
            continue
        words = desk.config.follow_up_words
        if searched_question(question, previous, max_words=words) == question:
            previous = question


def trace(answer_id: str, *, root: Path, as_json: bool) -> str:
    """The way from an answer back to passages, pages, data, run and commit."""
    params_path = root / "params.yaml"
    log = AnswerLog(state_dir(root, load("serve", ServeConfig, params_path)))
    stored = log.get(answer_id)
    if stored is None:
        raise InputError(
            f"{answer_id}: no such answer in {log.path}; expected the id that `groundwork ask` or "
            "the service gave with an answer"
        )
    domain, _, version = str(stored.answer["release"]).partition("/")
    view = trace_view(stored, open_assistant(get_release(domain, version)))
    return _json(view) if as_json else show_trace(view)


def show_answer(view: Mapping[str, Any]) -> str:
    """An answer for the terminal."""
    lines = [view["answer"]] + [""] * bool(view["citations"])
    for item in view["citations"]:
        heading = f" > {item['heading']}" if item["heading"] else ""
        lines += [f"[{item['n']}] {item['title']}{heading}", f"    {item['url']}"]
        lines += [f'    "{_cut(item["quote"])}"']
    verdict = "refused, " if view["refused"] else ""
    about = [f"{verdict}confidence {view['confidence']:.2f}", view["category"]]
    about += [view["model_version"], f"{view['response_time'] * 1000:.0f} ms"]
    lines += ["", ", ".join(part for part in about if part)]
    return "\n".join([*lines, f"groundwork trace {view['answer_id']}"])


def show_guess(view: Mapping[str, Any]) -> str:
    """What a text is about, for the terminal."""
    lines = [f"{item['confidence']:.2f}  {item['category']}" for item in view["scores"]]
    outside = ", out of scope" if view["out_of_scope"] else ""
    return "\n".join([*lines, f"{view['release']}{outside}"])


def show_passages(view: Mapping[str, Any]) -> str:
    """Ranked passages for the terminal."""
    lines = []
    for number, item in enumerate(view["passages"], start=1):
        heading = f" > {item['heading']}" if item["heading"] else ""
        lines += [f"{number}. {item['title']}{heading}  ({item['score']:.3f}, {item['category']})"]
        lines += [f"   {item['url']}", f"   {_cut(item['text'])}"]
    return "\n".join([*lines, f"{len(view['passages'])} passages of {view['release']}"])


def show_trace(view: Mapping[str, Any]) -> str:
    """A trace for the terminal: every level is indented below what it explains."""
    lines = [f"answer {view['answer_id']} of {view['asked_at']}"]
    lines += [f"  question: {view['question']}", f"  answer: {view['answer']['answer']}"]
    for passage in view["passages"]:
        lines += [f'[{passage["n"]}] "{_cut(passage["quote"])}"']
        for level in ("passage", "document", "page"):
            lines += [f"  {level}", *_fields(passage[level])]
    lines += [f"release {view['release']['model_version']}"]
    return "\n".join(lines + _fields(view["release"]["provenance"]))


def _fields(values: Mapping[str, Any]) -> list[str]:
    return [f"    {name}: {_plain(value)}" for name, value in values.items() if name != "text"]


def _plain(value: object) -> str:
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= QUOTE_CHARS else f"{flat[:QUOTE_CHARS]}…"


def _json(view: Mapping[str, Any]) -> str:
    return json.dumps(view, indent=2, ensure_ascii=False)

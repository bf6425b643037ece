"""What the service and the command line show: answers, passages, releases and traces as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from groundwork.records import Answer, Retrieved
from groundwork.serve.log import StoredAnswer

if TYPE_CHECKING:
    from groundwork.answer import Assistant, ReleaseInfo
    from groundwork.classify import Guess
    from groundwork.promote import Release


def answer_view(
    answer: Answer, *, answer_id: str, response_time_s: float, info: "ReleaseInfo"
) -> dict[str, Any]:
    """An answer as `POST /api/v1/query` and `groundwork ask --json` give it."""
    return {
        "answer_id": answer_id,
        "answer": answer.text,
        "refused": answer.refused,
        "confidence": round(answer.confidence, 4),
        "category": answer.category,
        "category_confidence": answer.category_confidence,
        "citations": [asdict(citation) for citation in answer.citations],
        "source": answer.citations[0].title if answer.citations else "",
        "response_time": round(response_time_s, 4),
        "model_version": info.model_version,
        "release": info.release,
    }


def guess_view(text: str, guess: "Guess", *, info: "ReleaseInfo") -> dict[str, Any]:
    """What a text is about, as `POST /api/v1/classify` and `groundwork classify --json` give it."""
    return {
        "text": text,
        "category": guess.label,
        "confidence": guess.confidence,
        "out_of_scope": guess.out_of_scope,
        "scores": [{"category": label, "confidence": share} for label, share in guess.scores],
        "release": info.release,
    }


def passages_view(found: Sequence[Retrieved]) -> list[dict[str, Any]]:
    """Ranked passages as `POST /api/v1/search` and `groundwork search --json` give them."""
    return [
        {
            "id": item.chunk.passage_id,
            "url": item.chunk.url,
            "title": item.chunk.title,
            "heading": item.chunk.heading,
            "text": item.chunk.text,
            "score": round(item.score, 6),
            "category": item.chunk.category,
            "document_id": item.chunk.document_id,
            "licence": item.chunk.licence,
        }
        for item in found
    ]


def release_view(release: "Release", *, serving: bool) -> dict[str, Any]:
    """A release as `GET /api/v1/models` lists it."""
    return {
        "release": f"{release.name}/{release.version}",
        "name": release.name,
        "version": release.version,
        "aliases": list(release.aliases),
        "answerer": release.answerer,
        "metrics": dict(release.metrics),
        "created": release.created,
        "run_id": release.run_id,
        "serving": serving,
    }


def trace_view(stored: StoredAnswer, assistant: "Assistant") -> dict[str, Any]:
    """The way back from an answer: its passages, their documents and pages, its release.

    `assistant` must be the release that gave the answer: another one knows other passages.
    """
    assert stored.answer["release"] == assistant.info.release
    return {
        "answer_id": stored.answer_id,
        "asked_at": stored.asked_at,
        "question": stored.question,
        "searched": stored.searched,
        "answer": dict(stored.answer),
        "passages": [
            {"n": citation["n"], "quote": citation["quote"]}
            | assistant.lineage(citation["passage_id"])
            for citation in stored.answer["citations"]
        ],
        "release": {
            "release": assistant.info.release,
            "model_version": assistant.info.model_version,
            "provenance": assistant.provenance,
        },
        "feedback": [dict(item) for item in stored.feedback],
    }

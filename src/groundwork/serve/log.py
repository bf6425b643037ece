"""The answer log: every answer with its release and timing, and the feedback that it got.

One SQLite file in WAL mode, shared by the service's workers and the command line.
"""

import json
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from groundwork.artifacts import project_root
from groundwork.errors import ArtifactError
from groundwork.serve.config import ServeConfig

FILE_NAME = "answers.db"
VERSION = 1
RECENT = 1000
"""Answers that the summary's percentiles and shares are of."""
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS answers (
    answer_id TEXT PRIMARY KEY, asked_at TEXT NOT NULL, session_id TEXT NOT NULL,
    question TEXT NOT NULL, searched TEXT NOT NULL, release TEXT NOT NULL,
    refused INTEGER NOT NULL, confidence REAL NOT NULL, category TEXT NOT NULL,
    response_time REAL NOT NULL, answer TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS answers_session ON answers (session_id) WHERE session_id != '';
CREATE TABLE IF NOT EXISTS feedback (
    feedback_id INTEGER PRIMARY KEY, answer_id TEXT NOT NULL REFERENCES answers,
    given_at TEXT NOT NULL, rating INTEGER NOT NULL, comment TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS feedback_answer ON feedback (answer_id);
PRAGMA user_version = {VERSION};
"""
INSERT = "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was given."""

    answer_id: str
    asked_at: str
    """ISO 8601, UTC."""
    session_id: str
    """Empty outside of a session."""
    question: str
    searched: str
    """What was searched for: the question, or with the question before when it follows up."""
    answer: Mapping[str, Any]
    """The JSON that the client got."""
    feedback: tuple[Mapping[str, Any], ...] = field(default=())
    """`given_at`, `rating`, `comment` of each, oldest first."""


def new_answer_id() -> str:
    """A random UUID: answers are looked up by it, so it must not be guessable."""
    return str(uuid.uuid4())


def now() -> str:
    """The time as the log writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def state_dir(root: Path, config: ServeConfig) -> Path:
    """Folder of the answer log: GROUNDWORK_STATE_DIR, or `serve.state_dir` below the checkout."""
    given = os.environ.get("GROUNDWORK_STATE_DIR")
    return Path(given) if given else project_root(root) / config.state_dir


class AnswerLog:
    """The log in the folder `state_dir`, which is made when the first answer is stored.

    Safe to use from several threads and processes. Every method raises `ArtifactError` when the
    file cannot be read or written.
    """

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / FILE_NAME
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def add(self, stored: StoredAnswer) -> None:
        """Store an answer."""
        answer = stored.answer
        row = (
            *(stored.answer_id, stored.asked_at, stored.session_id),
            *(stored.question, stored.searched, answer["release"], int(answer["refused"])),
            *(answer["confidence"], answer["category"], answer["response_time"]),
            json.dumps(answer, ensure_ascii=False, allow_nan=False),
        )
        with self._open() as connection:
            connection.execute(INSERT, row)

    def get(self, answer_id: str) -> StoredAnswer | None:
        """The answer of that id with its feedback, or None."""
        columns = "answer_id, asked_at, session_id, question, searched, answer"
        with self._open() as connection:
            row = connection.execute(
                f"SELECT {columns} FROM answers WHERE answer_id = ?",  # noqa: S608 - constant
                (answer_id,),
            ).fetchone()
            found = connection.execute(
                "SELECT given_at, rating, comment FROM feedback WHERE answer_id = ? ORDER BY 1",
                (answer_id,),
            ).fetchall()
        if row is None:
            return None
        feedback = tuple(
            {"given_at": given_at, "rating": rating, "comment": comment}
            for given_at, rating, comment in found
        )
        answer_id, asked_at, session_id, question, searched, answer = row
        return StoredAnswer(
            answer_id=answer_id,
            asked_at=asked_at,
            session_id=session_id,
            question=question,
            searched=searched,
            answer=json.loads(answer),
            feedback=feedback,
        )

    def add_feedback(self, answer_id: str, *, rating: int, comment: str) -> bool:
        """Store a rating of 1 to 5; False when there is no such answer. Earlier ones stay."""
        with self._open() as connection:
            done = connection.execute(
                "INSERT INTO feedback (answer_id, given_at, rating, comment) "
                "SELECT answer_id, ?, ?, ? FROM answers WHERE answer_id = ?",
                (now(), rating, comment, answer_id),
            )
        return done.rowcount == 1

    def last_question(self, session_id: str) -> str:
        """The newest question of the session that was not a follow-up; empty when there is none."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT question FROM answers WHERE session_id = ? AND question = searched "
                "ORDER BY rowid DESC LIMIT 1",
                (session_id,),
            ).fetchone()
        return str(row[0]) if row else ""

    def summary(self) -> dict[str, Any]:
        """Counts over all answers; shares and percentiles over the last `RECENT` of them."""
        with self._open() as connection:
            total = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
            by_release = connection.execute(
                "SELECT release, count(*) FROM answers GROUP BY release ORDER BY release"
            ).fetchall()
            recent = connection.execute(
                "SELECT refused, confidence, response_time FROM answers "
                "ORDER BY rowid DESC LIMIT ?",
                (RECENT,),
            ).fetchall()
            # Who rates an answer twice has changed their mind: the last rating counts.
            ratings = connection.execute(
                "SELECT rating, count(*) FROM feedback WHERE feedback_id IN "
                "(SELECT max(feedback_id) FROM feedback GROUP BY answer_id) "
                "GROUP BY rating ORDER BY rating"
            ).fetchall()
        return {
            "answers": {"total": total, "by_release": dict(by_release), "recent": _recent(recent)},
            "feedback": _ratings(ratings),
        }

    def close(self) -> None:
        """Close the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = _connect(self.path)
                with self._connection:
                    yield self._connection
            except (sqlite3.Error, OSError) as error:
                raise ArtifactError(
                    f"{self.path}: the answer log cannot be used ({error}); check the folder's "
                    "permissions and the free disk space, or move a damaged file away"
                ) from error


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=5, check_same_thread=False)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise sqlite3.DatabaseError(f"version {version}, expected at most {VERSION}")
        # A power cut may lose the last answers with NORMAL, but cannot damage the file.
        connection.executescript(
            f"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            f"PRAGMA foreign_keys = ON;{SCHEMA}"
        )
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _recent(rows: list[tuple[int, float, float]]) -> dict[str, Any]:
    if not rows:
        return {"count": 0}
    times = sorted(row[2] for row in rows)
    return {
        "count": len(rows),
        "refused": sum(row[0] for row in rows) / len(rows),
        "mean_confidence": sum(row[1] for row in rows) / len(rows),
        "response_time_s": {
            f"p{share}": times[min(len(times) - 1, len(times) * share // 100)]
            for share in (50, 95, 99)
        },
    }


def _ratings(rows: list[tuple[int, int]]) -> dict[str, Any]:
    count = sum(number for _, number in rows)
    mean = sum(rating * number for rating, number in rows) / count if count else None
    return {"count": count, "mean_rating": mean, "by_rating": {str(r): n for r, n in rows}}

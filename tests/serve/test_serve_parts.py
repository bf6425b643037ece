"""The rules without HTTP: sessions, limits, the log, where releases come from."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from groundwork.artifacts import write_json
from groundwork.errors import ArtifactError, ConfigError
from groundwork.serve import (
    AnswerLog,
    RequestError,
    StoredAnswer,
    create_app,
    domain_name,
    find_source,
    new_answer_id,
    require_release,
    searched_question,
    state_dir,
)
from groundwork.serve.limits import Gate, RateLimit
from groundwork.serve.releases import Bundled, Registry

STORED = StoredAnswer(
    answer_id="a1",
    asked_at="2026-01-02T03:04:05.000+00:00",
    session_id="s",
    question="How?",
    searched="How?",
    answer={
        "release": "ev_charging/1",
        "refused": False,
        "confidence": 0.5,
        "category": "winter",
        "response_time": 0.25,
        "answer": "So. ⚡",
    },
)


@pytest.mark.parametrize(
    ("question", "follows"),
    [
        ("And in winter?", True),
        ("and at home", True),
        ("What about the cost of it all?", True),
        ("How about an extension lead in the rain?", True),
        ("But why is it slower then?", True),
        ("Why?", True),
        ("In winter?", True),
        ("What is CCS?", False),
        ("Android app for charging?", False),
        ("How long does it take in winter?", False),
    ],
)
def test_which_questions_follow_up(question, follows):
    """Two words or fewer, or an opening such as "and" or "what about"."""
    expected = f"How fast is it? {question}" if follows else question
    assert searched_question(question, "How fast is it?", max_words=2) == expected
    assert searched_question(question, "", max_words=2) == question


def test_the_rate_refills_with_time():
    """Burst 2 at 2 a second: two at once, the third after half a second."""
    now = [0.0]
    limit = RateLimit(2.0, 2, clock=lambda: now[0])
    limit.admit("a")
    limit.admit("a")
    with pytest.raises(RequestError) as caught:
        limit.admit("a")
    assert caught.value.retry_after_s == 1  # half a second, rounded up
    now[0] = 0.5
    limit.admit("a")
    with pytest.raises(RequestError):
        limit.admit("a")
    limit.admit("b")


def test_the_rate_forgets_the_oldest_clients(monkeypatch):
    """Memory stays bounded however many addresses there are."""
    monkeypatch.setattr("groundwork.serve.limits.CLIENTS", 2)
    limit = RateLimit(1.0, 1, clock=lambda: 0.0)
    for client in ("a", "b", "c"):
        limit.admit(client)
    limit.admit("a")
    with pytest.raises(RequestError):
        limit.admit("c")


def test_the_gate_holds_its_places_and_gives_them_back():
    """Also when the work fails."""
    gate = Gate(1)
    with gate.enter(), pytest.raises(RequestError) as caught, gate.enter():
        pass
    assert (caught.value.status, caught.value.retry_after_s) == (429, 1)
    with pytest.raises(ZeroDivisionError), gate.enter():
        raise ZeroDivisionError
    assert gate.taken == 0


def test_the_log_keeps_answers_across_processes(tmp_path):
    """Written by one, read by another, feedback included."""
    one, other = AnswerLog(tmp_path / "state"), AnswerLog(tmp_path / "state")
    one.add(STORED)
    assert other.add_feedback("a1", rating=4, comment="good")
    found = one.get("a1")
    assert replace(found, feedback=()) == STORED
    assert [(f["rating"], f["comment"]) for f in found.feedback] == [(4, "good")]
    assert other.last_question("s") == "How?"
    assert other.get("a2") is None
    assert not other.add_feedback("a2", rating=4, comment="")
    one.close()
    assert one.last_question("none") == ""
    one.close()
    other.close()


def test_an_answer_id_is_stored_once(tmp_path):
    """A second answer under the same id is an error and changes nothing."""
    log = AnswerLog(tmp_path)
    log.add(STORED)
    with pytest.raises(ArtifactError, match="UNIQUE"):
        log.add(replace(STORED, question="Another?"))
    assert log.get("a1").question == "How?"
    log.close()


def test_a_damaged_log_is_named(tmp_path):
    """The file, what is wrong and the way out."""
    log = AnswerLog(tmp_path)
    log.path.write_bytes(b"not a database" * 100)
    with pytest.raises(ArtifactError, match=r"answers\.db: the answer log cannot be used"):
        log.get("a1")


def test_a_log_of_a_newer_version_is_left_alone(tmp_path):
    """An older Groundwork must not write into it."""
    log = AnswerLog(tmp_path)
    connection = sqlite3.connect(log.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ArtifactError, match="version 99, expected at most 1"):
        log.get("a1")


def test_percentiles_of_the_summary(tmp_path):
    """Times 0.01 to 1.00 of 100 answers: p50 is the 51st, p95 the 96th, p99 the 100th."""
    log = AnswerLog(tmp_path)
    for number in range(1, 101):
        answer = dict(STORED.answer) | {"response_time": number / 100}
        log.add(replace(STORED, answer_id=new_answer_id(), answer=answer))
    assert log.summary()["answers"]["recent"]["response_time_s"] == {
        "p50": 0.51,
        "p95": 0.96,
        "p99": 1.0,
    }
    log.close()


def test_the_state_folder_follows_the_environment(tmp_path, config, monkeypatch):
    """GROUNDWORK_STATE_DIR goes before serve.state_dir."""
    monkeypatch.delenv("GROUNDWORK_STATE_DIR", raising=False)
    assert state_dir(tmp_path, config) == tmp_path.resolve() / "state"
    monkeypatch.setenv("GROUNDWORK_STATE_DIR", str(tmp_path / "volume"))
    assert state_dir(tmp_path, config) == tmp_path / "volume"


def test_the_domain_follows_the_environment(tmp_path, monkeypatch):
    """GROUNDWORK_DOMAIN goes before params.yaml."""
    monkeypatch.setenv("GROUNDWORK_DOMAIN", "bank")
    assert domain_name(tmp_path / "params.yaml") == "bank"


def test_the_application_is_made_from_params(tmp_path, monkeypatch):
    """It reads `serve` and `domain`, and opens nothing before `startup`."""
    monkeypatch.delenv("GROUNDWORK_STATE_DIR", raising=False)
    monkeypatch.delenv("GROUNDWORK_DOMAIN", raising=False)
    conf = Path(__file__).resolve().parents[2] / "conf"
    names = {"serve": "serve/default", "domain": "domain/ev_charging"}
    params = {
        section: yaml.safe_load((conf / f"{name}.yaml").read_text(encoding="utf-8"))
        for section, name in names.items()
    }
    params_path = tmp_path / "params.yaml"
    params_path.write_text(yaml.safe_dump(params), encoding="utf-8")
    desk = create_app(tmp_path).desk
    assert desk.releases.source == Registry("ev_charging")
    assert (desk.releases.current, desk.health()["ready"]) == (None, False)
    assert desk.log.path == tmp_path.resolve() / "state" / "answers.db"
    desk.log.close()
    params["serve"]["port"] = 0
    params_path.write_text(yaml.safe_dump(params), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"serve\.port=0 in .*params\.yaml"):
        create_app(tmp_path)


def test_a_bento_serves_its_own_release_and_a_checkout_the_registry(tmp_path):
    """`bento.yaml` above the folder of service.py makes the difference."""
    root = tmp_path / "src"
    root.mkdir()
    assert find_source(root, "ev_charging") == Registry("ev_charging")
    (tmp_path / "bento.yaml").touch()
    assert find_source(root, "ev_charging") == Bundled(root / "release")


def test_a_bento_without_a_release_says_what_is_missing(tmp_path):
    """The way out is in the message."""
    with pytest.raises(ArtifactError, match=r"run `groundwork release export`, then `bentoml"):
        require_release(tmp_path / "release")
    with pytest.raises(ArtifactError, match="no exported release"):
        Bundled(tmp_path / "release").champion()


def test_a_bundled_release_is_read_from_its_card(tmp_path):
    """Version and aliases as they were in the registry when it was exported."""
    card = {
        "name": "ev_charging",
        "version": "7",
        "aliases": ["champion"],
        "created": "2026-01-02T03:04:05+00:00",
        "answerer": "extractive",
        "metrics": {},
        "run_id": "r",
    }
    write_json(tmp_path / "registered.json", card)
    bundled = Bundled(tmp_path)
    assert (bundled.champion().version, bundled.champion().folder) == ("7", tmp_path)
    assert bundled.find("7") == bundled.find("champion") == bundled.listing()[0]
    assert bundled.find("6") is None

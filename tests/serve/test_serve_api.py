"""The contract of `/api/v1`: shapes, releases, sessions, feedback, traces."""

import re
from dataclasses import replace
from typing import Any

import anyio
import pytest
from starlette.testclient import TestClient

from groundwork.errors import ArtifactError, EndpointError, RegistryError
from groundwork.serve.app import Application
from groundwork.serve.desk import Desk


def ask(client: TestClient, question: str = "How fast is Level 2?", **more: Any) -> dict[str, Any]:
    response = client.post("/api/v1/query", json={"question": question, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_query_gives_the_answer_of_the_contract(house):
    """Every key of the contract, with the release and the first source named."""
    answer = ask(house.client)
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.pop("answer_id"))
    assert 0 <= answer.pop("response_time") < 1
    assert answer == {
        "answer": "Level 2 chargers deliver 7.4 kW. [1]",
        "refused": False,
        "confidence": 0.8532,
        "category": "charging_levels",
        "category_confidence": 0.9,
        "citations": [
            {
                "n": 1,
                "url": "https://www.amperewise.example/levels/",
                "title": "Charging levels",
                "heading": "Level 2",
                "quote": "Level 2 chargers deliver 7.4 kW.",
                "passage_id": "p1",
                "document_id": "d1",
                "licence": "CC-BY-4.0",
                "fetched_at": "2026-01-02T03:04:05+00:00",
            }
        ],
        "source": "Charging levels",
        "model_version": "ev_charging/3 (extractive)",
        "release": "ev_charging/3",
    }


def test_refusal_is_an_answer_without_sources(client):
    """A refusal has status 200, no citation and no source."""
    answer = ask(client, "Which cheese goes with it?")
    assert (answer["refused"], answer["citations"], answer["source"]) == (True, [], "")


def test_query_hands_on_top_k_and_category_and_trims_the_question(house):
    """The assistant gets exactly what was asked for."""
    ask(house.client, "  How fast? ", top_k=3, category="winter", model=None)
    assert house.opened[0].asked == [("How fast?", 3, "winter")]


def test_search_gives_ranked_passages(client):
    """Retrieval alone: id, url, title, heading, text, score."""
    body = client.post("/api/v1/search", json={"query": "level 2", "top_k": 1}).json()
    assert body["release"] == "ev_charging/3"
    assert body["passages"] == [
        {
            "id": "p1",
            "url": "https://www.amperewise.example/levels/",
            "title": "Charging levels",
            "heading": "Level 2",
            "text": "Level 2 chargers deliver 7.4 kW. They need a dedicated circuit.",
            "score": 0.9,
            "category": "charging_levels",
            "document_id": "d1",
            "licence": "CC-BY-4.0",
        }
    ]


@pytest.mark.parametrize("name", ["ev_charging/1", "1"])
def test_model_picks_a_release_by_name_or_version(house, name):
    """Another release than the champion is opened when it is asked for, once."""
    assert ask(house.client, model=name)["release"] == "ev_charging/1"
    assert ask(house.client, model=name)["release"] == "ev_charging/1"
    assert len(house.opened) == 2


@pytest.mark.parametrize("name", ["champion", "3", "ev_charging/3", "ev_charging", None])
def test_the_champion_answers_to_all_its_names(house, name):
    """No second copy of the champion is opened."""
    assert ask(house.client, model=name)["release"] == "ev_charging/3"
    assert len(house.opened) == 1


def test_an_alias_picks_a_release(client):
    """Any alias of the registry will do."""
    assert ask(client, model="ev_charging/previous")["release"] == "ev_charging/2"


def test_only_a_few_releases_stay_open(house):
    """With releases_kept=1 the second one asked for closes the first."""
    for name in ("1", "2", "1"):
        ask(house.client, model=name)
    assert [item.info.version for item in house.opened] == ["3", "1", "2", "1"]


@pytest.mark.parametrize("name", ["9", "ev_charging/9", "bank/3", "", "../etc"])
def test_an_unknown_model_is_404_and_names_the_known_ones(client, name):
    """The message says which releases there are."""
    response = client.post("/api/v1/query", json={"question": "How?", "model": name})
    if name == "":
        assert response.json()["release"] == "ev_charging/3"
        return
    assert response.status_code == 404
    error = response.json()["error"]
    assert error["param"] == "model"
    assert error["message"] == (
        f"model is {name!r}: no such release; there are ev_charging/3, ev_charging/2, ev_charging/1"
    )


def test_classify_names_the_category_and_the_likeliest(client):
    """Under either name of the field."""
    for key in ("text", "question"):
        body = client.post("/api/v1/classify", json={key: " Is frost bad? "}).json()
        assert body == {
            "text": "Is frost bad?",
            "category": "winter",
            "confidence": 0.8,
            "out_of_scope": False,
            "scores": [
                {"category": "winter", "confidence": 0.8},
                {"category": "charging_levels", "confidence": 0.2},
            ],
            "release": "ev_charging/3",
        }


def test_a_release_without_a_classifier_says_so(client):
    """404 with the reason and the way out; a text that is missing or empty is 422."""
    response = client.post("/api/v1/classify", json={"text": "cheese"})
    assert response.status_code == 404
    assert response.json()["error"]["message"].startswith("ev_charging/3 has no classifier")
    for body in ({}, {"text": " "}, {"text": 3}, {"text": "a", "more": 1}):
        assert client.post("/api/v1/classify", json=body).status_code == 422


def test_an_unknown_category_is_422_and_names_the_known_ones(client):
    """Both routes that take a category say so."""
    for path, key in (("/api/v1/query", "question"), ("/api/v1/search", "query")):
        response = client.post(path, json={key: "How?", "category": "cheese"})
        assert response.status_code == 422
        assert response.json()["error"]["message"] == (
            "category is 'cheese'; expected one of charging_levels, winter, or null"
        )


def test_a_follow_up_is_searched_with_the_question_before(house):
    """Only within its session, and a chain of follow-ups leans on the last full question."""
    first = "How long does charging take?"
    for question, session in ((first, "a"), ("And in winter?", "b"), ("And in winter?", "a")):
        ask(house.client, question, session_id=session)
    ask(house.client, "at home?", session_id="a")
    assert [question for question, _, _ in house.opened[0].asked] == [
        first,
        "And in winter?",
        f"{first} And in winter?",
        f"{first} at home?",
    ]


def test_models_lists_releases_and_what_serves(client):
    """Version, aliases, metrics, created; and the page's title, categories and examples."""
    body = client.get("/api/v1/models").json()
    assert body["serving"] == "ev_charging/3"
    assert body["registry_problem"] is None
    assert body["domain"] == {
        "name": "ev_charging",
        "title": "electric-vehicle charging",
        "categories": ["charging_levels", "winter"],
        "examples": ["How fast is Level 2?"],
    }
    assert [(m["release"], m["serving"], m["aliases"]) for m in body["models"]] == [
        ("ev_charging/3", True, ["champion"]),
        ("ev_charging/2", False, ["previous"]),
        ("ev_charging/1", False, []),
    ]
    assert body["models"][0]["metrics"] == {"fact_coverage": 0.8}
    assert body["models"][0]["created"] == "2026-01-02T03:04:05+00:00"


def test_models_says_when_the_registry_is_away(house):
    """The list is empty with the reason beside it; questions are still answered."""
    house.registry.error = RegistryError("mlflow.db: no such file")
    body = house.client.get("/api/v1/models").json()
    assert (body["models"], body["registry_problem"]) == ([], "mlflow.db: no such file")
    assert ask(house.client)["release"] == "ev_charging/3"


def test_health_names_release_and_dependencies(house):
    """Live, ready, the release, and each dependency."""
    body = house.client.get("/api/v1/health").json()
    assert (body["live"], body["ready"]) == (True, True)
    assert body["release"]["release"] == "ev_charging/3"
    assert {name: item["ok"] for name, item in body["dependencies"].items()} == {
        "release": True,
        "registry": True,
        "answer_log": True,
    }
    assert house.app.ready


def test_without_a_champion_the_service_runs_and_names_the_way_out(house):
    """Health is 503 and not ready; a question is 503 with the way out and Retry-After."""
    house.releases._champion = None
    house.registry.releases = []
    house.releases.refresh()
    health = house.client.get("/api/v1/health")
    assert health.status_code == 503
    assert (health.json()["live"], health.json()["ready"]) == (True, False)
    assert "run `dvc repro`" in health.json()["dependencies"]["release"]["detail"]
    for path, body in (
        ("/api/v1/query", {"question": "How?"}),
        ("/api/v1/search", {"query": "How?"}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "How?"}]}),
    ):
        response = house.client.post(path, json=body)
        assert response.status_code == 503
        assert "run `dvc repro`" in response.json()["error"]["message"]
        assert response.headers["retry-after"] == "10"
    assert house.client.get("/").status_code == 200
    assert house.client.get("/api/v1/models").json()["domain"] is None


def test_a_new_champion_takes_over_and_a_broken_one_does_not(house):
    """The old champion answers until the new one is open; trouble shows in health."""
    house.registry.promote("2")
    house.releases.refresh()
    assert ask(house.client)["release"] == "ev_charging/2"

    def broken(release: object) -> None:
        raise ArtifactError("release/index: damaged")

    house.releases._open_release = broken
    house.registry.promote("1")
    house.releases.refresh()
    assert ask(house.client)["release"] == "ev_charging/2"
    health = house.client.get("/api/v1/health")
    assert health.status_code == 200
    assert health.json()["dependencies"]["registry"] == {
        "ok": False,
        "detail": "release/index: damaged",
    }


def test_the_champion_is_watched_while_the_service_runs(house, config):
    """A moved alias is noticed without a restart, even after a registry that misbehaved."""
    desk = Desk(config=replace(config, refresh_s=0.01), releases=house.releases, log=house.log)

    async def live() -> None:
        app = Application(desk)
        await app.startup()
        house.registry.error = ValueError("a bug in a client library")
        await anyio.sleep(0.05)
        house.registry.error = None
        house.registry.promote("1")
        for _ in range(200):
            await anyio.sleep(0.01)
            if house.releases.current.info.version == "1":
                break
        await app.shutdown()

    anyio.run(live)
    assert house.releases.current.info.version == "1"


def test_feedback_is_stored_with_its_answer(house):
    """201, and the trace of the answer shows it."""
    answer_id = ask(house.client)["answer_id"]
    for rating, comment in ((2, "hm"), (5, None)):
        body = {"answer_id": answer_id, "rating": rating, "comment": comment}
        response = house.client.post("/api/v1/feedback", json=body)
        assert response.status_code == 201
        assert response.json() == {"answer_id": answer_id, "rating": rating, "stored": True}
    stored = house.log.get(answer_id)
    assert [(f["rating"], f["comment"]) for f in stored.feedback] == [(2, "hm"), (5, "")]


def test_feedback_for_an_unknown_answer_is_404(client):
    """Nothing is stored for an answer that was never given."""
    response = client.post("/api/v1/feedback", json={"answer_id": "nope", "rating": 3})
    assert response.status_code == 404
    assert response.json()["error"]["param"] == "answer_id"


def test_trace_leads_from_the_answer_to_its_release(house):
    """Passages with their pages; the provenance of the release that answered, not of today's."""
    answer = ask(house.client, "And this?", model="1", session_id="s")
    trace = house.client.get(f"/api/v1/answers/{answer['answer_id']}/trace").json()
    assert trace["answer"] == answer
    assert (trace["question"], trace["searched"]) == ("And this?", "And this?")
    assert trace["passages"] == [
        {
            "n": 1,
            "quote": "Level 2 chargers deliver 7.4 kW.",
            "passage": {"passage_id": "p1"},
            "document": {},
            "page": {"url": "https://www.amperewise.example/levels/"},
        }
    ]
    assert trace["release"]["provenance"] == {"git_commit": "abc", "version": "1"}


def test_trace_of_an_unknown_answer_is_404(client):
    """The message names the id."""
    response = client.get("/api/v1/answers/nope/trace")
    assert response.status_code == 404
    assert "answer_id is 'nope'" in response.json()["error"]["message"]


def test_metrics_summarise_answers_feedback_and_requests(client):
    """Hand-counted: two answers, one refused; of two ratings of one answer the last counts."""
    first = ask(client)["answer_id"]
    ask(client, "cheese?")
    for rating in (1, 4):
        client.post("/api/v1/feedback", json={"answer_id": first, "rating": rating})
    client.post("/api/v1/query", content=b"{")
    body = client.get("/api/v1/metrics").json()
    assert body["release"] == "ev_charging/3"
    assert body["requests"]["by_status"] == {"200": 2, "201": 2, "400": 1}
    assert body["answers"]["total"] == 2
    assert body["answers"]["by_release"] == {"ev_charging/3": 2}
    recent = body["answers"]["recent"]
    assert (recent["count"], recent["refused"]) == (2, 0.5)
    assert recent["mean_confidence"] == pytest.approx((0.8532 + 0.7) / 2)
    assert set(recent["response_time_s"]) == {"p50", "p95", "p99"}
    assert body["feedback"] == {"count": 1, "mean_rating": 4.0, "by_rating": {"4": 1}}


def test_metrics_of_a_service_that_was_never_asked(client):
    """No answers is no error."""
    body = client.get("/api/v1/metrics").json()
    assert body["answers"] == {"total": 0, "by_release": {}, "recent": {"count": 0}}
    assert body["feedback"] == {"count": 0, "mean_rating": None, "by_rating": {}}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EndpointError("http://127.0.0.1:9: refused"), 502),
        (ArtifactError("index: damaged"), 503),
        (RegistryError("gone"), 503),
    ],
)
def test_trouble_while_answering_has_its_status(house, error, status):
    """Errors of ours keep their message."""
    house.opened[0].error = error
    response = house.client.post("/api/v1/query", json={"question": "How?"})
    assert response.status_code == status
    assert response.json()["error"]["message"] == str(error)


def test_a_bug_is_500_with_the_request_id_and_no_detail(house, caplog):
    """The client gets an id, the service's log the traceback."""
    house.opened[0].error = ZeroDivisionError("secret")
    response = house.client.post(
        "/api/v1/query", json={"question": "How?"}, headers={"x-request-id": "abc-1"}
    )
    assert response.status_code == 500
    assert response.json()["request_id"] == response.headers["x-request-id"] == "abc-1"
    assert "secret" not in response.text
    assert "request abc-1 failed" in caplog.text


def test_a_log_that_cannot_be_written_is_503(house):
    """An answer that cannot be traced later is not given; health says what to mend."""
    house.log.path = house.log.path.parent
    house.log.path.mkdir()
    response = house.client.post("/api/v1/query", json={"question": "How?"})
    assert response.status_code == 503
    assert "the answer log cannot be used" in response.json()["error"]["message"]
    health = house.client.get("/api/v1/health")
    assert health.status_code == 503
    assert health.json()["dependencies"]["answer_log"]["ok"] is False

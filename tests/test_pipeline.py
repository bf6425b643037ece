"""The whole pipeline on a small profile, as a user runs it: DVC, MLflow, a server process.

Two copies of the checkout in different folders, each with caches of its own.
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from checkout import Checkout

pytestmark = pytest.mark.slow

QUESTION = "What current can a car draw from a Type 2 socket?"
REPRODUCIBLE = ("crawl", "clean", "chunk", "qa", "adapt", "index", "classify", "base", "train")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which `dvc repro` has run."""
    made = Checkout(tmp_path_factory.mktemp("one") / "groundwork")
    made.run("dvc", "repro")
    return made


def test_every_stage_writes_its_outputs_and_a_champion_answers_with_sources(
    checkout: Checkout,
) -> None:
    """After `dvc repro` there is a champion, and it answers with a page of the site."""
    decision = json.loads((checkout.folder / "artifacts/promote/decision.json").read_text())
    assert decision["promoted"] is True
    assert set(checkout.outputs()) == {*REPRODUCIBLE, "evaluate", "promote"}
    answer = json.loads(checkout.run("groundwork", "ask", QUESTION, "--json"))
    assert answer["release"] == "ev_charging/1"
    if not answer["refused"]:
        assert answer["citations"][0]["url"].startswith("https://www.amperewise.example/")
    assert "ev_charging/1" in checkout.run("groundwork", "trace", answer["answer_id"])


def test_a_second_repro_has_nothing_to_do(checkout: Checkout) -> None:
    """Nothing changed, so no stage runs."""
    assert "Running stage" not in checkout.run("dvc", "repro")


def test_a_clean_checkout_elsewhere_gives_the_same_bytes(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two folders, two caches, the same hashes up to and including the adapter."""
    other = Checkout(tmp_path_factory.mktemp("two") / "elsewhere" / "groundwork")
    other.run("dvc", "repro", "train", "classify")
    first, second = checkout.outputs(), other.outputs()
    for stage in REPRODUCIBLE:
        assert second[stage] == first[stage], stage


def test_nothing_of_the_machine_reaches_an_artifact(checkout: Checkout) -> None:
    """No path and no loopback address stands in an output that has no clock."""
    for stage in ("crawl", "clean", "chunk", "qa"):
        for path in (checkout.folder / "artifacts" / stage).iterdir():
            content = path.read_bytes()
            assert b"127.0.0.1" not in content, path
            assert str(checkout.folder).encode() not in content, path


@pytest.fixture(scope="module")
def server(checkout: Checkout) -> Iterator[str]:
    """`bentoml serve` on loopback with the champion of the registry."""
    with _serving(checkout, "service:Groundwork") as url:
        yield url


def test_the_service_answers_from_the_champion(server: str) -> None:
    """A real server process answers, names its release, and traces the answer."""
    found = httpx.post(f"{server}/api/v1/query", json={"question": QUESTION}, timeout=30).json()
    assert found["release"] == "ev_charging/1"
    trace = httpx.get(f"{server}/api/v1/answers/{found['answer_id']}/trace", timeout=30)
    assert trace.status_code == 200
    assert httpx.get(server, timeout=30).text.startswith("<!doctype html>")


def test_the_bento_answers_without_the_registry(checkout: Checkout) -> None:
    """`bentoml build` packs the champion; the Bento serves although MLflow's store is gone."""
    checkout.run("bentoml", "build")
    store = checkout.folder / "mlflow.db"
    store.rename(store.with_suffix(".away"))
    try:
        with _serving(checkout, "groundwork-service:latest") as url:
            answer = httpx.post(f"{url}/api/v1/query", json={"question": QUESTION}, timeout=60)
            assert answer.json()["release"] == "ev_charging/1"
    finally:
        store.with_suffix(".away").rename(store)


class _serving:  # noqa: N801  # a context manager that reads as a verb
    def __init__(self, checkout: Checkout, target: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.command = ["bentoml", "serve", target, "--host", "127.0.0.1", "-p", str(self.port)]
        self.checkout = checkout

    def __enter__(self) -> str:
        self.log = (self.checkout.folder / "serve.log").open("w+")
        self.process = subprocess.Popen(
            self.command,
            cwd=self.checkout.folder,
            env=self.checkout.env,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        url = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            if _ready(url):
                return url
            time.sleep(0.5)
        self.log.seek(0)
        text = self.log.read()
        self.__exit__()
        raise AssertionError(f"the server did not become ready:\n{text}")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()


def _ready(url: str) -> bool:
    try:
        health: dict[str, Any] = httpx.get(f"{url}/api/v1/health", timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return False
    return bool(health.get("ready"))

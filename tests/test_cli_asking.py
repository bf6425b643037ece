"""ask, search, chat and trace on a registered release, with an assistant that needs no model."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from groundwork import cli
from groundwork.answer import ReleaseInfo
from groundwork.classify import Guess
from groundwork.command import asking
from groundwork.promote import Release, crown, register
from groundwork.records import Answer, Chunk, Citation, Retrieved
from groundwork.tracking import stage_run

SERVE = yaml.safe_load(
    (Path(__file__).parents[1] / "conf/serve/default.yaml").read_text(encoding="utf-8")
)
CHUNK = Chunk(
    passage_id="p1",
    document_id="d1",
    url="https://pets.example/cats/",
    title="Cats",
    heading="Sounds",
    text="Cats purr.\nThey also meow.",
    start=0,
    end=26,
    tokens=6,
    category="cats",
    licence="CC-BY-4.0",
)
CITATION = Citation(
    n=1,
    url=CHUNK.url,
    title="Cats",
    heading="Sounds",
    quote="Cats purr.",
    passage_id="p1",
    document_id="d1",
    licence="CC-BY-4.0",
    fetched_at="2026-01-01T00:00:00Z",
)


@dataclass
class FakeAssistant:
    """Answers everything alike; refuses what mentions cheese."""

    info: ReleaseInfo
    title: str = "pets"
    examples: tuple[str, ...] = ("Do cats purr?",)
    provenance: dict[str, Any] = field(default_factory=lambda: {"git_commit": "c0ffee"})
    asked: list[tuple[str, int | None, str | None]] = field(default_factory=list)

    def answer(self, question: str, *, top_k: int | None, category: str | None) -> Answer:
        self.asked.append((question, top_k, category))
        if "cheese" in question:
            return Answer("I cannot answer that.", True, 0.9, "", ())
        return Answer("Cats purr. [1]", False, 0.853249, "cats", (CITATION,))

    def search(self, query: str, *, top_k: int | None, category: str | None) -> list[Retrieved]:
        self.asked.append((query, top_k, category))
        return [Retrieved(chunk=CHUNK, score=1.25, dense=0.8, lexical=3.0)]

    def classify(self, text: str) -> Guess | None:
        return None if "cheese" in text else Guess("cats", 0.8, True, (("cats", 0.8),))

    def lineage(self, passage_id: str) -> dict[str, Any]:
        assert passage_id == "p1"
        return {
            "passage": {"passage_id": "p1", "text": "Cats purr."},
            "document": {"document_id": "d1"},
            "page": {"url": CHUNK.url, "robots": "allowed"},
        }


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path, releases: dict[str, Path]
) -> Path:
    """A checkout with champion pets/2 (tuned) and pets/1 (extractive)."""
    root = tmp_path_factory.mktemp("checkout")
    shutil.copyfile(empty_store, root / "mlflow.db")
    params = {"domain": {"name": "pets"}, "serve": SERVE}
    (root / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(root)
        for answerer in ("extractive", "tuned"):
            with stage_run("promote", inputs=[]) as run:
                metrics = {"score": 0.75}
                crown(register(releases[answerer], run=run, domain="pets", metrics=metrics))
    return root


@pytest.fixture
def opened(project: Path, monkeypatch: pytest.MonkeyPatch) -> list[FakeAssistant]:
    """The assistants that the command opened, in order."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(project)
    monkeypatch.setattr(asking, "domain_name", lambda path: "pets")
    assistants: list[FakeAssistant] = []

    def open_fake(release: Release) -> FakeAssistant:
        info = ReleaseInfo(release.name, release.version, release.answerer)
        assistants.append(FakeAssistant(info))
        return assistants[-1]

    monkeypatch.setattr(asking, "open_assistant", open_fake)
    return assistants


def test_answer_is_shown_with_its_sources(
    opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """Answer, each citation with page and quote, confidence, category, release, and the trace."""
    assert cli.main(["ask", "Do cats purr?"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:5] == [
        "Cats purr. [1]",
        "",
        "[1] Cats > Sounds",
        "    https://pets.example/cats/",
        '    "Cats purr."',
    ]
    assert lines[6].startswith("confidence 0.85, cats, pets/2 (tuned), ")
    assert lines[7].startswith("groundwork trace ")


def test_answer_in_json_is_that_of_the_service(
    opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same keys as POST /api/v1/query gives; options reach the assistant."""
    options = ["--json", "--model", "pets/1", "--top-k", "3", "--category", "cats"]
    assert cli.main(["ask", "Do cats purr?", *options]) == 0
    view = json.loads(capsys.readouterr().out)
    assert sorted(view) == [
        "answer",
        "answer_id",
        "category",
        "category_confidence",
        "citations",
        "confidence",
        "model_version",
        "refused",
        "release",
        "response_time",
        "source",
    ]
    assert (view["release"], view["model_version"]) == ("pets/1", "pets/1 (extractive)")
    assert opened[0].asked == [("Do cats purr?", 3, "cats")]


def test_classify_names_the_category_or_says_why_not(
    opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """For people, as JSON, and of a release that has no classifier."""
    assert cli.main(["classify", "Do cats purr?"]) == 0
    assert capsys.readouterr().out == "0.80  cats\npets/2, out of scope\n"
    assert cli.main(["classify", "Do cats purr?", "--json", "--model", "pets/1"]) == 0
    view = json.loads(capsys.readouterr().out)
    assert (view["category"], view["out_of_scope"], view["release"]) == ("cats", True, "pets/1")
    assert cli.main(["classify", "Do cats eat cheese?"]) == 1
    assert "pets/2 has no classifier" in capsys.readouterr().err


def test_refusal_is_shown_as_such(
    opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal has no sources and says that it is one."""
    cli.main(["ask", "Do cats eat cheese?"])
    out = capsys.readouterr().out
    assert out.startswith("I cannot answer that.\n\nrefused, confidence 0.90, pets/2 (tuned)")


@pytest.mark.parametrize("question", ["", "  ", "x" * 2001])
def test_unusable_question_is_refused(
    opened: list[FakeAssistant], question: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, blank and too long: the limits of the service hold here too."""
    assert cli.main(["ask", question]) == 1
    assert "expected 1 to 2000" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "release"), [("previous", "pets/1"), ("2", "pets/2"), ("pets/champion", "pets/2")]
)
def test_release_is_found_by_version_and_alias(
    opened: list[FakeAssistant], model: str, release: str
) -> None:
    """With the domain's name before it or without."""
    cli.main(["ask", "Do cats purr?", "--model", model])
    assert opened[0].info.release == release


def test_unknown_release_is_an_error(
    opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """It names what was asked for and where to look."""
    assert cli.main(["ask", "Do cats purr?", "--model", "9"]) == 1
    assert "pets/9: no such release; see `groundwork release list`" in capsys.readouterr().err


def test_search_shows_passages(
    opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """Ranked, with page and text in one line."""
    assert cli.main(["search", "purring", "--top-k", "2"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1. Cats > Sounds  (1.250, cats)",
        "   https://pets.example/cats/",
        "   Cats purr. They also meow.",
        "1 passages of pets/2",
    ]
    assert opened[0].asked == [("purring", 2, None)]


def test_search_in_json(opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]) -> None:
    """The passages as the service gives them."""
    cli.main(["search", "purring", "--json"])
    view = json.loads(capsys.readouterr().out)
    assert (view["query"], view["release"]) == ("purring", "pets/2")
    assert view["passages"][0]["id"] == "p1"


def _chat(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> int:
    waiting = iter(lines)

    def read(prompt: str = "") -> str:
        try:
            return next(waiting)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", read)
    return cli.main(["chat"])


def test_chat_answers_until_the_input_ends(
    opened: list[FakeAssistant],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each question is answered with its sources; a follow-up is searched with the one before."""
    assert _chat(monkeypatch, ["How do cats purr?", "", "And dogs?", "And birds?"]) == 0
    assert [question for question, *_ in opened[0].asked] == [
        "How do cats purr?",
        "How do cats purr? And dogs?",
        "How do cats purr? And birds?",
    ]
    out = capsys.readouterr().out
    assert out.startswith("pets/2 (tuned): pets. Ctrl-D ends.\n  for instance: Do cats purr?\n")
    assert out.count("[1] Cats > Sounds") == 3


def test_chat_goes_on_after_an_unusable_question(
    opened: list[FakeAssistant],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A question that is too long is named and the next one is answered."""
    assert _chat(monkeypatch, ["x" * 2001, "How do cats purr?"]) == 0
    out = capsys.readouterr().out
    assert "2001 characters; expected 1 to 2000" in out
    assert len(opened[0].asked) == 1


def test_trace_leads_back_from_an_answer(
    opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """The release that gave the answer is opened, though another one is champion by now."""
    cli.main(["ask", "Do cats purr?", "--json", "--model", "1"])
    answer_id = json.loads(capsys.readouterr().out)["answer_id"]
    assert cli.main(["trace", answer_id]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"answer {answer_id} of 20")
    assert lines[1:] == [
        "  question: Do cats purr?",
        "  answer: Cats purr. [1]",
        '[1] "Cats purr."',
        "  passage",
        "    passage_id: p1",
        "  document",
        "    document_id: d1",
        "  page",
        "    url: https://pets.example/cats/",
        "    robots: allowed",
        "release pets/1 (extractive)",
        "    git_commit: c0ffee",
    ]


def test_trace_in_json(opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]) -> None:
    """The same as GET /api/v1/answers/{answer_id}/trace."""
    cli.main(["ask", "Do cats purr?", "--json"])
    answer_id = json.loads(capsys.readouterr().out)["answer_id"]
    cli.main(["trace", answer_id, "--json"])
    view = json.loads(capsys.readouterr().out)
    assert view["passages"][0]["page"]["robots"] == "allowed"
    assert view["release"]["provenance"] == {"git_commit": "c0ffee"}


def test_unknown_answer_is_an_error(
    opened: list[FakeAssistant], capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the log that was searched."""
    assert cli.main(["trace", "nope"]) == 1
    assert "nope: no such answer in " in capsys.readouterr().err


def test_long_quotes_are_cut_on_the_terminal() -> None:
    """`--json` has them whole."""
    view = {"passages": [], "release": "pets/1"}
    passage = {"title": "T", "heading": "", "score": 1.0, "category": "c", "url": "u"}
    text = asking.show_passages(view | {"passages": [passage | {"text": "x" * 300}]})
    assert text.splitlines()[2] == f"   {'x' * 240}…"

"""A release, opened: retrieval, answerer, refusal and lineage behind one object.

In: a release folder. Out: answers with citations. Evaluation calls `judge` too, so that
exactly the served path is measured.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from groundwork.answer.calibration import Calibration, decide
from groundwork.answer.compose import compose, refuse
from groundwork.answer.config import AnswerConfig
from groundwork.answer.draft import Answerer, Draft
from groundwork.answer.open import make_answerer
from groundwork.answer.retrieval import Retrieval
from groundwork.answer.signals import all_signals
from groundwork.artifacts import check_manifest, read_json
from groundwork.config import DomainConfig, check
from groundwork.errors import ArtifactError, InputError
from groundwork.index import Encoder, load_index
from groundwork.records import Answer, Retrieved

if TYPE_CHECKING:
    from groundwork.classify import Classifier, Guess

CLASSIFIER = "classify"
"""Folder of the classifier in a release."""


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """Which release answers."""

    name: str
    version: str
    """Version in the registry; `0` when it is not registered."""
    answerer: str

    @property
    def release(self) -> str:
        """`ev_charging/7`"""
        return f"{self.name}/{self.version}"

    @property
    def model_version(self) -> str:
        """`ev_charging/7 (extractive)`"""
        return f"{self.release} ({self.answerer})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A draft after the guards: what is said, and how sure one may be."""

    draft: Draft
    refused: bool
    confidence: float

    def answer(
        self, retrieved: Sequence[Retrieved], *, refusal: str, fetched_at: Mapping[str, str]
    ) -> Answer:
        """What the user sees; `fetched_at` maps a document id to the time of its fetch."""
        if self.refused:
            return refuse(refusal, retrieved, confidence=self.confidence)
        return compose(
            self.draft.supports, retrieved, confidence=self.confidence, fetched_at=fetched_at
        )


def judge(
    question: str,
    retrieved: Sequence[Retrieved],
    draft: Draft,
    *,
    retrieval: Retrieval,
    calibration: Calibration,
) -> Verdict:
    """Decide whether `draft` may be said: unsupported sentences go, what is left may be refused."""
    kept = tuple(support for support in draft.supports if support.quote)
    grounded = Draft(supports=kept, refused=draft.refused or not kept, signals=draft.signals)
    signals = all_signals(question, retrieved, retrieval, grounded)
    refused, confidence = decide(signals, retrieval.embed(question), grounded, calibration)
    return Verdict(draft=grounded, refused=refused, confidence=confidence)


class Assistant:
    """Answers questions from one release; safe to call from several threads."""

    def __init__(
        self,
        info: ReleaseInfo,
        *,
        domain: DomainConfig,
        retrieval: Retrieval,
        answerer: Answerer,
        calibration: Calibration,
        folder: Path,
        classifier: "Classifier | None" = None,
    ) -> None:
        self.info = info
        self.title = domain.title
        self.refusal = domain.refusal
        self.examples = tuple(domain.examples)
        self.categories = tuple(sorted({c.category for c in retrieval.index.chunks}))
        self.provenance: dict[str, Any] = read_json(folder / "release.json")
        self._retrieval = retrieval
        self._answerer = answerer
        self._calibration = calibration
        self._classifier = classifier
        self._lineage = _read_lineage(folder / "lineage.parquet")
        self._fetched_at = {key: row["fetched_at"] for key, row in self._lineage.items()}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, release_dir: Path, info: ReleaseInfo) -> "Assistant":
        """Open a release after checking every file of it.

        Raises: `ArtifactError` naming a file that is missing or was changed.
        """
        check_manifest(release_dir)
        params = read_json(release_dir / "config.json")
        config_path = release_dir / "config.json"
        config = check("answer", AnswerConfig, params["answer"], config_path)
        domain = check("domain", DomainConfig, _since(params["domain"]), config_path)
        encoder = Encoder.load()
        retrieval = Retrieval(load_index(release_dir / "index", encoder), encoder, config.retrieval)
        calibration = read_json(release_dir / "calibration.json")
        answerer = make_answerer(
            info.answerer,
            config=config,
            domain=domain,
            retrieval=retrieval,
            ranker=calibration["ranker"],
            base_dir=release_dir / "base",
            adapter_dir=release_dir / "adapter",
        )
        return cls(
            info,
            domain=domain,
            retrieval=retrieval,
            answerer=answerer,
            calibration=Calibration.from_json(calibration["answerers"][info.answerer]),
            folder=release_dir,
            classifier=_classifier(release_dir / CLASSIFIER, encoder),
        )

    def answer(
        self, question: str, *, top_k: int | None = None, category: str | None = None
    ) -> Answer:
        """Answer with citations, or refuse. Raises: `InputError` for an unknown category.

        The category is what the classifier says; without one, and where a category was asked for,
        that of the first citation.
        """
        self._check_category(category)
        question = self._retrieval.mend(question)
        with self._lock:
            retrieved = self._retrieval.retrieve(question, top_k=top_k, category=category)
            draft = self._answerer.draft(question, retrieved)
            verdict = judge(
                question,
                retrieved,
                draft,
                retrieval=self._retrieval,
                calibration=self._calibration,
            )
            guess = self._guess(question, retrieved) if category is None else None
        answer = verdict.answer(retrieved, refusal=self.refusal, fetched_at=self._fetched_at)
        if guess is None:
            return answer
        return replace(answer, category=guess.label, category_confidence=guess.confidence)

    def classify(self, text: str) -> "Guess | None":
        """What a question or utterance is about; None when the release has no classifier."""
        if self._classifier is None:
            return None
        text = self._retrieval.mend(text)
        with self._lock:
            found = self._retrieval.retrieve(text) if self._classifier.needs_passages else []
            return self._guess(text, found)

    def _guess(self, text: str, retrieved: Sequence[Retrieved]) -> "Guess | None":
        return self._classifier.guess(text, retrieved) if self._classifier else None

    def search(
        self, query: str, *, top_k: int | None = None, category: str | None = None
    ) -> list[Retrieved]:
        """Passages for `query`, best first. Raises: `InputError` for an unknown category."""
        self._check_category(category)
        with self._lock:
            return self._retrieval.retrieve(
                self._retrieval.mend(query), top_k=top_k, category=category
            )

    def lineage(self, passage_id: str) -> dict[str, Any]:
        """Passage, document and page behind a citation. Raises: `KeyError` when unknown."""
        chunk = self._retrieval.index.chunks[self._retrieval.numbers[passage_id]]
        row = self._lineage[chunk.document_id]
        page = ("url", "page_sha256", "content_type", "fetched_at", "robots", "status", "source")
        return {
            "passage": {
                "passage_id": chunk.passage_id,
                "heading": chunk.heading,
                "start": chunk.start,
                "end": chunk.end,
                "text": chunk.text,
            },
            "document": {name: row[name] for name in ("document_id", "title", "date", "language")},
            "page": {name.removeprefix("page_"): row[name] for name in page}
            | {"licence": row["licence"]},
        }

    def _check_category(self, category: str | None) -> None:
        if category is not None and category not in self.categories:
            raise InputError(f"category={category!r}: expected one of {', '.join(self.categories)}")


def _classifier(folder: Path, encoder: Encoder) -> "Classifier | None":
    """The release's classifier; its room is imported only where there is one."""
    if not folder.exists():
        return None
    from groundwork.classify import Classifier

    return Classifier.load(folder, encoder)


def _since(domain: Mapping[str, Any]) -> dict[str, Any]:
    """The domain of a release; those up to 0.1 know no `intents_path`."""
    return {"intents_path": None, **domain}


def _read_lineage(path: Path) -> dict[str, dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowInvalid, OSError) as error:
        raise ArtifactError(
            f"{path}: damaged Parquet ({error}); register the release anew"
        ) from error
    return {row["document_id"]: row for row in rows}

"""What adapting the encoder to a domain's generated pairs does to its search.

    python benchmarks/retriever_adaptation.py DATA_DIR [ev|squad|evcc …] [adapt.KEY=VALUE …]

DATA_DIR is `../shared/data` unpacked: `squad`, `sites` and `retrieval` are used. Each task makes
questions with the rules of stage `qa`, trains an adapter as stage `adapt` does, and searches
passages by cosine alone with the base encoder and with the adapted one, as they would serve:

- `ev`: the bundled domain (after `dvc repro qa`); all answerable questions of its golden set
- `squad`: pairs from 14 of the 28 articles; the human questions of the other 14, their passages
- `evcc`: pairs from the English pages; 60 questions of our own in `evcc_questions.jsonl`, by page

Every adapter is then asked Cranfield, which has nothing to do with any of them: what it forgot.
"""

import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
import yaml

from groundwork.adapt import (
    AdaptConfig,
    adapt_encoder,
    answered,
    compare_searches,
    make_pairs,
    relevant_passages,
    save_encoder_adapter,
    search_figures,
    watch,
)
from groundwork.artifacts import from_mapping, read_jsonl, read_parquet, sha256_bytes, short_id
from groundwork.chunk import ChunkConfig, chunk_documents
from groundwork.clean import CleanConfig, clean_pages
from groundwork.config import DomainConfig, check, compose
from groundwork.index import (
    Encoder,
    RememberingEncoder,
    embed_passages,
    encoder_dir,
    passage_text,
)
from groundwork.qa import QaConfig, generate_pairs, golden_of
from groundwork.records import Chunk, Page, Question, Split

ROOT = Path(__file__).resolve().parents[1]
ADAPTERS_DIR = Path(".cache/retriever_adaptation")
EVCC_URL = "https://docs.evcc.io"
SLICE = 64
"""Texts embedded at a time."""
FIGURE = "ndcg_at_10"
Gains = Mapping[int, float]
Section = TypeVar("Section")


@dataclass(frozen=True, slots=True)
class Searched:
    """Questions, texts to search, and for each question the gains of the texts that answer it."""

    questions: Sequence[str]
    texts: Sequence[str]
    gains: Sequence[Gains]
    page_of: Sequence[int] | None = None
    """For each text the number of its page, where gains are those of pages."""


@dataclass(frozen=True, slots=True)
class Task:
    """What an adapter is trained on and then asked."""

    chunks: Sequence[Chunk]
    train: Sequence[Question]
    validation: Sequence[Question]
    asked: Searched


def settings(overrides: Sequence[str]) -> dict[str, Any]:
    """The configuration that ships, with overrides."""
    composed: dict[str, Any] = yaml.safe_load(compose(["~chosen", *overrides], ROOT / "conf"))
    return composed


def section(params: Mapping[str, Any], name: str, kind: type[Section]) -> Section:
    """One section of it."""
    return check(name, kind, params[name], ROOT / "conf")


def ev(_: Path, params: Mapping[str, Any]) -> Task:
    """The bundled domain."""
    chunks = read_parquet(Path("artifacts/chunk/chunks.parquet"), Chunk)
    golden = [q for q in golden_of(section(params, "domain", DomainConfig)) if q.answerable]
    train, validation = (
        [from_mapping(Question, row) for row in read_jsonl(Path(f"artifacts/qa/{split}.jsonl"))]
        for split in ("train", "validation")
    )
    gains = [dict.fromkeys(numbers, 1.0) for numbers in relevant_passages(golden, chunks)]
    asked = Searched([q.question for q in golden], [passage_text(c) for c in chunks], gains)
    return Task(chunks, train, validation, asked)


def squad(data_dir: Path, params: Mapping[str, Any]) -> Task:
    """Paragraphs as passages; half of the articles to learn from, half to search."""
    folder = data_dir / "squad" / "beir"
    rows = read_jsonl(folder / "corpus.jsonl")
    articles = sorted({row["_id"].split("::")[0] for row in rows})
    random.Random(0).shuffle(articles)  # noqa: S311 - repeatable, not secret
    seen = set(articles[: len(articles) // 2])
    chunks = [_chunk(row["_id"], row["title"], row["text"]) for row in rows]
    own = [chunk for chunk in chunks if chunk.document_id in seen]
    others = [chunk for chunk in chunks if chunk.document_id not in seen]
    places = {chunk.passage_id: place for place, chunk in enumerate(others)}
    questions = {row["_id"]: row["text"] for row in read_jsonl(folder / "queries.jsonl")}
    found = {
        key: {places[name]: gain for name, gain in gains.items()}
        for key, gains in _judgements(folder).items()
        if set(gains) <= set(places)
    }
    texts = [passage_text(chunk) for chunk in others]
    asked = Searched([questions[key] for key in found], texts, list(found.values()))
    return Task(own, *_generated(own, params), asked)


def _chunk(passage_id: str, title: str, text: str) -> Chunk:
    article = passage_id.split("::")[0]
    url = f"https://articles.example/{article}/{short_id(passage_id)}"
    return Chunk(passage_id, article, url, title, "", text, 0, len(text), 0, "articles", "")


def _judgements(folder: Path) -> dict[str, dict[str, float]]:
    """Question -> document -> gain, of a BEIR folder."""
    found: dict[str, dict[str, float]] = {}
    for line in (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        question, document, gain = line.split("\t")
        if float(gain) > 0:
            found.setdefault(question, {})[document] = float(gain)
    return found


def evcc(data_dir: Path, params: Mapping[str, Any]) -> Task:
    """The English pages, read from disk; a question's page counts where its best passage stands."""
    site_dir = data_dir / "sites" / "evcc"
    pages = [
        _page(path, "/" + path.parent.relative_to(site_dir).as_posix() + "/")
        for path in sorted((site_dir / "en").rglob("index.html"))
    ]
    config, domain = section(params, "clean", CleanConfig), section(params, "domain", DomainConfig)
    documents = clean_pages(pages, config=config, domain=domain, categorise=None).documents
    chunks = chunk_documents(documents, config=section(params, "chunk", ChunkConfig))
    urls = sorted({chunk.url for chunk in chunks})
    rows = read_jsonl(ROOT / "benchmarks" / "evcc_questions.jsonl")
    missing = {EVCC_URL + row["page"] for row in rows} - set(urls)
    assert not missing, f"no passage of {sorted(missing)}"
    asked = Searched(
        [row["question"] for row in rows],
        [passage_text(chunk) for chunk in chunks],
        [{urls.index(EVCC_URL + row["page"]): 1.0} for row in rows],
        [urls.index(chunk.url) for chunk in chunks],
    )
    return Task(chunks, *_generated(chunks, params), asked)


def _page(path: Path, place: str) -> Page:
    body = path.read_bytes()
    return Page(EVCC_URL + place, "text/html", "utf-8", body, sha256_bytes(body), "evcc", "")


def _generated(
    chunks: Sequence[Chunk], params: Mapping[str, Any]
) -> tuple[list[Question], list[Question]]:
    config = section(params, "qa", QaConfig)
    made = generate_pairs(chunks, golden=[], encoder=RememberingEncoder(), config=config)
    return made.of(Split.TRAIN), made.of(Split.VALIDATION)


def cranfield(data_dir: Path) -> Searched:
    """Abstracts of aerodynamics with graded judgements."""
    folder = data_dir / "retrieval" / "cranfield" / "beir"
    rows = read_jsonl(folder / "corpus.jsonl")
    places = {row["_id"]: place for place, row in enumerate(rows)}
    judged = {
        key: {places[name]: gain for name, gain in gains.items() if name in places}
        for key, gains in _judgements(folder).items()
    }
    questions = [row for row in read_jsonl(folder / "queries.jsonl") if judged.get(row["_id"])]
    return Searched(
        [row["text"] for row in questions],
        [f"{row.get('title', '')}. {row['text']}" for row in rows],
        [judged[row["_id"]] for row in questions],
    )


def search(encoder: Encoder, asked: Searched) -> dict[str, np.ndarray]:
    """Figures of every question by cosine alone."""
    questions_QD, texts_ND = (_embed(encoder, texts) for texts in (asked.questions, asked.texts))
    if asked.page_of is None:
        return search_figures(questions_QD, texts_ND, asked.gains)
    scores_QN = questions_QD @ texts_ND.T
    scores_QP = np.full((len(scores_QN), max(asked.page_of) + 1), -1.0)
    for number, page in enumerate(asked.page_of):
        scores_QP[:, page] = np.maximum(scores_QP[:, page], scores_QN[:, number])
    return search_figures(scores_QP, np.eye(scores_QP.shape[1]), asked.gains)


def _embed(encoder: Encoder, texts: Sequence[str]) -> np.ndarray:
    slices = [texts[start : start + SLICE] for start in range(0, len(texts), SLICE)]
    return np.concatenate([encoder.encode(part) for part in slices])


def adapter_of(task: Task, name: str, config: AdaptConfig) -> tuple[Path, str]:
    """Train as the stage does; the adapter's folder, and how it went."""
    encoder = RememberingEncoder()
    kept, relevant, _ = answered(task.validation, task.chunks)
    pairs, _ = make_pairs(
        task.train,
        task.chunks,
        encoder=encoder,
        vectors_ND=embed_passages(task.chunks, encoder),
        negatives=config.hard_negatives,
        ceiling=config.negative_ceiling,
    )
    watched = watch(kept, relevant, task.chunks, passages=config.eval_passages)
    started, cpu = time.monotonic(), time.process_time()
    with TemporaryDirectory() as work_dir:
        adapted = adapt_encoder(
            encoder_dir(), pairs=pairs, watched=watched, config=config, work_dir=Path(work_dir)
        )
    save_encoder_adapter(adapted, ADAPTERS_DIR / name)
    looks = [f"{row['eval_ndcg_at_10']:.3f}" for row in adapted.history if "eval_ndcg_at_10" in row]
    told = (
        f"{len(pairs)} pairs, {adapted.steps} steps, best {adapted.best_step}, looks "
        f"{' '.join(looks)}, {time.monotonic() - started:.0f} s "
        f"({time.process_time() - cpu:.0f} s of the processor)"
    )
    return ADAPTERS_DIR / name, told


def compared(asked: Searched, adapter_dir: Path, config: AdaptConfig) -> str:
    """Base and adapted on the same questions, in words."""
    encoder = RememberingEncoder()
    base, adapted = (search(one, asked) for one in (encoder, encoder.adapted(adapter_dir)))
    how = {"alpha": 0.025, "resamples": config.resamples, "seed": config.seed}
    found = compare_searches(base, adapted, **how)
    named = [
        f"{name} {found[name]['base']:.4f} -> {found[name]['adapted']:.4f} "
        f"({found[name]['difference']:+.4f} [{found[name]['low']:+.4f}, "
        f"{found[name]['high']:+.4f}])"
        for name in (FIGURE, "mrr", "recall_at_5")
    ]
    return f"{len(asked.questions)} questions, {len(asked.texts)} texts: {'; '.join(named)}"


def main() -> None:
    """Print for each task how training went, and both encoders' figures."""
    data_dir, words = Path(sys.argv[1]), sys.argv[2:]
    params = settings([word for word in words if "=" in word])
    config = section(params, "adapt", AdaptConfig)
    tasks = {"ev": ev, "squad": squad, "evcc": evcc}
    for name in [word for word in words if "=" not in word] or tasks:
        task = tasks[name](data_dir, params)
        folder, told = adapter_of(task, name, config)
        print(f"{name}: {told}", flush=True)
        print(f"{name}: {compared(task.asked, folder, config)}", flush=True)
        other = cranfield(data_dir)
        print(f"{name}, cranfield: {compared(other, folder, config)}", flush=True)


if __name__ == "__main__":
    print(f"# {json.dumps(sys.argv[2:])}")
    main()

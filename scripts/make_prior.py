"""Writes `src/groundwork/answer/prior.json` from the questions of the bundled domain.

    dvc repro evaluate && python scripts/make_prior.py

Run it after a change of the ranker's features or of the refusal's signals, and commit the file.
"""

import json
from dataclasses import asdict
from pathlib import Path

from groundwork.answer import AnswerConfig, Retrieval, fit_ranker, make_answerer
from groundwork.artifacts import from_mapping, read_jsonl
from groundwork.config import DomainConfig, load
from groundwork.evaluate import calibrate
from groundwork.index import Encoder, load_index
from groundwork.qa import golden_of, labelled_of
from groundwork.records import Question

ROOT = Path(__file__).resolve().parents[1]
ARTIFACTS_DIR = ROOT / "artifacts"
TARGET = ROOT / "src" / "groundwork" / "answer" / "prior.json"


def main() -> None:
    """Fit as stage `evaluate` does, but portably; three digits are more than the numbers know."""
    config = load("answer", AnswerConfig)
    domain = load("domain", DomainConfig)
    encoder = Encoder.load()
    index = load_index(ARTIFACTS_DIR / "index", encoder)
    retrieval = Retrieval(index, encoder, config.retrieval)
    pairs = [from_mapping(Question, row) for row in _validation_rows()]
    learn = [q for q in golden_of(domain) if q.split == "dev"] + labelled_of(domain) + pairs
    ranker = asdict(fit_ranker(learn, retrieval))
    answerer = make_answerer(
        "extractive",
        config=config,
        domain=domain,
        retrieval=retrieval,
        ranker=ranker,
        base_dir=ARTIFACTS_DIR / "base",
        adapter_dir=ARTIFACTS_DIR / "train" / "adapter",
    )
    fitted = calibrate(answerer, learn, retrieval=retrieval, config=config, portable=True)
    prior = {"ranker": ranker, "extractive": fitted.as_json()}
    text = json.dumps(_rounded(prior), indent=1, sort_keys=True)
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(ranker['weights'])} features of the ranker")


def _validation_rows() -> list[dict[str, object]]:
    return list(read_jsonl(ARTIFACTS_DIR / "qa" / "validation.jsonl"))


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    main()

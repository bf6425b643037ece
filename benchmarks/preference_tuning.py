"""What preference tuning does to the answers of a trained adapter.

    python benchmarks/preference_tuning.py [train.preference.KEY=VALUE …]

At the root of a checkout after `dvc repro train`. It goes on from `artifacts/train/adapter` as the
stage would with `train.preference.enabled`, and asks the answerable questions of the golden set's
`dev` half before and after, with the passages that the search finds: how many sentences are
verbatim in the passages, how many answers are so throughout, how many of the facts are said.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml

from groundwork.answer import AnswerConfig, Retrieval
from groundwork.answer.open import make_answerer
from groundwork.artifacts import from_mapping, read_jsonl
from groundwork.base import load_base, model_dir, open_tokenizer, read_info, reproducible
from groundwork.config import DomainConfig, check, compose, load
from groundwork.evaluate.facts import fact_coverage
from groundwork.index import Encoder, Index, load_index
from groundwork.promote import compare
from groundwork.qa import golden_of
from groundwork.records import Question
from groundwork.train import (
    Prepared,
    Settings,
    TrainConfig,
    make_preferences,
    prepare_pairs,
    write_adapter,
)
from groundwork.train.dpo import prefer
from groundwork.train.trl import make_plan, make_trainer, training_arguments, with_adapters

BASE, INDEX, QA = (Path("artifacts") / name for name in ("base", "index", "qa"))
ADAPTER = Path("artifacts/train/adapter")
FIGURES = ("verbatim sentences", "verbatim answers", "fact coverage")


def main(overrides: Sequence[str]) -> None:
    """Tune, ask before and after, print both."""
    params = yaml.safe_load(compose(overrides, Path("conf")))
    config = check("train", TrainConfig, params["train"], Path("conf"))
    domain, encoder = load("domain", DomainConfig), Encoder.load()
    index = load_index(INDEX, encoder)
    with TemporaryDirectory() as folder:
        started = time.monotonic()
        for row in _tune(config, domain, index, encoder, folder=Path(folder)):
            if "reward_margin" in row or "eval_reward_margin" in row:
                print({key: round(value, 3) for key, value in row.items()}, flush=True)
        print(f"tuned in {time.monotonic() - started:.0f} s")
        before, after = (
            _figures(
                adapter, domain, Retrieval(index, encoder, load("answer", AnswerConfig).retrieval)
            )
            for adapter in (ADAPTER, Path(folder))
        )
    print(f"{len(before)} questions; preference: {config.preference}")
    for number, name in enumerate(FIGURES):
        found = compare(
            after[:, number] - before[:, number], alpha=0.025, resamples=10_000, seed=13
        )
        print(
            f"{name}: {before[:, number].mean():.3f} -> {after[:, number].mean():.3f}, "
            f"{found.improvement:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
        )


def _tune(
    config: TrainConfig, domain: DomainConfig, index: Index, encoder: Encoder, *, folder: Path
) -> list[dict[str, float]]:
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    info = read_info(BASE)
    settings = Settings(config, domain, info.max_length, info.extracts)
    tokenizer, _ = open_tokenizer(model_dir(BASE))
    train, watched = (
        prepare_pairs(
            [from_mapping(Question, row) for row in read_jsonl(QA / f"{split}.jsonl")],
            index,
            encoder=encoder,
            tokenizer=tokenizer,
            settings=settings,
        )
        for split in ("train", "validation")
    )
    watched = Prepared(watched.pairs[: config.eval_pairs], ())
    preferences = [
        make_preferences(part, tokenizer=tokenizer, max_length=info.max_length, seed=config.seed)
        for part in (train, watched)
    ]
    for part in preferences:
        kinds = [pair.kind for pair in part.pairs]
        print(
            {kind: kinds.count(kind) for kind in sorted(set(kinds))}, len(part.rejects), "rejected"
        )
    with reproducible(seed=config.seed, threads=config.threads):
        model, tokenizer, _ = load_base(BASE)
        plan = make_plan(config, pairs=len(train.pairs))
        arguments = training_arguments(
            config, plan, work_dir=folder / "work", max_length=info.max_length, device="cpu",
            evaluate=False,
        )  # fmt: skip
        model = with_adapters(model, config)
        trainer: Any = make_trainer(
            model, tokenizer, arguments=arguments, train=train.pairs, validation=()
        )
        set_peft_model_state_dict(model, load_file(ADAPTER / "adapter_model.safetensors"))
    rows = prefer(
        trainer,
        tokenizer,
        train=preferences[0].pairs,
        validation=preferences[1].pairs,
        config=config,
    )
    write_adapter(model, folder, base_name=info.name, revision=None)
    return rows


def _figures(adapter_dir: Path, domain: DomainConfig, retrieval: Retrieval) -> np.ndarray:
    """`FIGURES` of each answerable question of `dev` (Q, 3)."""
    questions = [q for q in golden_of(domain) if q.split == "dev" and q.answerable]
    answerer: Any = make_answerer(
        "tuned",
        config=load("answer", AnswerConfig),
        domain=domain,
        retrieval=retrieval,
        ranker={},
        base_dir=BASE,
        adapter_dir=adapter_dir,
    )
    found = [retrieval.retrieve(q.question) for q in questions]
    drafts = answerer.draft_many([q.question for q in questions], found)
    rows = []
    for question, draft in zip(questions, drafts, strict=True):
        held = [bool(support.quote) for support in draft.supports]
        said = " ".join(support.text for support in draft.supports)
        share = sum(held) / len(held) if held else 0.0
        rows.append([share, float(share == 1.0), fact_coverage(said, question.facts)])
    return np.array(rows)


if __name__ == "__main__":
    main(sys.argv[1:])

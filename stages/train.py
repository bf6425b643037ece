"""Stage `train`: the adapter, by QLoRA on prompts that hold retrieved passages."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from groundwork.artifacts import (
    check_manifest,
    code_version,
    read_records,
    sha256_file,
    write_json,
    write_jsonl,
    write_manifest,
    write_text,
)
from groundwork.base import model_dir, open_tokenizer, read_info
from groundwork.config import DomainConfig, load
from groundwork.errors import InputError, RejectsError, StoppedError
from groundwork.index import Encoder, load_index
from groundwork.qa import as_people_ask
from groundwork.records import Question, Reject
from groundwork.tracking import Run, stage_run
from groundwork.train import (
    SCORES,
    Preferences,
    Prepared,
    Settings,
    TrainConfig,
    Trained,
    Tuned,
    checkpoint_dir,
    forget_checkpoints,
    make_preferences,
    prepare_pairs,
    render_training,
    save_adapter,
    score_pairs,
    tune,
)
from stages import main

QA, INDEX, BASE = (Path("artifacts") / name for name in ("qa", "index", "base"))
INPUTS = [folder / "manifest.json" for folder in (QA, INDEX, BASE)]
FOLDER = Path("artifacts/train")
PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes")


def train() -> None:
    """Write the adapter, its history and the pairs that were not used."""
    config, domain = load("train", TrainConfig), load("domain", DomainConfig)
    for folder in (QA, INDEX, BASE):
        check_manifest(folder)
    started = time.monotonic()
    info = read_info(BASE)
    settings = Settings(
        config=config, domain=domain, max_length=info.max_length, extracts=info.extracts
    )
    with stage_run("train", inputs=INPUTS) as run:
        prepared, watched = _prepare(settings)
        preferences = _preferences(prepared, watched, settings)
        rejects = _check_rejects((prepared, watched, *preferences), config)
        work_dir = _work_dir(prepared, watched, settings)
        tuned = _tune(prepared, watched, preferences, config=config, work_dir=work_dir)
        names = save_adapter(tuned, FOLDER / "adapter", info=info)
        write_jsonl(FOLDER / "history.jsonl", tuned.history)
        write_json(FOLDER / "speed.json", tuned.speed)
        write_manifest(
            FOLDER,
            [*(f"adapter/{name}" for name in names), "history.jsonl", "rejects.jsonl"],
            base_sha256=sha256_file(BASE / "base.json"),
        )
        run.log_series(tuned.history)
        run.log_series(tuned.speed)
        _write_report(tuned, prepared, title=domain.title, model=info.name)
        run.log_artifact(FOLDER / "report.html")
        run.log_metrics(
            {
                "trainable_parameters": tuned.trainable,
                "trainable_percent": 100 * tuned.trainable / tuned.total,
                "pairs": len(prepared.pairs),
                "rejects": len(rejects),
            }
        )
        run.set_output(FOLDER / "manifest.json")
        if run.parent_id:
            _log_scores(run, tuned, watched)
    forget_checkpoints(work_dir)
    for note in tuned.notes:
        print(f"train: {note}")
    last = [row["loss"] for row in tuned.history if "loss" in row][-1]
    print(
        f"train: {tuned.trainable / 1e6:.2f} million of {tuned.total / 1e6:.1f} million parameters "
        f"on {len(prepared.pairs)} pairs, {_counted(rejects)}; "
        f"loss {last:.2f} after {tuned.history[-1]['step']} steps, "
        f"in {time.monotonic() - started:.0f} s"
    )


def _write_report(tuned: Tuned, prepared: Prepared, *, title: str, model: str) -> None:
    """The page of this run: an output of its own, because it holds times."""
    trained = Trained(
        title=title,
        model=model,
        pairs=len(prepared.pairs),
        trainable=tuned.trainable,
        notes=tuned.notes,
    )
    write_text(FOLDER / "report.html", render_training(trained, tuned.history, tuned.speed))


def _prepare(settings: Settings) -> tuple[Prepared, Prepared]:
    """Pairs of the two splits; the encoder is let go before the model is loaded."""
    questions = _questions("train")
    if not questions:
        raise InputError(
            f"{QA / 'train.jsonl'}: no questions; expected at least one: see "
            f"{QA / 'rejects.jsonl'} for why none was kept"
        )
    tokenizer, _ = open_tokenizer(model_dir(BASE))
    encoder = Encoder.load()
    index = load_index(INDEX, encoder)
    validation = _questions("validation")[: settings.config.eval_pairs]
    prepared, watched = (
        prepare_pairs(part, index, encoder=encoder, tokenizer=tokenizer, settings=settings)
        for part in (questions, validation)
    )
    return prepared, watched


def _tune(
    prepared: Prepared,
    watched: Prepared,
    preferences: tuple[Preferences, ...],
    *,
    config: TrainConfig,
    work_dir: Path,
) -> Tuned:
    """The trained adapter; of a training that its sweep has stopped no checkpoints are left."""
    try:
        return tune(
            BASE,
            train=prepared,
            validation=watched,
            config=config,
            work_dir=work_dir,
            preferences=preferences,
        )
    except StoppedError:
        forget_checkpoints(work_dir)
        raise


def _log_scores(run: Run, tuned: Tuned, watched: Prepared) -> None:
    """The validation pairs' scores, by which `groundwork sweep best` compares trainings."""
    scores = score_pairs(tuned.model, tuned.tokenizer, watched.pairs)
    if not scores:
        return
    run.log_text("".join(json.dumps(asdict(score)) + "\n" for score in scores), SCORES)
    run.log_metrics(
        {
            "validation_loss": sum(score.loss for score in scores) / len(scores),
            "validation_token_accuracy": sum(score.right for score in scores)
            / sum(score.tokens for score in scores),
        }
    )


def _questions(split: str) -> list[Question]:
    return as_people_ask(read_records(QA / f"{split}.jsonl", Question))


def _preferences(
    prepared: Prepared, watched: Prepared, settings: Settings
) -> tuple[Preferences, ...]:
    """To train on and to watch; none unless `train.preference.enabled`."""
    config = settings.config
    if not config.preference.enabled:
        return ()
    tokenizer, _ = open_tokenizer(model_dir(BASE))
    return tuple(
        make_preferences(
            part, tokenizer=tokenizer, max_length=settings.max_length, seed=config.seed
        )
        for part in (prepared, watched)
    )


def _check_rejects(parts: Sequence[Prepared | Preferences], config: TrainConfig) -> list[Reject]:
    """All of them, written down. Raises: `RejectsError` when they are too many, or nothing is left.

    The first of `parts` is what is trained on, the third what preference tuning is.
    """
    rejects = [reject for part in parts for reject in part.rejects]
    write_jsonl(FOLDER / "rejects.jsonl", rejects)
    total = len(rejects) + sum(len(part.pairs) for part in parts)
    nothing = any(not part.pairs for part in parts[::2])
    if nothing or len(rejects) / total > config.max_reject_ratio:
        raise RejectsError(
            f"{len(rejects)} of {total} pairs cannot be trained on, more than "
            f"train.max_reject_ratio={config.max_reject_ratio} ({_counted(rejects)}); "
            f"see {FOLDER / 'rejects.jsonl'}; more tokens (model.max_length) admit longer ones"
        )
    return rejects


def _counted(rejects: Sequence[Reject]) -> str:
    counts = Counter(reject.reason for reject in rejects)
    told = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.items()))
    return f"{len(rejects)} rejected" + (f" ({told})" if told else "")


def _work_dir(prepared: Prepared, watched: Prepared, settings: Settings) -> Path:
    """Checkpoints of this very work: same data, configuration, base, code, packages, device."""
    work = {
        "settings": asdict(settings),
        "pairs": [asdict(pair) for pair in (*prepared.pairs, *watched.pairs)],
        "base": sha256_file(BASE / "base.json"),
        "code": code_version(Path(__file__).parents[1] / "src" / "groundwork" / "train"),
    }
    return checkpoint_dir("train", work=work, packages=PACKAGES)


if __name__ == "__main__":
    main(train)

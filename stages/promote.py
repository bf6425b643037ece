"""Stage `promote`: the gate, `artifacts/promote/decision.json`, and the registry."""

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from groundwork.answer.prompt import prompt_text
from groundwork.artifacts import (
    check_manifest,
    read_json,
    read_records,
    sha256_file,
    write_json,
    write_manifest,
)
from groundwork.config import DomainConfig, load, read_params
from groundwork.errors import ArtifactError
from groundwork.evaluate import Row
from groundwork.promote import (
    ROWS,
    Ingredients,
    PromoteConfig,
    Release,
    build_release,
    check_release,
    crown,
    find_champion,
    lock_hashes,
    register,
)
from groundwork.promote.gate import Decision, decide
from groundwork.promote.matching import match_questions, refuse_few
from groundwork.promote.retriever import refuse_worse
from groundwork.tracking import Run, find_run, git_commit, stage_run
from stages import main

ARTIFACTS_DIR = Path("artifacts")
OUT_DIR = ARTIFACTS_DIR / "promote"
INPUTS = [ARTIFACTS_DIR / "evaluate" / name for name in ("rows.jsonl", "metrics.json")]
STAGES = (
    "crawl", "clean", "chunk", "qa", "adapt", "index", "classify", "base", "train", "evaluate",
)  # fmt: skip


def promote() -> None:
    """Decide, register the best candidate's release, and make it champion if it earned it."""
    started = time.monotonic()
    config = load("promote", PromoteConfig)
    domain = load("domain", DomainConfig)
    for stage in ("crawl", "clean", "evaluate"):
        check_manifest(ARTIFACTS_DIR / stage)
    rows = read_records(INPUTS[0], Row)
    shutil.rmtree(OUT_DIR, ignore_errors=True)
    with stage_run("promote", inputs=INPUTS) as run:
        champion, champion_rows, trouble = _champion(domain.name)
        decision, note = _decide(rows, champion_rows, config)
        retriever = read_json(INPUTS[1])["retriever"]
        decision = refuse_worse(decision, retriever, margin=config.guards.retriever)
        about = {
            **asdict(decision),
            "against": f"{champion.name}/{champion.version}" if champion else None,
            "note": note or trouble,
        }
        release = _register(about, domain, run) if decision.candidate else None
        if release and decision.promoted:
            crown(release)
        about["release"] = f"{release.name}/{release.version}" if release else None
        write_json(OUT_DIR / "decision.json", about)
        write_manifest(OUT_DIR, ["decision.json"])
        run.log_artifact(OUT_DIR / "decision.json")
        run.log_metrics(_numbers(decision))
        run.set_output(OUT_DIR / "manifest.json")
    print("\n  ".join(_lines(decision, about)))
    print(f"promote: done in {time.monotonic() - started:.0f} s")


def _champion(domain: str) -> tuple[Release | None, list[Row] | None, str]:
    """The champion with its rows; one whose files are damaged cannot serve and counts as none."""
    try:
        champion = find_champion(domain)
        if champion is None:
            return None, None, ""
        check_release(champion.folder)
        rows = read_records(champion.folder / ROWS, Row)
    except ArtifactError as error:
        return None, None, f"the champion cannot be read and was left out: {error}"
    return champion, rows, ""


def _decide(
    rows: Sequence[Row], champion_rows: Sequence[Row] | None, config: PromoteConfig
) -> tuple[Decision, str]:
    if champion_rows is None:
        return decide(rows, None, config), ""
    matched = match_questions(rows, champion_rows)
    decision = decide(matched.candidate_rows, matched.champion_rows, config)
    return refuse_few(decision, matched), matched.note


def _register(about: Mapping[str, Any], domain: DomainConfig, run: Run) -> Release:
    metrics = read_json(INPUTS[1])["headline"]["answerers"][about["candidate"]]
    ingredients = Ingredients(
        artifacts_dir=ARTIFACTS_DIR,
        params=read_params(Path("params.yaml")),
        prompt=prompt_text(domain),
        dvc_lock=lock_hashes(Path("dvc.lock")),
        git_commit=git_commit(),
        run_ids={stage: _run_id(stage) for stage in STAGES},
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "release"
        build_release(folder, answerer=about["candidate"], decision=about, ingredients=ingredients)
        numbers = {name: value for name, value in metrics.items() if value is not None}
        return register(folder, run=run, domain=domain.name, metrics=numbers)


def _run_id(stage: str) -> str:
    manifest_path = ARTIFACTS_DIR / stage / "manifest.json"
    return find_run(stage, sha256_file(manifest_path)) if manifest_path.exists() else ""


def _numbers(decision: Decision) -> dict[str, float]:
    numbers = {"promoted": float(decision.promoted), "questions": float(decision.n)}
    if decision.comparison:
        numbers["improvement"] = decision.comparison.improvement
        numbers["improvement_low"] = decision.comparison.low
        numbers["p_value"] = decision.comparison.p_value
    return numbers


def _lines(decision: Decision, about: Mapping[str, Any]) -> list[str]:
    """The decision for people: the verdict, the figures, the reasons."""
    release, against = about["release"], about["against"]
    if decision.promoted:
        verdict = f"{release} ({decision.candidate}) is the champion"
    elif release and release == against:
        verdict = f"{release} ({decision.candidate}) stays champion: nothing it serves has changed"
    else:
        verdict = f"{against or 'nothing'} stays champion; the candidate is {release or 'unfit'}"
    scores = ", ".join(f"{name} {score:.4f}" for name, score in sorted(decision.scores.items()))
    asked = f"{decision.n} {decision.dataset} {decision.split} questions"
    lines = [f"promote: {verdict}", f"mean {decision.primary} on {asked}: {scores or 'none'}"]
    lines += [
        f"{reason}: {detail}"
        for reason, detail in zip(decision.reasons, decision.details, strict=True)
    ]
    return [*lines, about["note"]] if about["note"] else lines


if __name__ == "__main__":
    main(promote)

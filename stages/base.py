"""Stage `base`: the base model, built from the documents or taken from a hub and pinned."""

import time
from pathlib import Path

from groundwork.artifacts import check_manifest, read_parquet, write_manifest
from groundwork.base import (
    BaseConfig,
    BaseInfo,
    build_embedded,
    describe,
    find_files,
    resolve_hub,
    save_embedded,
    write_info,
)
from groundwork.config import ModelConfig, load
from groundwork.records import Document
from groundwork.tracking import Run, stage_run
from stages import main

SOURCE = Path("artifacts/clean")
FOLDER = Path("artifacts/base")


def base() -> None:
    """Write `base.json`, and the weights of the embedded model."""
    config, model = load("base", BaseConfig), load("model", ModelConfig)
    check_manifest(SOURCE)
    started = time.monotonic()
    with stage_run("base", inputs=[SOURCE / "documents.parquet"]) as run:
        info = _embedded(config, model, run) if model.kind == "embedded" else _hub(model)
        write_info(FOLDER, info)
        held = [f"model/{file.name}" for file in info.files if info.kind == "embedded"]
        write_manifest(FOLDER, ["base.json", *held])
        run.log_metrics({"parameters": info.parameters})
        run.set_output(FOLDER / "manifest.json")
    where = f" at {info.revision[:12]}" if info.revision else ""
    print(
        f"base: {info.name}{where}, {info.architecture} of {info.parameters / 1e6:.1f} million "
        f"parameters, chat template {info.chat_template}, in {time.monotonic() - started:.0f} s"
    )


def _embedded(config: BaseConfig, model: ModelConfig, run: Run) -> BaseInfo:
    built = build_embedded(read_parquet(SOURCE / "documents.parquet", Document), config)
    names = save_embedded(built, FOLDER / "model")
    run.log_series(built.history)
    return describe(FOLDER / "model", names, model=model, revision="")


def _hub(model: ModelConfig) -> BaseInfo:
    folder, revision = resolve_hub(model)
    return describe(folder, find_files(folder), model=model, revision=revision)


if __name__ == "__main__":
    main(base)

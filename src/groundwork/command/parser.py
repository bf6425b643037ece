"""The grammar of the command line; every command's help ends with an example."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

VERSION_HELP = "version, alias or NAME/VERSION of `groundwork release list`"


def make_parser() -> argparse.ArgumentParser:
    """The parser of `groundwork`; `command`, and for `release` also `action`, name what to run."""
    parser = argparse.ArgumentParser(
        prog="groundwork",
        description="Question answering from the pages of a domain, with full lineage.",
        epilog="Run it at the root of the checkout. `groundwork COMMAND --help` shows an example.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_compose(commands)
    _add_asking(commands)
    _add_trace(commands)
    _add_release(commands)
    _add_diff(commands)
    doctor = _add(
        commands, "doctor", "check machine, configuration, data, DVC and MLflow", "doctor --json"
    )
    doctor.add_argument(
        "--model", metavar="NAME", dest="forecast",
        help="instead: memory and time of a training with conf/model/NAME.yaml",
    )  # fmt: skip
    _add_json(doctor)
    _add_export(commands)
    _add_sweep(commands)
    _add(commands, "mend", "put right what a killed dvc left half written", "mend && dvc repro")
    _add(commands, "tour", "show results, the gate's decision and three answers", "tour")
    serve = _add(commands, "serve", "start the HTTP service", "serve --port 8080")
    serve.add_argument("--port", type=_positive, help="instead of serve.port in params.yaml")
    return parser


def _add_compose(commands: "Commands") -> None:
    parser = _add(
        commands,
        "compose",
        "write params.yaml from conf/ and overrides",
        "compose model=smollm2_135m train.lora.rank=8",
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="GROUP=FILE or KEY=VALUE, as in Hydra"
    )
    parser.add_argument(
        "--reset", action="store_true", help="forget the overrides of earlier calls"
    )


def _add_asking(commands: "Commands") -> None:
    ask = _add(
        commands, "ask", "answer a question, with its sources", 'ask "Can I charge in the rain?"'
    )
    ask.add_argument("question")
    search = _add(
        commands, "search", "find passages, without an answer", 'search "type 2 cable" --top-k 3'
    )
    search.add_argument("query")
    classify = _add(
        commands, "classify", "say what a question is about", 'classify "Is rain dangerous?" --json'
    )
    classify.add_argument("text")
    classify.add_argument("--model", metavar="V", help=f"{VERSION_HELP}; default: the champion")
    chat = _add(commands, "chat", "answer line after line; Ctrl-D ends", "chat --model 7")
    for parser in (ask, search, chat):
        parser.add_argument("--model", metavar="V", help=f"{VERSION_HELP}; default: the champion")
        parser.add_argument(
            "--top-k", type=_positive, metavar="K", help="passages to look at, at least 1"
        )
        parser.add_argument("--category", help="only passages of this category")
    for parser in (ask, search, classify):
        _add_json(parser)


def _add_trace(commands: "Commands") -> None:
    trace = _add(
        commands,
        "trace",
        "from an answer back to pages, data, training run and commit",
        "trace 0d3f7c1e-5a0b-4a52-9d0e-6f1f6f0c2b11",
    )
    trace.add_argument("answer_id", metavar="ANSWER_ID", help="shown with every answer")
    _add_json(trace)


def _add_diff(commands: "Commands") -> None:
    diff = _add(
        commands, "diff", "pages, passages and questions that changed between two versions of the "
        "data", "diff HEAD~1 HEAD --json",
    )  # fmt: skip
    diff.add_argument(
        "before", nargs="?", default="HEAD", metavar="A",
        help="git revision, or folder of artifacts; default: HEAD",
    )  # fmt: skip
    diff.add_argument(
        "after", nargs="?", metavar="B", help="the same; default: artifacts/ of the working tree"
    )
    _add_json(diff)


def _add_export(commands: "Commands") -> None:
    export = _add(
        commands, "export", "write pairs or the model for other programs",
        "export qa --format chat --split train --out train.jsonl",
    )  # fmt: skip
    kinds = export.add_subparsers(dest="what", required=True, metavar="WHAT")
    pairs = _add(
        kinds, "qa", "the generated pairs, for other trainers",
        "export qa --format chat --split train --out train.jsonl",
    )  # fmt: skip
    pairs.add_argument(
        "--format", default="chat", choices=["chat", "alpaca", "sharegpt"], help="default: chat"
    )
    pairs.add_argument(
        "--split", default="train", choices=["train", "validation", "test", "all"],
        help="default: train",
    )  # fmt: skip
    pairs.add_argument("--out", required=True, metavar="FILE", help="JSONL file to write")
    model = _add(
        kinds, "model", "base and adapter of artifacts/ as one", "export model --out exported"
    )
    model.add_argument("--format", choices=["safetensors", "gguf"], default="safetensors")
    model.add_argument("--dtype", choices=["float32", "float16"], default="float16")
    model.add_argument("--out", required=True, metavar="DIR", help="a folder that is made")


def _add_release(commands: "Commands") -> None:
    release = _add(commands, "release", "list, show, roll back, export", "release rollback")
    actions = release.add_subparsers(dest="action", required=True, metavar="ACTION")
    _add_json(_add(actions, "list", "all releases, newest first", "release list"))
    show = _add(actions, "show", "one release with its provenance", "release show 7")
    _add_json(show)
    rollback = _add(
        actions, "rollback", "make the previous champion serve again", "release rollback 6"
    )
    export = _add(
        actions, "export", "copy a release for `bentoml build`", "release export && bentoml build"
    )
    export.add_argument("--to", default="release", metavar="DIR", help="default: release")
    for parser, default in ((show, "champion"), (rollback, "previous"), (export, "champion")):
        parser.add_argument(
            "version", nargs="?", metavar="V", help=f"{VERSION_HELP}; default: the {default}"
        )


def _add_sweep(commands: "Commands") -> None:
    sweep = _add(commands, "sweep", "try trainings, compare them", "sweep best")
    actions = sweep.add_subparsers(dest="action", required=True, metavar="ACTION")
    queued = _add(
        actions, "queue", "put the grid of sweep.choices into DVC's queue",
        "sweep queue && dvc queue start -j 1",
    )  # fmt: skip
    run = _add(
        actions, "run", "train a study's trials, beside other workers of the same --storage",
        "sweep run --name night --trials 12 --storage postgresql://ada@db.example/sweeps",
    )  # fmt: skip
    for parser in (queued, run):
        parser.add_argument("--name", help="default: what it is and the time")
    run.add_argument(
        "--trials", type=_positive, default=12, help="of all workers together; default: 12"
    )
    run.add_argument(
        "--storage", metavar="URL", help="database of the study; default: state/sweeps.db"
    )
    best = _add(
        actions, "best", "name the winner with its interval against the base", "sweep best --json"
    )
    best.add_argument("name", nargs="?", metavar="SWEEP", help="default: the newest")
    _add_json(best)


def _add(commands: "Commands", name: str, purpose: str, example: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=f"example: groundwork {example}",
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a whole number of at least 1")
    return int(text)

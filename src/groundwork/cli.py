"""The command line: parses, calls one command, prints what it returns.

Nothing of ours but the errors is imported before a command runs: help appears at once.
"""

import os
import sys
from argparse import Namespace as Arguments
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from groundwork.command.parser import make_parser
from groundwork.errors import GroundworkError

if TYPE_CHECKING:
    from groundwork.command.asking import Wish

INTERRUPTED = 130
"""Exit code of a shell command that Ctrl-C ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; an error of ours is one line on stderr."""
    arguments = make_parser().parse_args(argv)
    # Nobody waits minutes at a terminal for a server that is down, or reads migration logs.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    code = 0
    try:
        code = COMMANDS[arguments.command](arguments)
        sys.stdout.flush()
    except GroundworkError as error:
        print(f"groundwork {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `groundwork … | head`: Python would complain again when it exits
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _compose(arguments: Arguments) -> int:
    from groundwork.command.compose import compose_params

    print(compose_params(arguments.overrides, Path.cwd(), reset=arguments.reset))
    return 0


def _ask(arguments: Arguments) -> int:
    from groundwork.command.asking import ask

    print(ask(arguments.question, _wish(arguments), root=Path.cwd(), as_json=arguments.json))
    return 0


def _search(arguments: Arguments) -> int:
    from groundwork.command.asking import search

    print(search(arguments.query, _wish(arguments), root=Path.cwd(), as_json=arguments.json))
    return 0


def _classify(arguments: Arguments) -> int:
    from groundwork.command.asking import classify

    print(classify(arguments.text, arguments.model, root=Path.cwd(), as_json=arguments.json))
    return 0


def _chat(arguments: Arguments) -> int:
    import readline  # noqa: F401  # gives input() its history and line editing

    from groundwork.command.asking import chat

    chat(_wish(arguments), root=Path.cwd(), read=input, say=print)
    return 0


def _wish(arguments: Arguments) -> "Wish":
    from groundwork.command.asking import Wish

    return Wish(model=arguments.model, top_k=arguments.top_k, category=arguments.category)


def _trace(arguments: Arguments) -> int:
    from groundwork.command.asking import trace

    print(trace(arguments.answer_id, root=Path.cwd(), as_json=arguments.json))
    return 0


def _release(arguments: Arguments) -> int:
    from groundwork.command import releases
    from groundwork.serve import domain_name

    domain = domain_name(Path("params.yaml"))
    match arguments.action:
        case "list":
            print(releases.show_list(domain, as_json=arguments.json))
        case "show":
            print(releases.show(domain, arguments.version, as_json=arguments.json))
        case "rollback":
            print(releases.roll_back(domain, arguments.version))
        case "export":
            print(releases.export(domain, arguments.version, Path(arguments.to)))
    return 0


def _export(arguments: Arguments) -> int:
    form, out_path = arguments.format, Path(arguments.out)
    if arguments.what == "qa":
        from groundwork.command.exports import export_qa

        print(export_qa(Path.cwd(), form=form, split=arguments.split, out_path=out_path))
    else:
        from groundwork.command.model_export import export_model

        print(export_model(Path.cwd(), out_path, form=form, dtype=arguments.dtype))
    return 0


def _diff(arguments: Arguments) -> int:
    from groundwork.command.diff import diff

    print(diff(arguments.before, arguments.after, root=Path.cwd(), as_json=arguments.json))
    return 0


def _sweep(arguments: Arguments) -> int:
    from groundwork.command import sweeping

    match arguments.action:
        case "queue":
            print(sweeping.queue_sweep(arguments.name, root=Path.cwd()))
        case "run":
            trials, storage = arguments.trials, arguments.storage
            print(
                sweeping.run_sweep(
                    arguments.name, trials=trials, storage=storage, root=Path.cwd(), say=_tell
                )
            )
        case "best":
            print(sweeping.best(arguments.name, as_json=arguments.json))
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)


def _doctor(arguments: Arguments) -> int:
    if arguments.forecast:
        from groundwork.command.forecast import forecast

        print(forecast(arguments.forecast, root=Path.cwd(), as_json=arguments.json))
        return 0
    from groundwork.command.doctor import Status, examine, report

    findings = examine(Path.cwd())
    print(report(findings, as_json=arguments.json))
    return int(any(finding.status is Status.MEND for finding in findings))


def _mend(arguments: Arguments) -> int:  # noqa: ARG001  # every command takes its arguments
    from groundwork.command.mend import mend

    if done := mend(Path.cwd()):
        print(done)
    return 0


def _tour(arguments: Arguments) -> int:  # noqa: ARG001  # every command takes its arguments
    from groundwork.command.tour import tour

    print(tour(Path.cwd()))
    return 0


def _serve(arguments: Arguments) -> int:
    from groundwork.config import load
    from groundwork.serve import ServeConfig

    config = load("serve", ServeConfig)
    address = ["--host", config.host, "--port", str(arguments.port or config.port)]
    command = [sys.executable, "-m", "bentoml", "serve", "service:Groundwork", *address]
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606  # the server takes this process's place and signals


COMMANDS: dict[str, Callable[[Arguments], int]] = {
    "compose": _compose,
    "ask": _ask,
    "search": _search,
    "classify": _classify,
    "chat": _chat,
    "trace": _trace,
    "release": _release,
    "diff": _diff,
    "sweep": _sweep,
    "doctor": _doctor,
    "export": _export,
    "mend": _mend,
    "tour": _tour,
    "serve": _serve,
}

"""One module per stage of `dvc.yaml`: reads files, calls its room, writes files.

Run as `python -m stages.<name>` from the root of the checkout. Experiments that DVC runs in a
copy of the checkout use the copy's code: its `src` comes first on the path.
"""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))


def main(stage: Callable[[], None]) -> None:
    """Run a stage; errors that Groundwork raises on purpose end as one clear line."""
    from groundwork.errors import GroundworkError
    from groundwork.lifetime import end_with_dvc

    end_with_dvc()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("RAGAS_DO_NOT_TRACK", "true")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    name = stage.__module__.rpartition(".")[2] if stage.__module__ != "__main__" else stage.__name__
    try:
        stage()
    except GroundworkError as error:
        sys.exit(f"{name}: {error}")

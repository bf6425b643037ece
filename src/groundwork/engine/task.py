"""What a job of Slurm's array runs: `python -m groundwork.engine.task FOLDER`.

Its number in the array says which shard of the folder is its own.
"""

import os
import sys
from pathlib import Path

from groundwork.artifacts import read_json
from groundwork.engine.config import SlurmConfig
from groundwork.engine.on_slurm import SETTINGS, make_executor
from groundwork.engine.spool import read_job
from groundwork.errors import EngineError, GroundworkError


def main(folder: Path) -> None:
    """Do the shard of this job. Raises: `EngineError` outside of one."""
    if "SLURM_ARRAY_TASK_ID" not in os.environ:
        raise EngineError("SLURM_ARRAY_TASK_ID is not set: expected to be run in a job array")
    config = SlurmConfig(**read_json(folder / SETTINGS))
    make_executor(folder, read_job(folder), config, workers=0).run()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except GroundworkError as error:
        sys.exit(f"groundwork.engine.task: {error}")

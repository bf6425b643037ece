"""The engine that params.yaml names.

It is no parameter of a stage in dvc.yaml: outputs do not depend on it, so that another engine runs
nothing again.
"""

from groundwork.config import load
from groundwork.engine.config import EngineConfig


def load_engine() -> EngineConfig:
    """Section `engine` of params.yaml. Raises: `ConfigError`."""
    return load("engine", EngineConfig)

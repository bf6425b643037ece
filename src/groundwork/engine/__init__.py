"""Work on single records, done in this process, by others on this machine, or by a cluster.

A room tells its `Work` and iterates over `Results`; `engine` in params.yaml decides who does it.
"""

from groundwork.engine.config import EngineConfig, RayConfig, SlurmConfig
from groundwork.engine.results import Results
from groundwork.engine.settings import load_engine
from groundwork.engine.work import Work, Worker

__all__ = [
    "EngineConfig",
    "RayConfig",
    "Results",
    "SlurmConfig",
    "Work",
    "Worker",
    "load_engine",
]

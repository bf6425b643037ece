"""Every error that Groundwork raises on purpose.

A message says what was read, from where, what was expected and the way out. Stages and the
command line print it as one line and exit with 1; the service turns it into an HTTP status.
"""


class GroundworkError(Exception):
    """The base of all of them: catch it at a stage, command or request boundary only."""


class ConfigError(GroundworkError, ValueError):
    """A configuration key is unknown, missing or out of range; the user edits it."""


class InputError(GroundworkError, ValueError):
    """Data from outside (a site, a file, a golden set) cannot be used; the user mends it."""


class ArtifactError(GroundworkError, OSError):
    """A file that a stage wrote is missing or does not match its checksum; rerun its stage."""


class RejectsError(GroundworkError, RuntimeError):
    """More records were rejected than `max_reject_ratio` allows; read the stage's rejects."""


class EndpointError(GroundworkError, RuntimeError):
    """A remote endpoint is down or answers nonsense; check its URL, key and model name."""


class StoppedError(GroundworkError, InterruptedError):
    """Whoever watches a training found that it is not worth going on; nothing is to be done."""


class EngineError(GroundworkError, RuntimeError):
    """Workers of an engine failed, or a cluster cannot be reached; read the log that it names."""


class RegistryError(GroundworkError, LookupError):
    """The MLflow registry lacks what was asked for, for instance a champion."""


class TrackingError(GroundworkError, ConnectionError):
    """MLflow's store is away or refuses a run; check its address and that it can be written."""

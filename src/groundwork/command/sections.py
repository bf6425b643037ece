"""Every section of `params.yaml` and the class that it must fit."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from groundwork.config import check
from groundwork.errors import ConfigError

SECTIONS = {
    "domain": "groundwork.config:DomainConfig",
    "engine": "groundwork.engine:EngineConfig",
    "crawl": "groundwork.crawl:CrawlConfig",
    "clean": "groundwork.clean:CleanConfig",
    "chunk": "groundwork.chunk:ChunkConfig",
    "qa": "groundwork.qa:QaConfig",
    "adapt": "groundwork.adapt:AdaptConfig",
    "index": "groundwork.index:IndexConfig",
    "classify": "groundwork.classify:ClassifyConfig",
    "base": "groundwork.base:BaseConfig",
    "train": "groundwork.train:TrainConfig",
    "sweep": "groundwork.sweep:SweepConfig",
    "model": "groundwork.config:ModelConfig",
    "answer": "groundwork.answer:AnswerConfig",
    "evaluate": "groundwork.evaluate:EvaluateConfig",
    "promote": "groundwork.promote:PromoteConfig",
    "serve": "groundwork.serve:ServeConfig",
    "seed": "groundwork.config:Count",
}
"""Section to module and name; imported only when they are checked."""


def check_params(params: Mapping[str, Any], path: Path) -> None:
    """Check every section. Raises: `ConfigError` that lists all problems of all sections."""
    problems = [
        f"{name}: unknown section in {path}; expected one of {', '.join(SECTIONS)}"
        for name in params
        if name not in SECTIONS
    ]
    for section, address in SECTIONS.items():
        if section not in params:
            problems.append(f"{section} is missing in {path}: expected a section of that name")
            continue
        module, _, name = address.partition(":")
        try:
            check(section, getattr(import_module(module), name), params[section], path)
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))

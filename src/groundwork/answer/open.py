"""Makes an answerer by its name.

In: retrieval, ranker, and the folders of base and adapter. Out: an `Answerer`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from groundwork.answer.config import AnswerConfig
from groundwork.answer.draft import Answerer
from groundwork.answer.extractive import Extractive
from groundwork.answer.linear import Logistic
from groundwork.answer.retrieval import Retrieval
from groundwork.config import DomainConfig
from groundwork.errors import ConfigError


def make_answerer(
    name: str,
    *,
    config: AnswerConfig,
    domain: DomainConfig,
    retrieval: Retrieval,
    ranker: Mapping[str, Any],
    base_dir: Path,
    adapter_dir: Path,
) -> Answerer:
    """An answerer ready to draft: `extractive`, `base`, `tuned` or `endpoint`.

    Raises: `ConfigError` for `endpoint` without a URL.
    """
    if name == "extractive":
        return Extractive(retrieval, config.extractive, Logistic(**ranker))
    if name == "endpoint":
        from groundwork.answer.endpoint import Endpoint

        if config.endpoint.base_url is None:
            raise ConfigError(
                "answer.endpoint.base_url=None: expected the URL of an OpenAI-compatible server, "
                "because answer.answerers names `endpoint`"
            )
        return Endpoint(config.endpoint, domain=domain)
    from groundwork.answer.generative import Generative

    return Generative.load(
        name,
        base_dir,
        adapter_dir if name == "tuned" else None,
        config=config.generative,
        domain=domain,
        retrieval=retrieval,
    )

"""A base model from a model hub or a local folder, pinned to one revision.

In: the `model` section. Out: a folder with its files. Another model is never taken instead.
"""

from pathlib import Path

from groundwork.config import ModelConfig
from groundwork.errors import InputError

FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")
"""What is fetched: never pickled weights (`*.bin`, `*.pt`), never code."""


def resolve_hub(model: ModelConfig) -> tuple[Path, str]:
    """Return the folder of `model.hub_id`, fetched if need be, and its revision.

    A local folder has no revision: an empty string. Raises: `InputError` when the id is missing or
    unknown, needs a licence to be accepted, or the hub cannot be reached and nothing is cached.
    """
    if not model.hub_id:
        raise InputError(
            f"model.hub_id is null for model {model.name!r}: expected a repository on the hub "
            "(owner/name) or a local folder"
        )
    local = Path(model.hub_id)
    if local.is_dir():
        return local, ""
    if model.hub_id.startswith((".", "/", "~")):
        raise InputError(f"model.hub_id={model.hub_id}: no such folder")
    return _snapshot(model.hub_id, model.revision)


def find_files(model_dir: Path) -> list[str]:
    """Names of the files at the top of `model_dir` that make up the model, sorted."""
    names = {p.name for pattern in FILES for p in model_dir.glob(pattern) if p.is_file()}
    return sorted(names)


def locate(hub_id: str, revision: str) -> Path:
    """Folder of a model that `base.json` pins: the local folder, or the hub's cache.

    Raises: `InputError` when it is not on this machine and cannot be fetched.
    """
    local = Path(hub_id)
    return local if local.is_dir() else _snapshot(hub_id, revision)[0]


def _snapshot(hub_id: str, revision: str | None) -> tuple[Path, str]:
    import httpx
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HFValidationError

    commit = revision if revision and _is_commit(revision) else None
    try:
        commit = commit or str(HfApi().model_info(hub_id, revision=revision).sha)
        folder = snapshot_download(hub_id, revision=commit, allow_patterns=list(FILES))
    except (httpx.HTTPError, HFValidationError, OSError) as error:
        raise InputError(_explain(hub_id, revision, error)) from error
    return Path(folder), commit


def _is_commit(revision: str) -> bool:
    return len(revision) == 40 and all(c in "0123456789abcdef" for c in revision)


def _explain(hub_id: str, revision: str | None, error: Exception) -> str:
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    what = f"model.hub_id={hub_id}" + (f" at model.revision={revision}" if revision else "")
    if isinstance(error, GatedRepoError):
        return f"{what}: its owner asks for consent; accept the licence, then `hf auth login`"
    if isinstance(error, RevisionNotFoundError):
        return f"{what}: the hub knows the model but not this revision"
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return f"{what}: the hub knows no such model; expected owner/name, or a local folder"
    line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return (
        f"{what}: the model hub cannot be reached ({line}); connect this machine, point HF_HOME "
        "to a cache that holds the model, name a local folder, or use model=embedded"
    )

"""What the registry asks MLflow: versions, aliases and files of a domain's model, our errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from groundwork.artifacts import project_root
from groundwork.errors import RegistryError
from groundwork.tracking import client, tracking_uri

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


def aliases_of(domain: str) -> dict[str, str]:
    """Alias -> version; none when the domain has no model or the store does not exist yet."""
    if is_missing_store():
        return {}
    from mlflow.exceptions import MlflowException

    with registry_errors():
        try:
            found = client().get_registered_model(domain).aliases
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return {}
    return {alias: str(version) for alias, version in found.items()}


def versions_of(domain: str) -> "list[ModelVersion]":
    """All model versions of the domain, newest first."""
    if is_missing_store():
        return []
    versions: list[ModelVersion] = []
    token = None
    with registry_errors():
        store = client()
        while True:
            page = store.search_model_versions(f"name='{domain}'", page_token=token)
            versions += page
            token = page.token
            if not token:
                return sorted(versions, key=lambda found: -int(found.version))


def is_missing_store() -> bool:
    """Asking MLflow about a SQLite file that is not there would make one, in ten seconds."""
    uri = tracking_uri()
    return uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists()


def files_dir(source: str, manifest_sha256: str) -> Path:
    """Where a version's files lie: in the store if that is on this machine, else in our cache."""
    address = urlparse(source)
    if address.scheme in ("", "file"):
        return Path(unquote(address.path))
    return _cache_dir() / manifest_sha256[:16]


def is_cached(folder: Path) -> bool:
    """Whether `folder` is one that we download to."""
    return folder.parent == _cache_dir()


def _cache_dir() -> Path:
    return project_root() / ".cache" / "groundwork" / "releases"


def ensure_model(domain: str) -> None:
    """Make the domain's registered model unless there is one."""
    from mlflow.exceptions import MlflowException

    try:
        client().create_registered_model(domain)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


@contextmanager
def registry_errors(missing: str = "") -> Iterator[None]:
    """MLflow's errors as ours; `missing` is what to say when the thing does not exist."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if missing and error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise RegistryError(missing) from error
        raise RegistryError(
            f"{tracking_uri()}: the MLflow store cannot be used "
            f"({' '.join(str(error).split())[:200]}); run `groundwork doctor`"
        ) from error

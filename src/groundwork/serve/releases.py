"""Which releases the service answers from, and where they come from.

A checkout asks the registry and follows its champion; a Bento holds one release and needs no
registry. The champion stays loaded and answers until its successor is open.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from groundwork.config import DomainConfig, load
from groundwork.errors import ArtifactError, GroundworkError
from groundwork.serve.problems import RequestError

if TYPE_CHECKING:
    from groundwork.answer import Assistant
    from groundwork.promote import Release

logger = logging.getLogger(__name__)
CHAMPION = "champion"


class ReleaseSource(Protocol):
    """A place that releases come from."""

    def champion(self) -> "Release":
        """The release to serve. Raises: `GroundworkError` that names the way out."""
        ...

    def find(self, wanted: str) -> "Release | None":
        """The release of that version or alias."""
        ...

    def listing(self) -> "list[Release]":
        """All releases, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class Registry:
    """The releases of a domain in the MLflow registry."""

    domain: str

    def champion(self) -> "Release":
        """Ask the registry for the alias."""
        from groundwork.promote import champion

        return champion(self.domain)

    def find(self, wanted: str) -> "Release | None":
        """Look among all versions and aliases."""
        from groundwork.promote import get_release

        for release in self.listing():
            if wanted == release.version or wanted in release.aliases:
                return get_release(self.domain, release.version)
        return None

    def listing(self) -> "list[Release]":
        """Every registered version of the domain."""
        from groundwork.promote import list_releases

        return list_releases(self.domain)


@dataclass(frozen=True, slots=True)
class Bundled:
    """The one release that lies beside `service.py` in a Bento."""

    folder: Path

    def champion(self) -> "Release":
        """Read its card. Raises: `ArtifactError` when the Bento was built without a release."""
        from groundwork.promote import exported_release

        require_release(self.folder)
        return exported_release(self.folder)

    def find(self, wanted: str) -> "Release | None":
        """The release, if it is the one wanted."""
        release = self.champion()
        return release if wanted in (release.version, *release.aliases) else None

    def listing(self) -> "list[Release]":
        """The release alone."""
        return [self.champion()]


def require_release(folder: Path) -> None:
    """Raises: `ArtifactError` with the way out when `folder` holds no exported release."""
    if not (folder / "registered.json").exists():
        raise ArtifactError(
            f"{folder}: no exported release there, so a Bento would have nothing to answer from; "
            "run `groundwork release export`, then `bentoml build`"
        )


class Releases:
    """Open releases: the champion, and the few that were asked for by name."""

    def __init__(
        self,
        source: ReleaseSource,
        open_release: "Callable[[Release], Assistant]",
        *,
        kept: int,
    ) -> None:
        self.source = source
        self.trouble = "the release is still being loaded; try again in a few seconds"
        """Why the champion could not be loaded or renewed; empty when all is well."""
        self._open_release = open_release
        self._kept = kept
        self._champion: Assistant | None = None
        self._others: OrderedDict[str, Assistant] = OrderedDict()
        self._opening = threading.Lock()

    @property
    def current(self) -> "Assistant | None":
        """The release that answers when none is asked for by name."""
        return self._champion

    def refresh(self) -> None:
        """Ask for the champion and load it if it moved; on trouble keep answering as before."""
        try:
            release = self.source.champion()
            if self._champion is None or self._champion.info.version != release.version:
                self._champion = self._open_release(release)
                logger.info("serving %s", self._champion.info.model_version)
            self.trouble = ""
        except GroundworkError as error:
            if str(error) != self.trouble:
                logger.warning("cannot load the champion: %s", error)
            self.trouble = str(error)

    def get(self, name: str | None) -> "Assistant":
        """The release called `name`, a version, an alias or NAME/VERSION; None is the champion.

        Raises: `RequestError` 503 when there is no champion, 404 when there is no such release.
        """
        champion = self._champion
        if champion is None:
            raise RequestError(503, f"no release is loaded: {self.trouble}", retry_after_s=10)
        domain, _, version = (name or CHAMPION).rpartition("/")
        if domain in ("", champion.info.name) and version in (CHAMPION, champion.info.version):
            return champion
        if name == champion.info.name:
            return champion
        if domain not in ("", champion.info.name):
            raise self._unknown(str(name))
        return self._named(str(name), version)

    def _named(self, name: str, version: str) -> "Assistant":
        with self._opening:
            if version in self._others:
                self._others.move_to_end(version)
                return self._others[version]
            release = self.source.find(version)
            if release is None:
                raise self._unknown(name)
            if release.version not in self._others:
                self._others[release.version] = self._open_release(release)
            self._others.move_to_end(release.version)
            while len(self._others) > self._kept:
                self._others.popitem(last=False)
            return self._others[release.version]

    def _unknown(self, name: str) -> RequestError:
        known = ", ".join(f"{item.name}/{item.version}" for item in self.source.listing())
        return RequestError(
            404, f"model is {name!r}: no such release; there are {known}", field="model"
        )


def open_assistant(release: "Release") -> "Assistant":
    """Open a release from its folder, every checksum checked."""
    from groundwork.answer import Assistant, ReleaseInfo

    return Assistant.open(
        release.folder, ReleaseInfo(release.name, release.version, release.answerer)
    )


def find_source(root: Path, domain: str) -> ReleaseSource:
    """A Bento has `bento.yaml` above the folder of `service.py`; elsewhere there is a registry."""
    if (root.parent / "bento.yaml").exists():
        return Bundled(root / "release")
    return Registry(domain)


def domain_name(params_path: Path) -> str:
    """GROUNDWORK_DOMAIN, or the domain that `params.yaml` was composed for."""
    given = os.environ.get("GROUNDWORK_DOMAIN")
    return given or load("domain", DomainConfig, params_path).name

"""Pages and settings for the tests of `clean`."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from groundwork.clean import CleanConfig
from groundwork.config import DomainConfig, check
from groundwork.records import Page

CONF_PATH = Path(__file__).parents[2] / "conf" / "clean" / "default.yaml"


@pytest.fixture
def config() -> CleanConfig:
    """The settings that ship with the repository."""
    values = yaml.safe_load(CONF_PATH.read_text(encoding="utf-8"))
    return check("clean", CleanConfig, values, CONF_PATH)


@pytest.fixture
def domain() -> DomainConfig:
    """A domain of English pages without categories of its own."""
    return DomainConfig(
        name="test",
        title="charging",
        languages=["en"],
        licence="CC-BY-4.0",
        depends_on="site",
        mirror=None,
        site=None,
        files=None,
        git=None,
        feed=None,
        api=None,
        golden_path=None,
        labelled_path=None,
        intents_path=None,
        categories={},
        allowed_personal_data=[],
        persona="You answer.",
        refusal="No.",
        examples=[],
    )


@pytest.fixture
def make_page() -> Callable[..., Page]:
    """Pages from a body, by default HTML in UTF-8."""

    def make(
        body: bytes | str,
        *,
        url: str = "https://site.example/page/",
        content_type: str = "text/html",
        charset: str = "utf-8",
    ) -> Page:
        data = body.encode() if isinstance(body, str) else body
        digest = hashlib.sha256(data).hexdigest()
        return Page(url, content_type, charset, data, digest, "site", "CC-BY-4.0")

    return make

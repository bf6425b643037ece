"""Configuration: the Hydra tree in `conf/`, its composition `params.yaml`, and typed sections.

Each room declares its section as a frozen dataclass without defaults (see `schema`); values and
their defaults live in `conf/` alone.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from groundwork.errors import ConfigError
from groundwork.schemas import Count as Count
from groundwork.schemas import NonNegative as NonNegative
from groundwork.schemas import PositiveFloat as PositiveFloat
from groundwork.schemas import PositiveInt as PositiveInt
from groundwork.schemas import Ratio as Ratio
from groundwork.schemas import Text as Text
from groundwork.schemas import schema as schema
from groundwork.sources import ApiConfig, FeedConfig, FilesConfig, GitConfig

Section = TypeVar("Section")
SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where PyYAML was built with it: reads params.yaml in a tenth of the time."""


@schema
class MirrorConfig:
    """A static web site on disk, served on loopback while it is crawled."""

    dir: Text
    """Folder that holds the site's files."""
    public_url: Annotated[str, Field(pattern=r"^https?://[^/]+$")]
    """Scheme and host under which pages are recorded, without a trailing slash."""
    include: list[str]
    """Path prefixes to keep; empty keeps all."""
    exclude: list[str]
    """Path prefixes to leave out."""


@schema
class SiteConfig:
    """A live web site."""

    start_urls: Annotated[list[str], Field(min_length=1)]
    include: list[str]
    """Path prefixes to keep; empty keeps all."""
    exclude: list[str]
    local: bool
    """Whether private and loopback addresses are allowed: only for a source of your own."""
    render: bool
    """Whether pages are shown to a browser first, for sites whose text only scripts bring."""


@schema
class DomainConfig:
    """What the service knows about: sources, categories, golden set, wording."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Text
    """For people: the subject in a few words."""
    languages: list[str]
    """ISO 639-1 codes of the documents to keep; others are rejected with a reason."""
    licence: str
    """Licence of the pages, as far as it is known; recorded with every citation."""
    depends_on: Text
    """File or folder whose change makes `crawl` run again."""
    mirror: MirrorConfig | None
    site: SiteConfig | None
    files: FilesConfig | None
    git: GitConfig | None
    feed: FeedConfig | None
    api: ApiConfig | None
    """Exactly one of the six is the source."""
    golden_path: str | None
    """Golden set in JSONL; without one, evaluation uses the generated test pairs."""
    labelled_path: str | None
    """Questions to learn from, in the golden set's format with half `train`, about pages that the
    golden set's test half does not ask about; null: `dev` and the generated pairs are all."""
    intents_path: str | None
    """Labelled utterances in JSONL (`text`, `label`; null: out of scope) that `classify` learns in
    the place of the pages' categories, for instance the 77 intents of a bank; null: none."""
    categories: dict[str, str]
    """Category to its description; empty: folders of the URLs are the categories."""
    allowed_personal_data: list[str]
    """What may stay where personal data is masked, such as a support line: phone numbers and the
    like in any spelling, e-mail addresses, or `@example.org` for all of a domain."""
    persona: Text
    """First sentence of the prompt of a language model."""
    refusal: Text
    """What a refusal says."""
    examples: list[str]
    """Questions that the web page and `make run` offer; may be empty."""


@schema
class ShapeConfig:
    """Sizes of a Llama-like model: what `groundwork doctor --model` reckons with."""

    layers: PositiveInt
    hidden: PositiveInt
    """Width of the residual stream."""
    heads: PositiveInt
    key_value_heads: PositiveInt
    head_size: PositiveInt
    feed_forward: PositiveInt
    """Inner size of the gated feed-forward blocks."""
    vocabulary: PositiveInt
    tied: bool
    """Whether embedding and head are one matrix."""


@schema
class ModelConfig:
    """The base language model."""

    name: Text
    kind: Literal["embedded", "hub"]
    """`embedded`: built from the corpus by stage `base`; `hub`: downloaded and pinned."""
    hub_id: str | None
    """Repository on the model hub or a local folder; null for the embedded model."""
    revision: str | None
    """Commit on the hub; null takes the newest one and records it in `base.json`."""
    max_length: PositiveInt
    """Tokens of prompt and completion together."""
    extracts: Annotated[int, Field(ge=0)]
    """Sentences of the passages that the prompt shows, those nearest to the question; 0 shows the
    passages whole."""
    shape: ShapeConfig | None
    """Null: from the recipe of the embedded model, or from a `config.json` on this machine."""


def load(section: str, cls: type[Section], params_path: Path = Path("params.yaml")) -> Section:
    """Read one section of `params.yaml` into `cls`.

    Raises: `ConfigError` that lists every unknown, missing and out-of-range key together.
    """
    params = read_params(params_path)
    if section not in params:
        raise ConfigError(
            f"{section} is missing in {params_path}: expected a section of that name; "
            "run `groundwork compose`"
        )
    return check(section, cls, params[section], params_path)


def check(section: str, cls: type[Section], value: object, params_path: Path) -> Section:
    """Validate `value` as `cls`; all problems are raised together."""
    try:
        return TypeAdapter(cls).validate_json(json.dumps(value, default=str))
    except ValidationError as error:
        problems = [_problem(section, item, params_path) for item in error.errors()]
        raise ConfigError("\n".join(problems)) from error


def _problem(section: str, item: Mapping[str, Any], params_path: Path) -> str:
    key = ".".join([section, *(str(part) for part in item["loc"] if not _is_noise(part))])
    if item["type"] in ("missing", "missing_argument"):
        return f"{key} is missing in {params_path}: expected a value (run `groundwork compose`)"
    if item["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{key}={item['input']!r} in {params_path}: unknown key; expected none of that name"
    return f"{key}={item['input']!r} in {params_path}: {_expectation(item)}"


def _expectation(item: Mapping[str, Any]) -> str:
    limits = item.get("ctx", {})
    match item["type"]:
        case "greater_than_equal":
            return f"expected at least {limits['ge']}"
        case "greater_than":
            return f"expected more than {limits['gt']}"
        case "less_than_equal":
            return f"expected at most {limits['le']}"
        case "string_too_short" | "too_short":
            return "expected at least one"
    return str(item["msg"]).replace("Input should be", "expected", 1)


def _is_noise(part: object) -> bool:
    return isinstance(part, str) and part.endswith("Config")


def read_params(path: Path) -> dict[str, Any]:
    """Parse `params.yaml`. Raises: `ConfigError` when it is missing or not a mapping."""
    try:
        params = yaml.load(path.read_text(encoding="utf-8"), Loader=SAFE_LOADER)  # noqa: S506
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file; run `groundwork compose`") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML ({error}); run `groundwork compose`") from error
    if not isinstance(params, dict):
        raise ConfigError(f"{path}: expected a mapping; run `groundwork compose`")
    return params


def compose(overrides: Sequence[str], conf_dir: Path) -> str:
    """Compose the Hydra tree and return it as YAML: the same bytes as `dvc exp run -S` writes."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        with initialize_config_dir(str(conf_dir.resolve()), version_base=None):
            config = hydra_compose("config", overrides=list(overrides))
        OmegaConf.resolve(config)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        cause = str(error.__cause__ or error).split("Config search path")[0]
        raise ConfigError(
            f"{' '.join(overrides) or 'conf/config.yaml'}: {' '.join(cause.split())}; "
            f"see the groups and keys in {conf_dir}/"
        ) from error
    return str(OmegaConf.to_yaml(config))

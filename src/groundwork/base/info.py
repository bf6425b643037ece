"""`base.json`: which base model a run rests on, down to the sha256 of its files.

The files of the embedded model lie beside `base.json` in `model/`; those of a hub model stay in
the hub's cache on each machine, those of a local folder where they are.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from groundwork.artifacts import from_mapping, read_json, sha256_file, write_json
from groundwork.config import ModelConfig
from groundwork.errors import ArtifactError, ConfigError, InputError

INFO = "base.json"
MODEL = "model"


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A file of the model, by its content."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class BaseInfo:
    """The identity of a base model."""

    name: str
    kind: Literal["embedded", "hub"]
    hub_id: str
    """Repository on the hub or a local folder as configured; empty for the embedded model."""
    revision: str
    """Commit on the hub; empty for the embedded model and for a local folder."""
    architecture: str
    parameters: int
    """Numbers in the weights, as stored."""
    max_length: int
    """Tokens of prompt and answer together, in training and when it answers."""
    extracts: int
    """Sentences of the passages that its prompt shows; 0: the passages whole."""
    chat_template: str
    """`own`, or `plain` when the model brings none and ours is used."""
    pad_token: str
    files: tuple[BaseFile, ...]


def describe(
    folder: Path,
    names: Sequence[str],
    *,
    model: ModelConfig,
    revision: str,
) -> BaseInfo:
    """Read what `base.json` says about the model in `folder`.

    Raises: `InputError` when the folder holds no causal language model in safetensors,
    `ConfigError` when `model.max_length` is more than it is made for.
    """
    from groundwork.base.load import open_tokenizer

    config = _model_config(folder)
    positions = config.get("max_position_embeddings", model.max_length)
    if model.max_length > positions:
        raise ConfigError(
            f"model.max_length={model.max_length} in params.yaml: {model.name} is made for "
            f"at most {positions} tokens"
        )
    tokenizer, template = open_tokenizer(folder)
    return BaseInfo(
        name=model.name,
        kind=model.kind,
        hub_id=model.hub_id or "",
        revision=revision,
        architecture=str((config.get("architectures") or ["unknown"])[0]),
        parameters=_parameters(folder, names),
        max_length=model.max_length,
        extracts=model.extracts,
        chat_template=template,
        pad_token=str(tokenizer.pad_token),
        files=tuple(BaseFile(n, sha256_file(folder / n)) for n in sorted(names)),
    )


def _model_config(folder: Path) -> dict[str, Any]:
    try:
        config = read_json(folder / "config.json")
    except ArtifactError as error:
        raise InputError(
            f"{folder}: not a model ({error}); expected config.json, tokenizer.json and "
            "weights in safetensors"
        ) from error
    return dict(config)


def _parameters(folder: Path, names: Sequence[str]) -> int:
    """Count from the headers alone: the weights of a large model are not read."""
    import math

    from safetensors import SafetensorError, safe_open

    total = 0
    weights = [name for name in names if name.endswith(".safetensors")]
    if not weights:
        raise InputError(
            f"{folder}: no weights in safetensors; pickled weights are not loaded: convert them "
            "with `save_pretrained`, or pick another revision"
        )
    for name in weights:
        try:
            with safe_open(folder / name, framework="numpy") as tensors:
                total += sum(math.prod(tensors.get_slice(k).get_shape()) for k in tensors.keys())  # noqa: SIM118
        except SafetensorError as error:
            raise InputError(f"{folder / name}: damaged safetensors ({error})") from error
    return total


def write_info(base_dir: Path, info: BaseInfo) -> None:
    """Write `base.json` in `base_dir`."""
    write_json(base_dir / INFO, asdict(info))


def read_info(base_dir: Path) -> BaseInfo:
    """Read `base.json`. Raises: `ArtifactError` when it is missing, broken or of another form."""
    value = read_json(base_dir / INFO)
    try:
        return from_mapping(BaseInfo, value)
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f"{base_dir / INFO}: unexpected content ({error}); "
            "run `dvc repro --force --single-item base`"
        ) from error

"""Configuration: typed sections whose problems are all named, and the Hydra composition."""

import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
import yaml

from groundwork.config import (
    DomainConfig,
    MirrorConfig,
    PositiveInt,
    Ratio,
    Text,
    compose,
    load,
    read_params,
    schema,
)
from groundwork.errors import ConfigError

CONF_DIR = Path(__file__).resolve().parents[1] / "conf"


@schema
class LoraConfig:
    rank: PositiveInt
    dropout: Ratio


@schema
class PetConfig:
    name: Text
    lora: LoraConfig


GOOD = {"name": "cat", "lora": {"rank": 8, "dropout": 0.1}}


def _params(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "params.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _load(tmp_path: Path, section: object) -> PetConfig:
    return load("pet", PetConfig, _params(tmp_path, yaml.safe_dump({"pet": section})))


def test_section_becomes_a_frozen_dataclass(tmp_path: Path) -> None:
    """Nested sections are typed too, and nothing can be assigned."""
    pet = _load(tmp_path, GOOD)
    assert pet == PetConfig(name="cat", lora=LoraConfig(rank=8, dropout=0.1))
    with pytest.raises(FrozenInstanceError):
        pet.name = "dog"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            GOOD | {"lora": {"rank": 0, "dropout": 0.1}},
            "pet.lora.rank=0 in {}: expected at least 1",
        ),
        (
            GOOD | {"lora": {"rank": 8, "dropout": 2}},
            "pet.lora.dropout=2 in {}: expected at most 1.0",
        ),
        (GOOD | {"name": ""}, "pet.name='' in {}: expected at least one"),
        (
            GOOD | {"lora": {"rank": "8", "dropout": 0.1}},
            "pet.lora.rank='8' in {}: expected a valid integer",
        ),
        (
            GOOD | {"colour": "red"},
            "pet.colour='red' in {}: unknown key; expected none of that name",
        ),
        (
            {"name": "cat"},
            "pet.lora is missing in {}: expected a value (run `groundwork compose`)",
        ),
    ],
)
def test_problem_names_key_value_file_and_expectation(
    tmp_path: Path, section: object, expected: str
) -> None:
    """Each rule gives its own message."""
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, section)
    assert str(caught.value) == expected.format(tmp_path / "params.yaml")


def test_all_problems_are_raised_together(tmp_path: Path) -> None:
    """One line for each of three problems in one section."""
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, {"name": "", "lora": {"rank": 0, "dropout": 0.1}, "colour": "red"})
    assert sorted(line.split(" ")[0] for line in str(caught.value).splitlines()) == [
        "pet.colour='red'",
        "pet.lora.rank=0",
        "pet.name=''",
    ]


def test_missing_section_says_how_to_get_it(tmp_path: Path) -> None:
    """A params.yaml without the section points at `groundwork compose`."""
    with pytest.raises(ConfigError, match=r"pet is missing in .*run `groundwork compose`"):
        load("pet", PetConfig, _params(tmp_path, "seed: 13\n"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("- a\n- b\n", "expected a mapping"), ("a: [1\n", "not YAML"), ("", "expected a mapping")],
)
def test_broken_params_are_refused(tmp_path: Path, text: str, expected: str) -> None:
    """A list, broken YAML and an empty file are told apart."""
    with pytest.raises(ConfigError, match=expected):
        read_params(_params(tmp_path, text))


def test_absent_params_say_how_to_get_them(tmp_path: Path) -> None:
    """No params.yaml at all points at `groundwork compose`."""
    with pytest.raises(ConfigError, match="no such file; run `groundwork compose`"):
        read_params(tmp_path / "params.yaml")


def test_domain_name_must_be_an_identifier() -> None:
    """The name is an MLflow model and experiment name and part of paths."""
    with pytest.raises(ValueError, match="name"):
        DomainConfig(
            name="../etc",
            title="t",
            languages=[],
            licence="",
            depends_on="x",
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
            persona="p",
            refusal="r",
            examples=[],
        )


@pytest.mark.parametrize("url", ["ftp://a.example", "https://a.example/", "a.example"])
def test_public_url_is_scheme_and_host(url: str) -> None:
    """Anything but http(s)://host is refused."""
    with pytest.raises(ValueError, match="public_url"):
        MirrorConfig(dir="site", public_url=url, include=[], exclude=[])


@pytest.fixture
def conf_dir(tmp_path: Path) -> Path:
    """A small Hydra tree of the same make as conf/."""
    folder = tmp_path / "conf"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "small.yaml").write_text("rank: 8\n", encoding="utf-8")
    (folder / "model" / "large.yaml").write_text("rank: ${double:}\n", encoding="utf-8")
    (folder / "model" / "seeded.yaml").write_text("rank: ${seed}\n", encoding="utf-8")
    (folder / "config.yaml").write_text(
        "defaults:\n  - model: small\n  - _self_\nseed: 13\n", encoding="utf-8"
    )
    return folder


def test_composition_follows_overrides(conf_dir: Path) -> None:
    """Groups are chosen, values set and interpolations resolved."""
    assert yaml.safe_load(compose([], conf_dir)) == {"seed": 13, "model": {"rank": 8}}
    assert yaml.safe_load(compose(["model=seeded", "seed=5"], conf_dir)) == {
        "seed": 5,
        "model": {"rank": 5},
    }


@pytest.mark.parametrize(
    "override", ["model=huge", "model.rnak=3", "nonsense", "model=large", "model.rank=["]
)
def test_wrong_override_is_one_clear_line(conf_dir: Path, override: str) -> None:
    """A missing group, an unknown key, a word that is no override, a broken interpolation."""
    with pytest.raises(ConfigError) as caught:
        compose([override], conf_dir)
    assert str(caught.value).startswith(f"{override}: ")
    assert "\n" not in str(caught.value)
    assert f"{conf_dir}" in str(caught.value)


def test_domain_pack_of_the_default_composition_is_valid() -> None:
    """conf/domain/ev_charging.yaml is a DomainConfig."""
    values = yaml.safe_load((CONF_DIR / "domain" / "ev_charging.yaml").read_text(encoding="utf-8"))
    path = Path("params.yaml")
    from groundwork.config import check

    assert check("domain", DomainConfig, values, path).name == "ev_charging"


def test_importing_the_configuration_loads_no_hydra() -> None:
    """Stages read params.yaml without paying for Hydra."""
    code = "import sys, groundwork.config; print('hydra' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

"""dvc.yaml: what it says of each stage is what the stage does."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE_DIR = ROOT / "src" / "groundwork"
PIPELINE: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
STAGES: dict[str, dict[str, Any]] = PIPELINE["stages"]
NAMES = list(STAGES)
ROOMS = {path.parent.name for path in SOURCE_DIR.glob("*/__init__.py")}


def _tree(stage: str) -> ast.Module:
    return ast.parse((ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8"))


def _imports(tree: ast.Module) -> Iterator[str]:
    """Modules of ours that a script imports, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module == "groundwork":
                yield from (f"groundwork.{alias.name}" for alias in node.names)


def _rooms(stage: str) -> set[str]:
    parts = [name.split(".") for name in _imports(_tree(stage))]
    return {p[1] for p in parts if p[0] == "groundwork" and len(p) > 1 and p[1] in ROOMS}


def _covered(stage: str) -> set[str]:
    """Rooms of which the deps name the folder or a module."""
    return {dep.split("/")[2] for dep in STAGES[stage]["deps"] if dep.startswith("src/")}


def _loaded(stage: str) -> set[str]:
    """Sections that a script asks for with `load("section", …)`."""
    return {
        node.args[0].value
        for node in ast.walk(_tree(stage))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "load"
        and isinstance(node.args[0], ast.Constant)
    }


def _producers(path: str) -> set[str]:
    """The stages whose outputs hold `path` or stand below it."""
    return {
        name
        for name, stage in STAGES.items()
        for out in stage["outs"]
        if f"{path}/".startswith(f"{out}/") or out.startswith(f"{path}/")
    }


def _upstream(stage: str) -> set[str]:
    """The stages whose outputs `stage` depends on."""
    return {name for dep in STAGES[stage]["deps"] for name in _producers(dep)}


def test_every_script_is_a_stage() -> None:
    """No script that the pipeline does not run, no stage without a script."""
    scripts = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert scripts == set(NAMES)


@pytest.mark.parametrize("stage", NAMES)
def test_one_name_runs_through(stage: str) -> None:
    """Stage, command, script, function, room, group of the configuration, section, folder."""
    assert STAGES[stage]["cmd"] == f"python -m stages.{stage}"
    assert f"stages/{stage}.py" in STAGES[stage]["deps"]
    functions = [n.name for n in _tree(stage).body if isinstance(n, ast.FunctionDef)]
    assert stage in functions
    assert f"main({stage})" in (ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8")
    assert stage in ROOMS
    assert list((ROOT / "conf" / stage).glob("*.yaml"))
    assert stage in STAGES[stage]["params"]
    assert {out.split("/")[1] for out in STAGES[stage]["outs"]} == {stage}
    assert STAGES[stage]["desc"]


@pytest.mark.parametrize("stage", NAMES)
def test_deps_cover_the_rooms_that_the_script_imports(stage: str) -> None:
    """A change in a room that a stage uses makes the stage run again."""
    assert _rooms(stage) - _covered(stage) == set()


@pytest.mark.parametrize("stage", NAMES)
def test_deps_cover_the_rooms_that_the_room_imports(stage: str) -> None:
    """Also what the stage's own room borrows: `qa` cuts sentences with a function of `chunk`."""
    used = {
        name.split(".")[1]
        for path in (SOURCE_DIR / stage).rglob("*.py")
        for name in _imports(ast.parse(path.read_text(encoding="utf-8")))
        if name.startswith("groundwork.") and name.split(".")[1] in ROOMS
    }
    assert used - _covered(stage) == set()


@pytest.mark.parametrize("stage", NAMES)
def test_code_among_the_deps_exists(stage: str) -> None:
    """A room or module that was renamed does not leave its old name behind."""
    code = [dep for dep in STAGES[stage]["deps"] if dep.startswith(("src/", "stages/"))]
    assert [dep for dep in code if not (ROOT / dep).exists()] == []


@pytest.mark.parametrize("stage", NAMES)
def test_params_are_the_sections_that_the_script_loads(stage: str) -> None:
    """One too few hides a change, one too many runs the stage for nothing."""
    assert set(STAGES[stage]["params"]) == _loaded(stage)


@pytest.mark.parametrize("stage", NAMES)
def test_artifacts_that_the_script_names_are_deps(stage: str) -> None:
    """`artifacts/<stage>` in a script is its own folder or one that it depends on."""
    named = {
        node.value.split("/")[1]
        for node in ast.walk(_tree(stage))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("artifacts/")
        and " " not in node.value
    }
    assert named - _upstream(stage) - {stage} == set()


@pytest.mark.parametrize("stage", NAMES)
def test_artifacts_among_the_deps_are_written_by_a_stage(stage: str) -> None:
    """No dep that nothing makes."""
    artifacts = [dep for dep in STAGES[stage]["deps"] if dep.startswith("artifacts/")]
    assert [dep for dep in artifacts if not _producers(dep)] == []


@pytest.mark.parametrize("stage", NAMES)
def test_outputs_are_literal_and_below_artifacts(stage: str) -> None:
    """DVC deletes outputs: their names must not depend on a parameter."""
    for out in STAGES[stage]["outs"]:
        assert isinstance(out, str)
        assert out.startswith("artifacts/")
        assert "$" not in out
        assert ".." not in out


def test_metrics_and_plots_are_outputs() -> None:
    """What `dvc metrics` and `dvc plots` show is what a stage wrote."""
    files = list(PIPELINE["metrics"])
    for plot in PIPELINE["plots"]:
        ((_, settings),) = plot.items()
        files += settings["y"]
    assert [path for path in files if not _producers(path)] == []


def test_no_cycle_and_stages_stand_in_order() -> None:
    """Read from top to bottom, every stage comes after those it depends on."""
    graph = {name: _upstream(name) for name in NAMES}
    TopologicalSorter(graph).prepare()
    for name, before in graph.items():
        assert before <= set(NAMES[: NAMES.index(name)])

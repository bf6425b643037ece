"""The house rules that a parser can check: direction of imports, no pickle, short modules."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE_DIR = ROOT / "src" / "groundwork"
HALL = {
    "artifacts", "config", "errors", "lifetime", "records", "schemas", "scribe", "sources", "store",
    "tables", "tracking", "webpage",
}  # fmt: skip
FRONT = {"cli", "command"}
"""The command line: above the rooms, imported by none of them."""
ROOMS = {path.parent.name for path in SOURCE_DIR.glob("*/__init__.py")} - FRONT
MODULES = sorted(SOURCE_DIR.rglob("*.py"))
SCRIPTS = [*sorted((ROOT / "stages").glob("*.py")), ROOT / "service.py"]
EVERYTHING = [*MODULES, *SCRIPTS, *sorted((ROOT / "benchmarks").glob("*.py"))]
MAX_LINES = 300
UNSAFE_MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {"torch.load", "torch.save", "joblib.load", "pandas.read_pickle", "pd.read_pickle"}
UNSAFE_KEYWORDS = {"allow_pickle", "allow_dangerous_deserialization", "trust_remote_code"}
NAMELESS = {"utils", "helpers", "common", "manager", "misc"}
BY_MODULE = {
    "groundwork.promote.gate": "needs `evaluate`, whose libraries keep the command line waiting",
    "groundwork.promote.matching": "as above",
    "groundwork.promote.retriever": "as above",
    "groundwork.answer.prompt": "text only; the answerers behind the room's name load models",
    "groundwork.answer.extracts": "as above",
    "groundwork.answer.matching": "as above",
}
"""Modules of a room that others import by their own name, as the room's docstring says."""
BOUNDARIES = {"scribe.py", "serve/app.py"}
"""Where any exception ends as a line: a request, a run to write, the watching of the registry."""


def _id(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _imports(path: Path, *, lazy: bool = True) -> Iterator[tuple[str, list[str]]]:
    """Modules with the names taken from each; without `lazy`, only what is imported at once."""
    tree = _tree(path)
    for node in ast.walk(tree) if lazy else tree.body:
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_id(path)}:{node.lineno}: relative import"
            yield str(node.module), [alias.name for alias in node.names]


def _ours(path: Path, *, lazy: bool = True) -> Iterator[tuple[str, str, list[str]]]:
    """Part of the house, module and names of every import of ours; `groundwork` itself is none."""
    for module, names in _imports(path, lazy=lazy):
        parts = module.split(".")
        if parts[0] != "groundwork":
            continue
        if len(parts) == 1:
            yield from ((name, f"groundwork.{name}", []) for name in names)
        else:
            yield parts[1], module, names


def _part(path: Path) -> str:
    """Room, hall module or front that a file of `src` belongs to."""
    return path.relative_to(SOURCE_DIR).parts[0].removesuffix(".py")


def test_house_has_the_rooms_it_says() -> None:
    """A new folder is a stage, or what stages share: the service, its answers, engines, sweeps."""
    stages = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__"}
    assert stages | {"answer", "engine", "serve", "sweep"} == ROOMS
    assert {path.stem for path in SOURCE_DIR.glob("*.py")} == HALL | {"__init__", "cli"}


@pytest.mark.parametrize("name", sorted(HALL))
def test_hall_imports_only_the_hall(name: str) -> None:
    """Nothing of a room, the stages or the command line."""
    path = SOURCE_DIR / f"{name}.py"
    assert {part for part, _, _ in _ours(path)} <= HALL
    assert not any(module.split(".")[0] in ("stages", "service") for module, _ in _imports(path))


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_rooms_import_neither_stages_nor_the_command_line(room: str) -> None:
    """Imports go one way."""
    for path in (SOURCE_DIR / room).rglob("*.py"):
        assert not {part for part, _, _ in _ours(path)} & FRONT, _id(path)
        assert not any(
            module.split(".")[0] in ("stages", "service") for module, _ in _imports(path)
        ), _id(path)


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS], ids=_id)
def test_rooms_are_entered_by_their_door(path: Path) -> None:
    """Another room is imported by its name alone, and only what its `__all__` offers."""
    here = _part(path) if path in MODULES else ""
    for part, module, names in _ours(path):
        if part not in ROOMS or part == here or module in BY_MODULE:
            continue
        submodules = {f"{module}.{name}" for name in names} & set(BY_MODULE)
        assert module == f"groundwork.{part}", f"{_id(path)} imports {module}"
        offered = set(import_module(module).__all__)
        wanted = {name for name in names if f"{module}.{name}" not in submodules}
        assert wanted <= offered, f"{_id(path)}: {wanted - offered} is not offered by {module}"


def test_exceptions_to_the_door_are_still_needed() -> None:
    """A line of `BY_MODULE` that nobody uses goes."""
    used = {
        module if module in BY_MODULE else f"{module}.{name}"
        for path in [*MODULES, *SCRIPTS]
        for part, module, names in _ours(path)
        if path in SCRIPTS or _part(path) != part
        for name in (names or [""])
    }
    assert set(BY_MODULE) - used == set()


def test_rooms_form_no_cycle() -> None:
    """Of what is imported at once: `chunk` asks `index` for the tokenizer inside a function."""
    graph = {
        room: {
            part
            for path in (SOURCE_DIR / room).rglob("*.py")
            for part, _, _ in _ours(path, lazy=False)
            if part in ROOMS and part != room
        }
        for room in ROOMS
    }
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("room", sorted(ROOMS))
def test_offered_names_exist_and_are_sorted(room: str) -> None:
    """`__all__` is what a reader of the room sees first."""
    module = import_module(f"groundwork.{room}")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)
    assert module.__doc__


@pytest.mark.parametrize("path", EVERYTHING, ids=_id)
def test_nothing_is_pickled(path: Path) -> None:
    """No module that unpickles, no call and no keyword that would let a library do it."""
    for module, names in _imports(path):
        assert module.split(".")[0] not in UNSAFE_MODULES, f"imports {module}"
        assert not {f"{module}.{name}" for name in names} & UNSAFE_CALLS
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call):
            assert ast.unparse(node.func) not in UNSAFE_CALLS, f"line {node.lineno}"
            for keyword in node.keywords:
                if keyword.arg in UNSAFE_KEYWORDS:
                    assert ast.unparse(keyword.value) == "False", f"line {node.lineno}"


@pytest.mark.parametrize("path", EVERYTHING, ids=_id)
def test_modules_are_short_and_say_what_they_are(path: Path) -> None:
    """At most 300 lines, a docstring, a name that means something."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    assert not text.strip() or ast.get_docstring(_tree(path))
    assert path.stem not in NAMELESS


@pytest.mark.parametrize("path", EVERYTHING, ids=_id)
def test_exceptions_are_caught_by_name(path: Path) -> None:
    """`except Exception` stands at a request boundary alone, a bare `except` nowhere."""
    caught = [
        ast.unparse(node.type) if node.type else ""
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ExceptHandler)
    ]
    assert "" not in caught
    if path not in MODULES or path.relative_to(SOURCE_DIR).as_posix() not in BOUNDARIES:
        assert "Exception" not in caught


@pytest.mark.parametrize(
    "path",
    [*sorted(SOURCE_DIR.glob("*/config.py")), SOURCE_DIR / "config.py", SOURCE_DIR / "sources.py"],
    ids=_id,
)
def test_schemas_have_no_defaults(path: Path) -> None:
    """Every value lives once, in `conf/`."""
    classes = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef)]
    schemas = [c for c in classes if any(ast.unparse(d) == "schema" for d in c.decorator_list)]
    assert schemas
    for found in schemas:
        fields = [node for node in found.body if isinstance(node, ast.AnnAssign)]
        assert [ast.unparse(field) for field in fields if field.value is not None] == []


@pytest.mark.parametrize("stage", ["crawl", "clean", "chunk", "qa", "index"])
def test_stages_start_without_heavy_libraries(stage: str) -> None:
    """What is imported for a page or not at all must not be imported for every run."""
    heavy = {"faiss", "langchain_core", "mlflow", "nltk", "pandas", "scipy", "scrapy", "torch"}
    code = f"import stages.{stage}, sys; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""

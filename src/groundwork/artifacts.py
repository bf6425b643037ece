"""Files on disk: written whole or not at all, checked when read, free of clocks and paths.

Owns the folders `artifacts/<stage>/`.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_origin, get_type_hints

from groundwork.errors import ArtifactError

if TYPE_CHECKING:
    import pyarrow as pa

MANIFEST = "manifest.json"
Record = TypeVar("Record")


def sha256_bytes(data: bytes) -> str:
    """Hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Hexadecimal SHA-256 of the file at `path`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def short_id(*parts: object) -> str:
    """16 hexadecimal digits that identify `parts`, the same on every machine."""
    return sha256_bytes("\x1f".join(map(str, parts)).encode())[:16]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place once the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary_path = Path(name)
    try:
        yield temporary_path
        with temporary_path.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary_path.chmod(0o644)
        temporary_path.replace(path)
    finally:
        temporary_path.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with replacing(path) as temporary_path:
        temporary_path.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, as UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: object) -> None:
    """Write `value` as indented JSON with sorted keys; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Parse the JSON file at `path`. Raises: `ArtifactError` when it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: no such file; {way_out(path)}") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: not JSON ({error}); {way_out(path)}") from error


def write_jsonl(path: Path, rows: Iterable[object]) -> int:
    """Write dataclass instances or mappings, one JSON object a line; return their number."""
    lines = [
        json.dumps(
            row if isinstance(row, Mapping) else asdict(row),  # type: ignore[call-overload]
            sort_keys=True,
            allow_nan=False,
            ensure_ascii=False,
        )
        for row in rows
    ]
    write_text(path, "".join(line + "\n" for line in lines))
    return len(lines)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Parse a file of one JSON object a line; the message names the line that is broken."""
    rows: list[dict[str, Any]] = []
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: cannot be read ({error}); {way_out(path)}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ArtifactError(f"{path}:{number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise ArtifactError(f"{path}:{number}: expected a JSON object, got {line[:60]!r}")
        rows.append(row)
    return rows


def arrow_schema(record: type) -> "pa.Schema":
    """Columns of a flat dataclass."""
    import pyarrow as pa

    types = {str: pa.string(), bytes: pa.large_binary(), bool: pa.bool_()}
    types |= {int: pa.int64(), float: pa.float64()}
    hints = get_type_hints(record)
    return pa.schema([(field.name, types[hints[field.name]]) for field in fields(record)])


def write_parquet(path: Path, rows: Sequence[object], record: type) -> None:
    """Write flat dataclass instances of type `record` as Parquet, in the order given."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [field.name for field in fields(record)]
    columns = {name: [getattr(row, name) for row in rows] for name in names}
    table = pa.table(columns, schema=arrow_schema(record))
    with replacing(path) as temporary_path:
        pq.write_table(table, temporary_path, compression="zstd", row_group_size=10_000)


def read_parquet(path: Path, record: type[Record]) -> list[Record]:
    """Read rows of type `record`, from a file or a folder of shards, see `tables`.

    Raises: `ArtifactError` when the file is missing or damaged.
    """
    import pyarrow as pa

    if not path.exists():
        raise ArtifactError(f"{path}: no such file; {way_out(path)}")
    try:
        table = _read_table(path, arrow_schema(record))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as error:
        raise ArtifactError(f"{path}: damaged Parquet ({error}); {way_out(path)}") from error
    return [record(**row) for row in table.to_pylist()]


def _read_table(path: Path, schema: "pa.Schema") -> "pa.Table":
    """A table of these columns; where nothing is to be added, without pandas, which `read_table`
    imports for longer than most files are read."""
    import pyarrow.parquet as pq

    if path.is_file() and (file := pq.ParquetFile(path)).schema_arrow.equals(schema):
        return file.read()
    return pq.read_table(path, schema=schema)


def from_mapping(record: type[Record], row: Mapping[str, Any]) -> Record:
    """Build a record from parsed JSON, turning lists into tuples and objects into records.

    Raises: `KeyError` or `TypeError` when a field is missing or unknown.
    """
    hints = get_type_hints(record)
    unknown = sorted(set(row) - set(hints))
    if unknown:
        raise TypeError(f"unknown field {unknown[0]!r}")
    return record(**{name: _convert(hint, row[name]) for name, hint in hints.items()})


def read_records(path: Path, record: type[Record]) -> list[Record]:
    """The rows of a JSONL file. Raises: `ArtifactError` on a row of another form."""
    try:
        return [from_mapping(record, row) for row in read_jsonl(path)]
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{path}: unexpected content ({error}); {way_out(path)}") from error


def _convert(hint: Any, value: Any) -> Any:
    if get_origin(hint) is tuple:
        return tuple(_convert(hint.__args__[0], item) for item in value)
    if hasattr(hint, "__dataclass_fields__"):
        return from_mapping(hint, value)
    return value


def write_manifest(folder: Path, names: Iterable[str], **extra: object) -> str:
    """Record the sha256 of each named file of `folder`, written last; return the manifest's own.

    The presence of a manifest means that the write completed. `extra` must be free of clocks.
    """
    files = {name: sha256_file(folder / name) for name in sorted(names)}
    write_json(folder / MANIFEST, {"files": files, **extra})
    return sha256_file(folder / MANIFEST)


def check_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of `folder` after checking every file that it names.

    Raises: `ArtifactError` naming the file that is missing or was changed.
    """
    manifest: dict[str, Any] = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ArtifactError(
            f"{folder / MANIFEST}: expected an object with `files`; {way_out(folder / MANIFEST)}"
        )
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.exists():
            raise ArtifactError(f"{path}: no such file; {way_out(path)}")
        found = sha256_file(path)
        if found != expected:
            raise ArtifactError(
                f"{path}: sha256 is {found[:12]}…, its manifest says {expected[:12]}…: "
                f"the file was damaged or edited; {way_out(path)}"
            )
    return manifest


def way_out(path: Path) -> str:
    """What brings a file back."""
    parts = path.parts
    if "artifacts" in parts[:-1]:
        stage = parts[parts.index("artifacts") + 1]
        return f"run `dvc checkout`, or `dvc repro --force --single-item {stage}`"
    if "data" in parts:
        return "run `dvc pull data`"
    return "restore it from its source"


def project_root(start: Path | None = None) -> Path:
    """Root of the user's checkout, also from a copy that DVC made for a queued experiment."""
    here = (start or Path.cwd()).resolve()
    marker = f"{os.sep}.dvc{os.sep}tmp{os.sep}exps{os.sep}"
    text = str(here)
    return Path(text.split(marker)[0]) if marker in text else here


def code_version(*places: Path) -> str:
    """Hash of the Python files at or below `places`, so that cached work ends with its code."""
    digest = hashlib.sha256()
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            name = path.relative_to(place).as_posix()
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()

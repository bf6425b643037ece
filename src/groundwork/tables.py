"""Parquet that is read and written batch by batch, however many records there are.

In: flat records, one after the other. Out: one file, or a folder of shards where they do not fit
into one; `artifacts.read_parquet` reads both. Where a shard or a row group ends depends on the
records alone, so that equal records give equal bytes.
"""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from groundwork.artifacts import arrow_schema, way_out
from groundwork.errors import ArtifactError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Record = TypeVar("Record")
SHARD_BYTES = 256 * 2**20
"""Of one file before compression, as `size_of` counts."""
GROUP_BYTES = 16 * 2**20
"""Of a row group: what a writer or reader holds at a time."""
GROUP_ROWS = 10_000
LARGE_BYTES = 4 * 2**20
"""A record above it is a row group of its own, and its file is written with the fewest copies."""
BATCH_ROWS = 100
"""Records that a reader turns into Python objects at a time."""


class Rows(Collection[Record], Generic[Record]):
    """The records of a Parquet file or folder; each iteration reads it from the beginning.

    Raises: `ArtifactError` when it is missing, damaged or of other columns.
    """

    def __init__(self, path: Path, record: type[Record]) -> None:
        self.path = path
        self._record = record

    def __len__(self) -> int:
        """Number of records, from the files' footers."""
        return sum(self._open(path).metadata.num_rows for path in self.shards())

    def __iter__(self) -> Iterator[Record]:
        """The records in the order in which they were written."""
        import pyarrow as pa

        names = [field.name for field in fields(self._record)]  # type: ignore[arg-type]
        for path in self.shards():
            try:
                file = self._open(path)
                for group in range(file.num_row_groups):
                    for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=names):
                        rows, large = batch.to_pylist()[::-1], batch.nbytes > LARGE_BYTES
                        del batch
                        if large:
                            pa.default_memory_pool().release_unused()
                        while rows:  # what was handed out is not held here
                            yield self._record(**rows.pop())
            except (pa.ArrowException, OSError) as error:
                raise _damaged(path, error) from error

    def __contains__(self, item: object) -> bool:
        """Whether a record equals `item`; reads up to it."""
        return any(record == item for record in self)

    def shards(self) -> list[Path]:
        """The files in their order; one where there is no folder."""
        if not self.path.exists():
            raise ArtifactError(f"{self.path}: no such file; {way_out(self.path)}")
        return sorted(self.path.glob("*.parquet")) if self.path.is_dir() else [self.path]

    def names(self) -> list[str]:
        """The files as a manifest beside `path` names them."""
        return [path.relative_to(self.path.parent).as_posix() for path in self.shards()]

    def _open(self, path: Path) -> "pq.ParquetFile":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from error
        wanted = {field.name: field.type for field in arrow_schema(self._record)}
        found = {field.name: field.type for field in file.schema_arrow}
        other = sorted(name for name in wanted if found.get(name) != wanted[name])
        if other:
            detail = f"column {other[0]}: {found.get(other[0])}; expected {wanted[other[0]]}"
            raise _damaged(path, detail)
        return file


def _damaged(path: Path, detail: object) -> ArtifactError:
    return ArtifactError(f"{path}: damaged Parquet ({detail}); {way_out(path)}")


def write_rows(
    path: Path, rows: Iterable[Record], record: type[Record], *, shard_bytes: int = SHARD_BYTES
) -> Rows[Record]:
    """Write records as Parquet in the order given, whole or not at all; return what was written.

    A file where one shard holds all of them, with the bytes of `artifacts.write_parquet` up to
    `GROUP_BYTES`; else a folder `path/00000.parquet` and on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    work_dir = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        shards = _write_shards(work_dir, rows, record, shard_bytes)
        _remove(path)
        if len(shards) == 1:
            shards[0].replace(path)
        else:
            work_dir.chmod(0o755)
            work_dir.replace(path)
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)
    return Rows(path, record)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_shards(
    folder: Path, rows: Iterable[Record], record: type, shard_bytes: int
) -> list[Path]:
    """Write the files and sync them to disk."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths: list[Path] = []
    writer: pq.ParquetWriter | None = None
    used, bulky = 0, False
    schema = arrow_schema(record)
    for group, size in _groups(rows, min(GROUP_BYTES, shard_bytes)):
        large = len(group) == 1 and size > LARGE_BYTES
        if writer is not None and (used + size > shard_bytes or large > bulky):
            _close(writer, paths[-1])
            writer = None
        bulky = bulky or large
        if writer is None:
            paths.append(folder / f"{len(paths):05d}.parquet")
            writer, used = _open_writer(paths[-1], schema, bulky=bulky), 0
        writer.write_table(_table(group, schema), row_group_size=GROUP_ROWS)
        if large:
            pa.default_memory_pool().release_unused()
        group.clear()  # else it is held until the next one is whole
        used += size
    if writer is None:
        paths.append(folder / "00000.parquet")
        writer = _open_writer(paths[-1], schema, bulky=False)
        writer.write_table(_table([], schema), row_group_size=GROUP_ROWS)
    _close(writer, paths[-1])
    return paths


def _open_writer(path: Path, schema: "pa.Schema", *, bulky: bool) -> "pq.ParquetWriter":
    """A writer; of a `bulky` file without what holds each value several times while it is written.

    Arrow's dictionary and statistics of a body of 8 MB take 32 MB, and find nothing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not bulky:
        return pq.ParquetWriter(path, schema, compression="zstd")
    flat = [field.name for field in schema if not pa.types.is_large_binary(field.type)]
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        use_dictionary=flat,
        write_statistics=flat,
        data_page_version="2.0",
    )


def _close(writer: "pq.ParquetWriter", path: Path) -> None:
    writer.close()
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _groups(rows: Iterable[Record], limit: int) -> Iterator[tuple[list[Record], int]]:
    """Records in groups with their sizes; one above `LARGE_BYTES` is alone, and may exceed `limit`.

    Whoever takes a group may empty it.
    """
    group: list[Record] = []
    size = 0
    for row in rows:
        more = size_of(row)
        alone = more > LARGE_BYTES or (len(group) == 1 and size > LARGE_BYTES)
        if group and (alone or size + more > limit or len(group) == GROUP_ROWS):
            yield group, size
            group, size = [], 0
        group.append(row)
        size += more
        del row  # else it is held while the next one is made
    if group:
        yield group, size


def _table(rows: list[Any], schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
    return pa.table([_column(columns[field.name], field.type) for field in schema], schema=schema)


def _column(values: list[Any], kind: "pa.DataType") -> "pa.Array":
    """The values as Arrow holds them; a single body is not copied."""
    import pyarrow as pa

    if len(values) == 1 and pa.types.is_large_binary(kind):
        offsets = pa.array([0, len(values[0])], pa.int64()).buffers()[1]
        return pa.Array.from_buffers(kind, 1, [None, offsets, pa.py_buffer(values[0])])
    return pa.array(values, kind)


def size_of(record: object) -> int:
    """Characters and bytes of a flat record, 8 for each number: near what it takes in a table."""
    values = [getattr(record, field.name) for field in fields(record)]  # type: ignore[arg-type]
    return sum(len(value) if isinstance(value, str | bytes) else 8 for value in values)

"""`groundwork export qa`: the generated pairs for other trainers."""

from pathlib import Path

from groundwork.artifacts import check_manifest, from_mapping, read_jsonl, read_parquet, write_jsonl
from groundwork.config import DomainConfig, load
from groundwork.errors import InputError
from groundwork.qa import ExportFormat, export_pairs
from groundwork.records import Chunk, Question, Split

SPLITS = (Split.TRAIN, Split.VALIDATION, Split.TEST)


def export_qa(root: Path, *, form: str, split: str, out_path: Path) -> str:
    """Write the pairs of a split (or `all`) as JSONL and say how many.

    Raises: `ArtifactError` when stage `qa` has not run; `InputError` when the split is empty.
    """
    qa_dir, chunk_dir = root / "artifacts/qa", root / "artifacts/chunk"
    check_manifest(qa_dir)
    check_manifest(chunk_dir)
    domain = load("domain", DomainConfig, root / "params.yaml")
    splits = [str(name) for name in SPLITS] if split == "all" else [split]
    questions = [
        from_mapping(Question, row)
        for name in splits
        for row in read_jsonl(qa_dir / f"{name}.jsonl")
    ]
    if not questions:
        raise InputError(f"{qa_dir}/{split}.jsonl: no pairs; expected some, or another --split")
    rows = export_pairs(
        questions,
        read_parquet(chunk_dir / "chunks.parquet", Chunk),
        form=ExportFormat(form),
        persona=domain.persona,
        refusal=domain.refusal,
    )
    count = write_jsonl(out_path, rows)
    return f"{out_path}: {count} pairs ({', '.join(splits)}) as {form}"

"""Draws accepted pairs for a person to judge: question, answer, quote and the passage.

    python benchmarks/qa_sample.py --seed 3 --count 200

Reads `artifacts/qa/` and `artifacts/chunk/` of a finished run. The draw is over all splits, without
regard to kind, so that shares in the sample are shares of the whole.
"""

import argparse
import random
from pathlib import Path

from groundwork.artifacts import from_mapping, read_jsonl, read_parquet
from groundwork.records import Chunk, Question

QA = Path("artifacts/qa")
CHUNKS = Path("artifacts/chunk/chunks.parquet")


def draw(seed: int, count: int) -> list[Question]:
    """`count` accepted, answerable pairs in the order they were drawn."""
    rows = [
        row
        for split in ("train", "validation", "test")
        for row in read_jsonl(QA / f"{split}.jsonl")
    ]
    pairs = sorted(
        (q for q in (from_mapping(Question, row) for row in rows) if q.answerable),
        key=lambda q: q.question_id,
    )
    return random.Random(seed).sample(pairs, min(count, len(pairs)))  # noqa: S311 - repeatable


def main() -> None:
    """Print the sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--passages", action="store_true", help="print the passages as well")
    options = parser.parse_args()
    passages = {chunk.passage_id: chunk for chunk in read_parquet(CHUNKS, Chunk)}
    for number, pair in enumerate(draw(options.seed, options.count), start=1):
        evidence = pair.evidence[0]
        chunk = passages[evidence.passage_id]
        print(f"{number} [{pair.kind}] {pair.question_id} {chunk.title} > {chunk.heading}")
        print(f"  Q {pair.question}\n  A {pair.answer}")
        if options.passages:
            print(f"  E {evidence.quote}\n  P {chunk.text}\n")
        elif evidence.quote.rstrip(".") not in pair.answer:
            print(f"  E {evidence.quote}")


if __name__ == "__main__":
    main()

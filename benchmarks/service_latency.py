"""Latency of `POST /api/v1/query`, one client: start `groundwork serve`, then run this.

    python benchmarks/service_latency.py [URL] [ROUNDS]

Asks the golden set's `test` questions ROUNDS times over, each time with a number behind it, so that
no embedding is remembered, and prints percentiles in milliseconds.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import httpx

GOLDEN = Path("data/ev_charging/golden.jsonl")


def main() -> None:
    """Print n, p50, p95 and the slowest."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:3000"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    rows = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    questions = [row["question"] for row in rows if row["half"] == "test"]
    times_ms = []
    with httpx.Client(base_url=url, timeout=60) as client:
        for text in questions[:5]:
            client.post("/api/v1/query", json={"question": text}).raise_for_status()
        for number in range(rounds):
            for text in questions:
                started = time.perf_counter()
                answer = client.post("/api/v1/query", json={"question": f"{text} ({number})"})
                times_ms.append((time.perf_counter() - started) * 1000)
                answer.raise_for_status()
    times_ms.sort()
    print(
        f"n {len(times_ms)}, p50 {statistics.median(times_ms):.1f} ms, "
        f"p95 {times_ms[int(0.95 * len(times_ms))]:.1f} ms, max {times_ms[-1]:.1f} ms"
    )


if __name__ == "__main__":
    main()

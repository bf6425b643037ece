"""Near-duplicates: pairs of labelled editions, a site in five versions, and time at 100,000 texts.

    python benchmarks/near_duplicates.py labelled|versions|synthetic [FOLDER OF THE ARCHIVES]

`labelled` reads near-duplicates.tar.xz and scores pairs with the settings of `params.yaml`; the
threshold was chosen on the clusters whose name's hash is even. `versions` cleans every page of
`citrineos` of sites.tar.xz. `synthetic` needs no archive.
"""

import hashlib
import io
import json
import re
import resource
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from os import chdir
from pathlib import Path

import numpy as np

from groundwork.clean import CleanConfig, clean_pages
from groundwork.clean.duplicates import Candidate, find_duplicates, list_clusters
from groundwork.clean.neighbours import Neighbours
from groundwork.config import DomainConfig, load
from groundwork.records import Page

TEXTS = 100_000
WORDS = 300
VOCABULARY = 20_000
COPY_EVERY = 20
Pairs = Mapping[tuple[int, int], float]


def main() -> None:
    """Run the part that the first argument names."""
    parts: dict[str, Callable[[Path], None]] = {
        "labelled": labelled,
        "versions": versions,
        "synthetic": synthetic,
    }
    if len(sys.argv) < 2 or sys.argv[1] not in parts:
        sys.exit(f"near_duplicates: expected one of {', '.join(parts)}; see the first lines")
    parts[sys.argv[1]](Path(sys.argv[2] if len(sys.argv) > 2 else "../shared/data"))


def labelled(folder: Path) -> None:
    """F1 of pairs and of clusters, and whether any pair was lost."""
    config = load("clean", CleanConfig).duplicates
    names, clusters, words, jaccard = _read_labelled(folder / "near-duplicates.tar.xz")
    every = list(combinations(range(len(words)), 2))
    alike = {pair for pair in every if clusters[pair[0]] == clusters[pair[1]]}
    half = [hashlib.sha256(name.encode()).digest()[-1] % 2 for name in clusters]
    halves = {
        "tuning half": {pair for pair in every if half[pair[0]] == half[pair[1]] == 0},
        "other half": {pair for pair in every if half[pair[0]] == half[pair[1]] == 1},
        "all": set(every),
    }
    found = _similar(words, config.shingle_words, config.min_similarity)
    texts = [
        Candidate(name, "", True, " ".join(own)) for name, own in zip(names, words, strict=True)
    ]
    grouped = _grouped(list_clusters(find_duplicates(texts, config)), names)
    for name, pairs in halves.items():
        _print_score(f"pairs, {name}", set(found) & pairs, alike & pairs)
        _print_score(f"clusters, {name}", grouped & pairs, alike & pairs)
    _print_score("against all pairs compared", found.items(), _brute(words, config).items())
    numbers = {name: number for number, name in enumerate(names)}
    expected = {
        tuple(sorted((numbers[a], numbers[b]))) for (a, b), value in jaccard.items() if value >= 0.5
    }
    near = {pair for pair, value in _jaccards(words, 5, 0.5).items() if value >= 0.4995}
    _print_score("Jaccard index of five words >= .5", near, expected)


def _read_labelled(
    path: Path,
) -> tuple[list[str], list[str], list[list[str]], dict[tuple[str, str], float]]:
    with tarfile.open(path) as archive:
        files = {Path(item.name).name: archive.extractfile(item) for item in archive}
        rows = [json.loads(line) for line in files["docs.jsonl"] or ()]
        lines = (files["pairs_positive.tsv"] or io.BytesIO()).read().decode().splitlines()[1:]
    words = [re.findall(r"[^\W_]+", row["text"].casefold()) for row in rows]
    table = (line.split("\t") for line in lines)
    jaccard = {(left, right): float(value) for left, right, value, _ in table}
    return [row["id"] for row in rows], [row["cluster"] for row in rows], words, jaccard


def _similar(words: Sequence[Sequence[str]], length: int, least: float) -> Pairs:
    """Every pair that the index finds, with its similarity."""
    near = Neighbours.of_texts(words, shingle_words=length, min_similarity=least)
    found = {}
    for number in range(len(words)):
        similar = near.find(number)
        for other, value in zip(similar.numbers, similar.similarities, strict=True):
            found[int(other), number] = round(float(value), 9)
        near.add(number)
    return found


def _brute(words: Sequence[Sequence[str]], config: object) -> Pairs:
    """The same by comparing all pairs of sets of tuples."""
    length, least = config.shingle_words, config.min_similarity  # type: ignore[attr-defined]
    sets = [_shingles(own, length) for own in words]
    values = {
        (a, b): round(len(sets[a] & sets[b]) / min(len(sets[a]), len(sets[b])), 9)
        for a, b in combinations(range(len(words)), 2)
    }
    return {pair: value for pair, value in values.items() if value >= least}


def _jaccards(words: Sequence[Sequence[str]], length: int, least: float) -> Pairs:
    """Jaccard indices of the pairs that the index finds: containment is never below Jaccard."""
    sizes = [len(_shingles(own, length)) for own in words]
    found = {}
    for (a, b), value in _similar(words, length, least).items():
        common = value * min(sizes[a], sizes[b])
        found[a, b] = common / (sizes[a] + sizes[b] - common)
    return found


def _shingles(words: Sequence[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + length]) for i in range(max(len(words) - length + 1, 1))}


def _grouped(
    clusters: Sequence[Mapping[str, object]], names: Sequence[str]
) -> set[tuple[int, int]]:
    """Pairs of one cluster as the report has them."""
    numbers = {name: number for number, name in enumerate(names)}
    pairs: set[tuple[int, int]] = set()
    for cluster in clusters:
        urls = [cluster["canonical"], *(page["url"] for page in cluster["pages"])]  # type: ignore[attr-defined]
        pairs.update(combinations(sorted(numbers[str(url)] for url in urls), 2))
    return pairs


def _print_score(name: str, found: object, expected: object) -> None:
    found, expected = set(found), set(expected)  # type: ignore[call-overload]
    right = len(found & expected)
    precision, recall = right / max(len(found), 1), right / max(len(expected), 1)
    f1 = 2 * right / max(len(found) + len(expected), 1)
    print(
        f"{name}: F1 {f1:.3f}, precision {precision:.3f}, recall {recall:.3f} "
        f"({len(found)} found, {len(expected)} expected)"
    )


def versions(folder: Path) -> None:
    """What becomes of the pages of `citrineos`, all five versions."""
    config = load("clean", CleanConfig)
    domain = replace(load("domain", DomainConfig), categories={})
    pages = list(_citrineos(folder / "sites.tar.xz"))
    with tempfile.TemporaryDirectory() as own_folder:
        chdir(own_folder)
        result = clean_pages(pages, config=config, domain=domain, categorise=None)
    reasons = Counter(reject.reason for reject in result.rejects)
    print(f"{len(pages)} pages, {len(result.documents)} documents, rejected {dict(reasons)}")
    for cluster in result.report["clusters"]:
        print(cluster["canonical"])
        for page in cluster["pages"]:
            verdict = "left out" if page["left_out"] else "kept"
            print(f"    {page['similarity']:.2f} {verdict} {page['url']}")


def _citrineos(path: Path) -> Iterator[Page]:
    with tarfile.open(path) as archive:
        for item in archive:
            place = item.name.partition("citrineos/")[2]
            if item.isfile() and place.endswith(".html") and "_markdown_source" not in place:
                stream = archive.extractfile(item)
                body = stream.read() if stream else b""
                url = f"https://citrineos.github.io/{place.removesuffix('index.html')}"
                digest = hashlib.sha256(body).hexdigest()
                yield Page(url, "text/html", "utf-8", body, digest, "mirror", "unknown")


def synthetic(_folder: Path) -> None:
    """Seconds and memory of 100,000 texts of 300 words, each twentieth a changed copy."""
    config = load("clean", CleanConfig).duplicates
    texts = _synthetic_texts()
    started = time.monotonic()
    found = find_duplicates(texts, config)
    seconds = time.monotonic() - started
    right = {item.url for item in found if item.other == _original(item.url)}
    peak_gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{len(texts)} texts in {seconds:.0f} s, {peak_gib:.2f} GiB at the most; "
        f"{len(found)} found, {len(right)} of {TEXTS // COPY_EVERY} copies with their original"
    )


def _synthetic_texts() -> list[Candidate]:
    """Words by Zipf's law; a copy has up to an eighth of its words replaced."""
    rng = np.random.default_rng(13)
    weights = 1 / np.arange(1, VOCABULARY + 1)
    words = np.array([f"w{number}" for number in range(VOCABULARY)], dtype=object)
    ids = rng.choice(VOCABULARY, size=(TEXTS, WORDS), p=weights / weights.sum())
    for number in range(0, TEXTS, COPY_EVERY):
        changed = rng.random(WORDS) < rng.uniform(0, 0.125)
        ids[number + 1] = np.where(changed, rng.integers(0, VOCABULARY, WORDS), ids[number])
    return [
        Candidate(f"https://site.example/{number:06}", "", True, " ".join(words[row]))
        for number, row in enumerate(ids)
    ]


def _original(url: str) -> str:
    """Of a copy, or of an original its copy: either may be the one that is kept."""
    head, number = url[:-6], int(url[-6:])
    return f"{head}{number ^ 1:06}" if number % COPY_EVERY in (0, 1) else ""


if __name__ == "__main__":
    main()

"""Small passages are found, their parent section is returned."""

from dataclasses import replace

import pytest
from tiny_base import make_chunks
from tiny_index import WORDS, index_of, tiny_retrieval

from groundwork.answer import Retrieval
from groundwork.errors import ArtifactError
from groundwork.records import Chunk


def _retrieval(chunks: list[Chunk], returned: str) -> Retrieval:
    config = replace(tiny_retrieval()._config, returned=returned)
    return Retrieval(index_of(tuple(chunks)), WORDS, config)


def test_a_hit_brings_its_siblings_in_the_order_of_the_page() -> None:
    """Sections by their best passage; each passage once, with the score of the hit."""
    chunks = [
        replace(chunk, document_id="d", start=100 - n, end=101 - n, parent_id=f"parent{n % 3}")
        for n, chunk in enumerate(make_chunks())
    ]
    question = chunks[4].text
    hits = _retrieval(chunks, "passage").retrieve(question, top_k=2)
    wide = _retrieval(chunks, "parent").retrieve(question, top_k=2)
    families = [
        sorted((c for c in chunks if c.parent_id == parent), key=lambda c: c.start)
        for parent in dict.fromkeys(hit.chunk.parent_id for hit in hits)
    ]
    assert hits[0].chunk == chunks[4]
    assert [item.chunk for item in wide] == [chunk for family in families for chunk in family]
    assert {item.score for item in wide if item.chunk.parent_id == "parent1"} == {hits[0].score}
    assert len(wide) > 2


def test_an_index_without_parents_says_so() -> None:
    """Of a release that is older than parents; as it is, it serves passages."""
    chunks = make_chunks()
    assert {chunk.parent_id for chunk in chunks} == {""}
    assert _retrieval(chunks, "passage").retrieve(chunks[0].text)
    with pytest.raises(ArtifactError, match=r"returned=parent.*dvc repro --force chunk index"):
        _retrieval(chunks, "parent").retrieve(chunks[0].text)

"""A language model in the process: batches, signals, adapters that fit and that do not."""

import shutil
from pathlib import Path

import pytest
from tiny_base import DOMAIN, PLANTS, make_retrieved, sentence, write_base
from tiny_index import tiny_retrieval

from groundwork.answer import GenerativeConfig
from groundwork.answer.generative import Generative
from groundwork.answer.prompt import parse
from groundwork.artifacts import read_json, write_json, write_manifest
from groundwork.errors import ArtifactError, InputError

CONFIG = GenerativeConfig(decoding="free", max_new_tokens=6, batch_size=2)
QUESTIONS = ["What does the moss like?", "Why?", "How tall does the oak grow in a good year?"]


@pytest.fixture(scope="module")
def base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model."""
    return write_base(tmp_path_factory.mktemp("base"))


def _load(name: str, base_dir: Path, adapter_dir: Path | None) -> Generative:
    return Generative.load(
        name, base_dir, adapter_dir, config=CONFIG, domain=DOMAIN, retrieval=tiny_retrieval()
    )


@pytest.fixture(scope="module")
def base(base_dir: Path) -> Generative:
    """The tiny model without adapter."""
    return _load("base", base_dir, None)


def test_batches_say_what_single_questions_get(base: Generative) -> None:
    """Padding and the company in the batch change nothing but rounding; order is kept."""
    retrieved = [make_retrieved(0, 1), make_retrieved(3), make_retrieved(2, 4, 5)]
    together = base.draft_many(QUESTIONS, retrieved)
    alone = [base.draft(q, found) for q, found in zip(QUESTIONS, retrieved, strict=True)]
    assert [d.supports for d in together] == [d.supports for d in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.signals == pytest.approx(other.signals, abs=1e-4)


def test_signals_are_the_same_keys_and_sound(base: Generative) -> None:
    """Log-probabilities are negative, lengths within the limit, shares between 0 and 1."""
    for draft in base.draft_many(QUESTIONS, [make_retrieved(0, 1)] * 3):
        assert set(draft.signals) == {"mean_logprob", "answer_tokens", "copied_fraction"}
        assert draft.signals["mean_logprob"] < 0
        assert 1 <= draft.signals["answer_tokens"] <= 6
        assert 0 <= draft.signals["copied_fraction"] <= 1


def test_greedy_agrees_with_transformers(base: Generative) -> None:
    """Our loop and the library's `generate` choose the same tokens."""
    import torch

    prompt = base._ids("What does the moss like?", [])
    theirs = base._model.generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=6,
        do_sample=False,
    )[0, len(prompt) :]
    text = base._tokenizer.decode(theirs, skip_special_tokens=True).strip()
    assert base._generate([prompt], None)[0].text == text


def test_too_many_passages_are_cut_to_fit(base: Generative) -> None:
    """All eight passages do not fit into 480 tokens; an answer comes all the same."""
    shown = base._fit("Why?", make_retrieved(*range(8)))
    assert len(base._ids("Why?", shown)) <= 480 - 6
    assert shown[0].chunk.passage_id == "p0"
    assert base.draft("Why?", make_retrieved(*range(8))).signals


def test_question_that_fills_the_prompt_is_refused(base: Generative) -> None:
    """The message says how many tokens there are."""
    with pytest.raises(InputError, match="shorten the question"):
        base.draft("why " * 2000, make_retrieved(0))


def test_no_passages_still_get_an_answer(base: Generative) -> None:
    """Retrieval may find nothing."""
    draft = base.draft("Why?", [])
    assert all(support.passage_id == "" for support in draft.supports)


def test_verbatim_answers_are_lines_of_the_passages(base_dir: Path) -> None:
    """An untrained model says nothing else, in batches too; without passages it refuses."""
    config = GenerativeConfig(decoding="verbatim", max_new_tokens=40, batch_size=2)
    model = Generative.load(
        "base", base_dir, None, config=config, domain=DOMAIN, retrieval=tiny_retrieval()
    )
    retrieved = [make_retrieved(0, 1), make_retrieved(3), []]
    first, second, none = model.draft_many(QUESTIONS, retrieved)
    for draft, found in ((first, retrieved[0]), (second, retrieved[1])):
        lines = {line for item in model._fit("Why?", found) for line in item.lines}
        assert draft.supports
        assert {support.text for support in draft.supports} <= lines
        assert all(support.quote == support.text for support in draft.supports)
        assert draft.signals["mean_logprob"] < 0
    assert none.refused


@pytest.fixture(scope="module")
def extracting(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Generative:
    """The tiny model as one that is shown two sentences."""
    folder = Path(shutil.copytree(base_dir, tmp_path_factory.mktemp("extracts") / "base"))
    write_json(folder / "base.json", read_json(folder / "base.json") | {"extracts": 2})
    write_manifest(folder, read_json(folder / "manifest.json")["files"])
    return _load("base", folder, None)


def test_small_model_is_shown_sentences(extracting: Generative) -> None:
    """The two nearest to the question, each under its passage's title."""
    shown = extracting._fit("What does the oak like?", make_retrieved(0, 2, 3))
    assert sum(len(item.lines) for item in shown) == 2
    assert shown[0].chunk.passage_id == "p2"
    assert shown[0].lines[0] == sentence(2)


def test_model_without_extracts_is_shown_passages(base: Generative) -> None:
    """Whole, in the order of the retrieval."""
    shown = base._fit("What does the oak like?", make_retrieved(0, 2))
    assert [item.chunk.passage_id for item in shown] == ["p0", "p2"]
    assert [len(item.lines) for item in shown] == [3, 3]


def test_extracts_are_answered_like_passages(extracting: Generative) -> None:
    """Same signals; citations count the passages that are shown; nothing retrieved is no error."""
    drafts = extracting.draft_many(QUESTIONS, [make_retrieved(0, 1), make_retrieved(3), []])
    assert len(drafts) == 3
    for draft in drafts:
        assert set(draft.signals) == {"mean_logprob", "answer_tokens", "copied_fraction"}
    chunks = [s.chunk for s in extracting._fit("What does the oak like?", make_retrieved(0, 2))]
    said = parse(f"{sentence(2)} [1]", chunks, refusal=DOMAIN.refusal)
    assert [support.passage_id for support in said.supports] == ["p2"]
    assert chunks[0].title == PLANTS[2].title()


@pytest.mark.slow
def test_adapter_changes_the_answers_and_must_fit(
    base_dir: Path, base: Generative, adapter_dir: Path, tmp_path: Path
) -> None:
    """An adapter is applied without merging; missing, damaged and foreign ones are errors."""
    tuned = _load("tuned", base_dir, adapter_dir)
    asked = (QUESTIONS, [make_retrieved(0, 1)] * 3)
    assert [d.signals for d in tuned.draft_many(*asked)] != [
        d.signals for d in base.draft_many(*asked)
    ]
    from bitsandbytes.nn import Linear4bit

    assert any(isinstance(module, Linear4bit) for module in tuned._model.modules())
    for damage, message in (
        (lambda folder: (folder / "adapter_config.json").unlink(), "no such file"),
        (
            lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"no"),
            "does not fit",
        ),
        (
            lambda folder: write_json(
                folder / "adapter_config.json",
                read_json(folder / "adapter_config.json") | {"r": 3},
            ),
            "does not fit",
        ),
    ):
        folder = Path(shutil.copytree(adapter_dir, tmp_path / message / damage.__code__.co_name))
        damage(folder)
        with pytest.raises(ArtifactError, match=f"{message}.*single-item train"):
            _load("tuned", base_dir, folder)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def adapter_dir(base_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter with weights that are not zero, as `train` writes it."""
    from tiny_base import train_config

    from groundwork.base import load_base, read_info
    from groundwork.train import Tuned, save_adapter
    from groundwork.train.trl import with_adapters

    model = with_adapters(load_base(base_dir)[0], train_config())
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.fill_(0.05)
    folder = tmp_path_factory.mktemp("train") / "adapter"
    save_adapter(Tuned(model, None, [], [], 0, 0, ()), folder, info=read_info(base_dir))
    return folder

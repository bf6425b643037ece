"""The embedded base model: tokenizer, start values, mixture, pretraining."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_base import base_config, make_documents

from groundwork.artifacts import sha256_file
from groundwork.base.embedded import build_embedded, save_embedded
from groundwork.base.induction import HEADS, ROPE_THETA, initialise
from groundwork.base.mixture import LINES, Mixture
from groundwork.base.tokens import train_tokenizer
from groundwork.errors import InputError


def _encode(text: str) -> list[int]:
    return [ord(c) % 200 for c in text]


def test_tokenizer_gives_back_any_text() -> None:
    """Characters that the documents lack survive, because tokens are bytes."""
    tokenizer = train_tokenizer(["moss and fern"], vocabulary=300, positions=64)
    text = "7,4 kW – “snäll”\n\t€ 漢字"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_chat_template_marks_turns_and_ends() -> None:
    """The user's turn ends; the assistant's is opened for the model to go on."""
    tokenizer = train_tokenizer(["moss"], vocabulary=300, positions=64)
    turn = [{"role": "user", "content": "Why?"}]
    assert (
        tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        == "<|user|>\nWhy?<|end|>\n<|assistant|>\n"
    )
    assert (tokenizer.pad_token, tokenizer.eos_token) == ("<|pad|>", "<|end|>")


def test_special_tokens_are_one_token_each() -> None:
    """A prompt spends one token on each mark."""
    tokenizer = train_tokenizer(["moss"], vocabulary=300, positions=64)
    assert [len(tokenizer.encode(mark)) for mark in ("<|user|>", "<|assistant|>", "<|end|>")] == [
        1,
        1,
        1,
    ]


def test_start_values_copy_without_training() -> None:
    """Before the first step a repeated sequence of random tokens is continued rightly."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=500,
        hidden_size=HEADS * 64,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=HEADS,
        num_key_value_heads=HEADS,
        rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    initialise(model, seed=3)
    pattern = torch.randperm(500, generator=torch.Generator().manual_seed(1))[:60]
    with torch.inference_mode():
        guesses = model(input_ids=torch.cat([pattern, pattern])[None]).logits[0].argmax(-1)
    copied = (guesses[60:-1] == pattern[1:]).float().mean().item()
    assert copied > 0.8


def test_mixture_draws_the_same_sequences_again() -> None:
    """The seed decides, nothing else."""
    draws = [
        list(
            Mixture(
                make_documents(), encode=_encode, vocabulary=200, config=base_config(seed=seed)
            ).batches()
        )
        for seed in (1, 1, 2)
    ]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


@pytest.mark.parametrize(("text", "copy"), [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_sequences_have_their_length_and_something_to_learn(text: float, copy: float) -> None:
    """Text, repetition and lookup each fill the sequence and weigh some of it."""
    config = base_config(text_share=text, copy_share=copy, steps=5, sequence_tokens=200)
    mixture = Mixture(make_documents(), encode=_encode, vocabulary=200, config=config)
    for batch in mixture.batches():
        for example in batch:
            assert len(example.ids) == len(example.weights) == 200
            assert sum(weight > 0 for weight in example.weights) > 20


def test_lookup_asks_for_a_line_on_show() -> None:
    """What is weighed in a lookup stands in the lines above it."""
    config = base_config(text_share=0.0, copy_share=0.0, steps=1, sequence_tokens=400)
    mixture = Mixture(
        make_documents(), encode=lambda t: [ord(c) for c in t], vocabulary=200, config=config
    )
    example = next(mixture.batches())[0]
    first = next(i for i, weight in enumerate(example.weights) if weight)
    shown = "".join(map(chr, example.ids[:first]))
    answer = "".join(map(chr, example.ids[first:])).split("\n")[0]
    assert f"{answer}\n" in shown


def test_documents_without_sentences_are_an_error() -> None:
    """A corpus of headings cannot be learned from; the message says what was expected."""
    documents = [replace(document, text="# Moss") for document in make_documents()]
    with pytest.raises(InputError, match=f"no {LINES[0]} sentences"):
        build_embedded(documents, base_config())


def test_no_documents_are_an_error() -> None:
    """An empty corpus names the stage's rejects."""
    with pytest.raises(InputError, match=r"rejects\.jsonl"):
        build_embedded([], base_config())


def test_a_corpus_of_two_documents_is_enough(tmp_path: Path) -> None:
    """Small corpora give a small vocabulary, not a failure."""
    built = build_embedded(make_documents()[:2], base_config(vocabulary=4096))
    assert len(built.tokenizer) < 600
    assert [row["step"] for row in built.history] == [3]


def test_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    """Twice the same documents and seed: equal files; another seed: other weights."""
    sums = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        names = save_embedded(
            build_embedded(make_documents(), base_config(seed=seed)), tmp_path / name
        )
        sums.append({n: sha256_file(tmp_path / name / n) for n in names})
    assert sums[0] == sums[1]
    assert sums[0]["model.safetensors"] != sums[2]["model.safetensors"]
    assert {"config.json", "generation_config.json", "tokenizer.json"} <= set(sums[0])


@pytest.mark.slow
def test_pretraining_lowers_the_loss() -> None:
    """A few dozen steps on the tiny corpus are seen in the history."""
    built = build_embedded(
        make_documents(), base_config(steps=75, head_size=32, sequence_tokens=128)
    )
    losses = [row["loss"] for row in built.history]
    assert losses[-1] < 0.7 * losses[0]

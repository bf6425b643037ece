"""An adapter merged into the encoder: arithmetic, PEFT's own merge, identity, errors."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_base import make_chunks
from tiny_encoder import write_encoder

from groundwork.base import older_names
from groundwork.errors import ArtifactError
from groundwork.index import (
    ADAPTER,
    ADAPTER_CONFIG,
    Encoder,
    IndexConfig,
    Lora,
    RememberingEncoder,
    adapter_sha256,
    build_index,
    encoder_sha256,
    load_index,
    retriever_sha256,
)
from groundwork.index.lora import read_adapter

TEXTS = ["What does the moss like?", "Moss likes shade and water."]
MODULE = "encoder.layer.0.attention.self.query"
CONFIG = {"r": 2, "lora_alpha": 4, "bias": "none", "use_dora": False, "use_rslora": False}
INDEX = IndexConfig(faiss="Flat", bm25_k1=1.5, bm25_b=0.75)


@pytest.fixture(scope="module")
def encoder_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny encoder."""
    return write_encoder(tmp_path_factory.mktemp("encoder"))


def write_adapter(folder: Path, *, size: float = 0.3, **changes: object) -> Path:
    """An adapter of one layer's query, rank 2, scale 2."""
    generator = torch.Generator().manual_seed(1)
    tensors = {
        f"base_model.model.{MODULE}.lora_A.weight": torch.randn(2, 384, generator=generator),
        f"base_model.model.{MODULE}.lora_B.weight": size * torch.randn(384, 2, generator=generator),
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / ADAPTER)
    (folder / ADAPTER_CONFIG).write_text(json.dumps(CONFIG | changes), encoding="utf-8")
    return folder


def test_the_delta_is_b_times_a_times_alpha_over_rank() -> None:
    """W + 4/2 * B A, by hand on a weight of two by two; what is not named is shared."""
    weights = {"x.weight": torch.zeros(2, 2), "y.weight": torch.ones(1)}
    tensors = {
        "base_model.model.x.lora_A.weight": torch.tensor([[1.0, 2.0]]),
        "base_model.model.x.lora_B.weight": torch.tensor([[3.0], [4.0]]),
    }
    merged = Lora(tensors, scale=2.0).merge(weights)
    assert merged["x.weight"].tolist() == [[6.0, 12.0], [8.0, 16.0]]
    assert merged["y.weight"] is weights["y.weight"]
    assert weights["x.weight"].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_vectors_are_those_of_pefts_own_merge(encoder_dir: Path, tmp_path: Path) -> None:
    """Our forward pass with the adapter merged against transformers' with PEFT's `merge`."""
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
    from safetensors.torch import load_file
    from transformers import AutoModel

    adapter_dir = write_adapter(tmp_path)
    lora = LoraConfig(r=2, lora_alpha=4, target_modules=["0.attention.self.query"])
    with older_names():
        model = get_peft_model(AutoModel.from_pretrained(encoder_dir), lora)
    set_peft_model_state_dict(model, load_file(adapter_dir / ADAPTER))
    saved_dir = tmp_path / "merged"
    model.merge_and_unload().save_pretrained(saved_dir)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (saved_dir / name).write_bytes((encoder_dir / name).read_bytes())
    expected = Encoder.load(saved_dir).encode(TEXTS)
    found = Encoder.load(encoder_dir, adapter_dir=adapter_dir).encode(TEXTS)
    assert np.allclose(found, expected, atol=1e-6)
    assert not np.allclose(found, Encoder.load(encoder_dir).encode(TEXTS), atol=1e-3)


def test_base_and_adapted_share_what_is_not_adapted(encoder_dir: Path, tmp_path: Path) -> None:
    """The second encoder costs the adapted weights alone."""
    plain = Encoder.load(encoder_dir)
    adapted = plain.adapted(write_adapter(tmp_path))
    same = [n for n, w in adapted._model.weights.items() if w is plain._model.weights[n]]
    assert set(adapted._model.weights) - set(same) == {f"{MODULE}.weight"}


@pytest.mark.parametrize(
    ("name", "value"), [("use_dora", True), ("use_rslora", True), ("bias", "all")]
)
def test_what_cannot_be_merged_is_refused(tmp_path: Path, name: str, value: object) -> None:
    """Left out in silence, it would serve another encoder than the one trained."""
    with pytest.raises(ArtifactError, match=f"{name}=.*only plain LoRA"):
        read_adapter(write_adapter(tmp_path, **{name: value}))


def test_an_adapter_of_another_encoder_is_refused(encoder_dir: Path, tmp_path: Path) -> None:
    """A layer that is not there, and a layer of another width."""
    for name, width in (("encoder.layer.7.output.dense", 384), (MODULE, 12)):
        tensors = {
            f"base_model.model.{name}.lora_A.weight": torch.ones(2, width),
            f"base_model.model.{name}.lora_B.weight": torch.ones(384, 2),
        }
        with pytest.raises(ArtifactError, match="expected an adapter of this encoder"):
            Encoder.load(encoder_dir).merged(Lora(tensors, 1.0))


def test_damaged_weights_are_named(tmp_path: Path) -> None:
    """Cut off in the middle."""
    path = write_adapter(tmp_path) / ADAPTER
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ArtifactError, match=rf"{ADAPTER}.*damaged"):
        read_adapter(tmp_path)


def test_the_name_of_a_retriever_covers_weights_and_configuration(tmp_path: Path) -> None:
    """Another scale is another encoder."""
    one, two = write_adapter(tmp_path / "a"), write_adapter(tmp_path / "b", lora_alpha=8)
    other = write_adapter(tmp_path / "c", size=0.2)
    names = {retriever_sha256(folder) for folder in (one, two, other, None)}
    assert len(names) == 4
    assert retriever_sha256(None) == encoder_sha256()
    assert adapter_sha256(one) != adapter_sha256(other)


def test_memory_keeps_the_vectors_of_each_adapter_apart(
    encoder_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Base, one adapter and another: three entries for the same texts."""
    monkeypatch.chdir(tmp_path)
    base = RememberingEncoder(lambda: Encoder.load(encoder_dir))
    folders = [write_adapter(tmp_path / name, size=size) for name, size in (("a", 0.3), ("b", 0.6))]
    encoders = [base, *(base.adapted(folder) for folder in folders)]
    vectors = [encoder.encode(TEXTS) for encoder in encoders]
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)
    assert not np.allclose(vectors[1], vectors[2], atol=1e-3)
    again = [encoder.encode(TEXTS).tobytes() for encoder in encoders]
    assert again == [part.tobytes() for part in vectors]


def test_an_index_with_an_adapter_carries_it(encoder_dir: Path, tmp_path: Path) -> None:
    """Passages are searched by the adapted encoder; sentences and `vectors_ND` stay the base's."""
    encoder = Encoder.load(encoder_dir)
    adapter_dir = write_adapter(tmp_path / "adapter")
    chunks = make_chunks()
    for name, folder in (("plain", None), ("adapted", adapter_dir)):
        build_index(
            chunks, config=INDEX, encoder=encoder, folder=tmp_path / name, adapter_dir=folder
        )
    plain, adapted = (load_index(tmp_path / name, encoder) for name in ("plain", "adapted"))
    assert (plain.retriever, plain.searched_ND is plain.vectors_ND) == (None, True)
    assert adapted.retriever is not None
    assert adapted.vectors_ND.tobytes() == plain.vectors_ND.tobytes()
    assert adapted.sentence_vectors_SD.tobytes() == plain.sentence_vectors_SD.tobytes()
    assert adapted.tokens_MP.tobytes() == plain.tokens_MP.tobytes()
    question_D = adapted.retriever.encode(TEXTS[:1])[0]
    assert np.allclose(adapted.searched_ND, adapted.store.vectors())
    assert not np.allclose(adapted.searched_ND, plain.searched_ND, atol=1e-3)
    assert np.allclose(adapted.store.embeddings.embed_query(TEXTS[0]), question_D)
    manifest = json.loads((tmp_path / "adapted/manifest.json").read_text())
    assert manifest["retriever"] == {
        "sha256": retriever_sha256(adapter_dir),
        "adapter_sha256": adapter_sha256(adapter_dir),
    }
    back = adapted.unadapted(encoder)
    assert back.store.vectors().tobytes() == plain.store.vectors().tobytes()
    assert replace(back, store=plain.store).retriever is None


def test_a_changed_adapter_in_an_index_is_found(encoder_dir: Path, tmp_path: Path) -> None:
    """It is one of the manifest's files."""
    encoder = Encoder.load(encoder_dir)
    adapter_dir = write_adapter(tmp_path / "adapter")
    folder = tmp_path / "index"
    build_index(
        make_chunks(), config=INDEX, encoder=encoder, folder=folder, adapter_dir=adapter_dir
    )
    write_adapter(folder / "retriever", lora_alpha=6)
    with pytest.raises(ArtifactError, match=r"adapter_config\.json: sha256"):
        load_index(folder, encoder)

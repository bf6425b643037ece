"""A base model, documents, passages and questions so small that tests can train on them."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from groundwork.artifacts import short_id, write_manifest
from groundwork.base import BaseConfig, build_embedded, describe, save_embedded, write_info
from groundwork.config import DomainConfig, ModelConfig
from groundwork.records import Chunk, Document, Evidence, Question, Retrieved
from groundwork.train import LoraSection, PreferenceSection, TrainConfig

PLANTS = ("moss", "fern", "oak", "ivy", "pine", "reed", "elm", "fir")
NEEDS = ("shade", "sun", "water", "sand", "wind", "chalk", "salt", "frost")

DOMAIN = DomainConfig(
    name="plants",
    title="plants",
    languages=["en"],
    licence="CC-BY-4.0",
    depends_on="data",
    mirror=None,
    site=None,
    files=None,
    git=None,
    feed=None,
    api=None,
    golden_path=None,
    labelled_path=None,
    intents_path=None,
    categories={},
    allowed_personal_data=[],
    persona="You answer questions about plants.",
    refusal="I cannot answer that from the pages I know.",
    examples=[],
)


def sentence(i: int) -> str:
    """The fact of passage `i`."""
    return f"The {PLANTS[i]} likes {NEEDS[i]} more than anything else."


def make_documents() -> list[Document]:
    """One document a plant, of three sentences."""
    return [
        Document(
            document_id=short_id(plant),
            url=f"https://plants.example/{plant}/",
            title=plant.title(),
            text=f"{sentence(i)} It grows {i + 2} m tall in a good year. Bees visit it in spring.",
            language="en",
            date="",
            author="",
            category="plants",
            category_confidence=1.0,
            media="html",
            licence="CC-BY-4.0",
            source="site",
            page_sha256="",
        )
        for i, plant in enumerate(PLANTS)
    ]


def make_chunks() -> list[Chunk]:
    """One passage a document: all of it."""
    return [
        Chunk(
            passage_id=f"p{i}",
            document_id=document.document_id,
            url=document.url,
            title=document.title,
            heading="Needs",
            text=document.text,
            start=0,
            end=len(document.text),
            tokens=30,
            category="plants",
            licence="CC-BY-4.0",
        )
        for i, document in enumerate(make_documents())
    ]


def make_questions(split: str = "train", numbers: range = range(8)) -> list[Question]:
    """One question a plant, answered by its first sentence."""
    chunks = make_chunks()
    return [
        Question(
            question_id=f"{split}{i}",
            question=f"What does the {PLANTS[i]} like?",
            answer=sentence(i),
            answerable=True,
            category="plants",
            kind="fact",
            evidence=(Evidence(f"p{i}", sentence(i), chunks[i].url),),
            facts=(),
            document_id=chunks[i].document_id,
            split=split,
            origin="rules",
        )
        for i in numbers
    ]


def make_retrieved(*numbers: int) -> list[Retrieved]:
    """Passages as retrieval would give them."""
    chunks = make_chunks()
    return [Retrieved(chunks[i], score=1.0, dense=0.5, lexical=1.0) for i in numbers]


def base_config(**changes: Any) -> BaseConfig:
    """A recipe of seconds."""
    values: dict[str, Any] = {
        "vocabulary": 420,
        "head_size": 16,
        "layers": 2,
        "feed_forward": 64,
        "positions": 512,
        "steps": 3,
        "batch_size": 2,
        "sequence_tokens": 64,
        "learning_rate": 1e-3,
        "text_share": 0.3,
        "copy_share": 0.3,
        "threads": 1,
        "seed": 5,
    }
    return BaseConfig(**(values | changes))


def model_config(**changes: Any) -> ModelConfig:
    """The embedded model, with room for three passages."""
    values: dict[str, Any] = {
        "name": "embedded",
        "kind": "embedded",
        "hub_id": None,
        "revision": None,
        "max_length": 480,
        "extracts": 0,
        "shape": None,
    }
    return ModelConfig(**(values | changes))


def lora_section(**changes: Any) -> LoraSection:
    """Small matrices beside two layers of each block."""
    values: dict[str, Any] = {
        "rank": 4,
        "alpha": 8,
        "dropout": 0.1,
        "target_modules": ["q_proj", "v_proj"],
        "bias": "none",
        "plus_ratio": 1.0,
        "rslora": False,
        "dora": False,
    }
    return LoraSection(**(values | changes))


def train_config(**changes: Any) -> TrainConfig:
    """Four steps on two pairs each, a checkpoint every second step."""
    values: dict[str, Any] = {
        "lora": lora_section(),
        "learning_rate": 1e-3,
        "scheduler": "linear",
        "warmup_steps": 0,
        "warmup_ratio": 0.0,
        "batch_size": 1,
        "gradient_accumulation": 2,
        "processes": 1,
        "sharded": False,
        "epochs": 1,
        "max_steps": 4,
        "max_grad_norm": 1.0,
        "optimizer": "adamw",
        "gradient_checkpointing": False,
        "packing": False,
        "weight_decay": 0.0,
        "passages": 2,
        "refusals": 0.0,
        "eval_pairs": 2,
        "logging_steps": 2,
        "save_steps": 2,
        "eval_steps": 2,
        "patience": 0,
        "threads": 1,
        "max_reject_ratio": 0.2,
        "preference": PreferenceSection(
            enabled=False, beta=0.1, learning_rate=1e-3, max_steps=4, sft_weight=0.0
        ),
        "seed": 5,
    }
    return TrainConfig(**(values | changes))


def write_base(base_dir: Path, **changes: Any) -> Path:
    """Build the tiny model into `base_dir` as stage `base` does."""
    built = build_embedded(make_documents(), base_config(**changes))
    names = save_embedded(built, base_dir / "model")
    write_info(base_dir, describe(base_dir / "model", names, model=model_config(), revision=""))
    write_manifest(base_dir, ["base.json", *(f"model/{name}" for name in names)])
    return base_dir


def run_stage(name: str) -> None:
    """Call the stage script of that name in this process, in the working directory."""
    root = str(Path(__file__).resolve().parents[1])
    if root not in sys.path:
        sys.path.insert(0, root)
    getattr(import_module(f"stages.{name}"), name)()

"""A BERT encoder of two narrow layers and a small vocabulary, written as the bundled one lies.

Its vectors have the real one's 384 dimensions; its weights are drawn, so it knows nothing.
"""

from pathlib import Path
from typing import Any

from tiny_base import PLANTS, make_chunks, make_questions

from groundwork.adapt import AdaptConfig
from groundwork.adapt.config import AdapterSection
from groundwork.classify import ClassifyConfig
from groundwork.index import passage_text

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def write_encoder(folder: Path) -> Path:
    """Write weights, configuration and tokenizer; returns `folder`."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(WordLevel({}, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    texts = [passage_text(chunk) for chunk in make_chunks()]
    texts += [question.question for question in make_questions(numbers=range(len(PLANTS)))]
    words = sorted(
        {
            word
            for text in texts
            for word, _ in BertPreTokenizer().pre_tokenize_str(
                tokenizer.normalizer.normalize_str(text)
            )
        }
    )
    vocabulary = {word: number for number, word in enumerate([*SPECIAL, *words])}
    tokenizer.model = WordLevel(vocabulary, unk_token="[UNK]")
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, sep_token="[SEP]", mask_token="[MASK]", **names
    ).save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=384,
        num_hidden_layers=2,
        num_attention_heads=6,
        intermediate_size=128,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def adapt_config(**changes: Any) -> AdaptConfig:
    """Four steps on two pairs each, a look and a checkpoint every second step."""
    values: dict[str, Any] = {
        "enabled": True,
        "min_pairs": 4,
        "min_validation": 2,
        "lora": AdapterSection(rank=4, alpha=8, dropout=0.1, target_modules=["query", "dense"]),
        "learning_rate": 5e-3,
        "warmup_ratio": 0.1,
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "scale": 20.0,
        "batch_size": 2,
        "epochs": 1,
        "max_steps": 4,
        "max_tokens": 64,
        "hard_negatives": 0,
        "negative_ceiling": 1.0,
        "precision": "fp32",
        "logging_steps": 1,
        "eval_steps": 2,
        "save_steps": 2,
        "patience": 3,
        "eval_passages": 6,
        "alpha": 0.025,
        "resamples": 500,
        "threads": 1,
        "seed": 5,
    }
    return AdaptConfig(**(values | changes))


def classify_config(**changes: Any) -> ClassifyConfig:
    """Four steps on four texts each, a look and a checkpoint every second step."""
    values: dict[str, Any] = {
        "enabled": True,
        "min_texts": 4,
        "min_held_out": 2,
        "min_examples": 2,
        "held_out": 0.25,
        "passages": True,
        "max_judged": 100,
        "lora": AdapterSection(rank=4, alpha=8, dropout=0.1, target_modules=["query", "dense"]),
        "learning_rate": 5e-3,
        "warmup_ratio": 0.1,
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
        "prototypes": 2,
        "scale": 20.0,
        "label_smoothing": 0.1,
        "token_dropout": 0.1,
        "averaging": 0.5,
        "batch_size": 4,
        "epochs": 1,
        "max_steps": 4,
        "max_tokens": 64,
        "precision": "fp32",
        "logging_steps": 1,
        "eval_steps": 2,
        "save_steps": 2,
        "patience": 3,
        "max_wrong_out": 0.05,
        "threads": 1,
        "seed": 5,
    }
    return ClassifyConfig(**(values | changes))

"""Tiny transformers with random weights, saved as `save_pretrained` and PyTorchModelHubMixin save real ones."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

WORDS = [f"w{number}" for number in range(60)]
LABELS = {0: "High", 1: "Medium", 2: "Low"}
DEBERTA = {
    "vocab_size": 64,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "relative_attention": True,
    "position_buckets": 16,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
    "initializer_range": 0.5,
}


def save_tokenizer(folder: Path, max_length: int) -> None:
    """A tokenizer of words, with the special tokens of BERT."""
    vocabulary = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        model_max_length=max_length,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(folder)


def save_bert(folder: Path, labels: int, seed: int = 0) -> None:
    """A sequence classifier like FineWeb-Edu's; with one label a regression."""
    torch.manual_seed(seed)
    config = transformers.BertConfig(
        vocab_size=64,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=512,
        initializer_range=0.6,
        num_labels=labels,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    save_tokenizer(folder, 512)


def save_deberta_head(folder: Path, *, model_type: bool = True) -> None:
    """What `nvidia/quality-classifier-deberta` holds: DeBERTa under `model`, a linear layer `fc`, labels in the
    config; without `model_type` as the hub mixin alone writes it."""
    torch.manual_seed(1)
    folder.mkdir(parents=True, exist_ok=True)
    encoder = transformers.DebertaV2Model(transformers.DebertaV2Config(**DEBERTA))
    fc = torch.nn.Linear(16, 3)
    weights = {f"model.{name}": value.contiguous() for name, value in encoder.state_dict().items()}
    weights |= {f"fc.{name}": value for name, value in fc.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    config = {"base_model": "microsoft/deberta-v3-base", "fc_dropout": 0.2, "id2label": LABELS}
    if model_type:
        config |= {"model_type": "deberta-v2", **DEBERTA}
    (folder / "config.json").write_text(json.dumps(config))
    save_tokenizer(folder, 512)

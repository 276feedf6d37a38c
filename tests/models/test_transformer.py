"""Transformer classifiers against a plain computation with the same library, one text at a time."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

pytest.importorskip("torch", reason="torch is not installed (extra classifiers)")
pytest.importorskip("transformers", reason="transformers is not installed (extra classifiers)")

import torch
import transformers
from safetensors.torch import load_file

from curate.errors import ModelError
from curate.kernels import Texts
from curate.models.classifier import classifier
from tests.models.transformers_saved import DEBERTA, LABELS, WORDS, save_bert, save_deberta_head

# Others use this machine too, and threads of torch that wait for a processor wait long.
torch.set_num_threads(1)

DRAW = random.Random(5)
STRINGS = [" ".join(DRAW.choices(WORDS, k=DRAW.randint(0, 90))) for _ in range(60)]
STRINGS += ["", "unknown Wörter 語", "w1 " * 700]
TEXTS = Texts.from_arrow(pa.array(STRINGS))
ROWS = np.arange(len(STRINGS))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_bert(folder / "three", 3)
    save_bert(folder / "edu", 1, seed=3)
    save_deberta_head(folder / "deberta")
    save_deberta_head(folder / "mixin", model_type=False)
    cards = {
        "edu": {"kind": "transformer", "output": "regression", "range": [0, 5], "text": {"max_tokens": 512}},
        "tags": {"kind": "transformer", "output": "sigmoid", "where": {"path": "three"}},
        "deberta": {"kind": "deberta_head", "text": {"max_chars": 90, "max_tokens": 40}},
        "mixin": {"kind": "deberta_head", "architecture": {"model_type": "deberta-v2", **DEBERTA}},
        "unknown": {"kind": "deberta_head", "where": {"path": "mixin"}},
    }
    for name, card in cards.items():
        common = {"name": name, "summary": "", "licence": "none", "source": "tests", "where": {"path": name}}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump({**common, **card}))
    return folder


def plain_logits(folder: Path, strings: list[str], max_tokens: int = 512) -> np.ndarray:
    """Logits of a saved sequence classifier, a text at a time, without any padding."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    found = []
    with torch.no_grad():
        for text in strings:
            tokens = tokenizer(text, truncation=True, max_length=max_tokens, return_tensors="pt")
            found.append(
                model(tokens["input_ids"], attention_mask=tokens["attention_mask"]).logits[0].numpy()
            )
    return np.array(found)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_softmax_classifier(models: Path) -> None:
    found = classifier(str(models / "three"), "cpu")
    predictions = found.predict(TEXTS, ROWS)
    expected = softmax(plain_logits(models / "three", STRINGS))
    assert found.labels == ("LABEL_0", "LABEL_1", "LABEL_2")
    assert np.allclose(predictions.probabilities, expected, atol=1e-5)
    assert np.array_equal(predictions.best, expected.argmax(axis=1))
    assert len(set(predictions.best)) > 1, "a test that cannot fail shows nothing"


def test_labels_that_do_not_exclude_each_other(models: Path) -> None:
    found = classifier(str(models / "tags.yaml"), "cpu").predict(TEXTS, ROWS)
    logits = plain_logits(models / "three", STRINGS)
    assert np.allclose(found.probabilities, 1 / (1 + np.exp(-logits)), atol=1e-5)


def test_educational_value_is_rounded_as_published(models: Path) -> None:
    found = classifier(str(models / "edu.yaml"), "cpu")
    predictions = found.predict(TEXTS, ROWS)
    logits = plain_logits(models / "edu", STRINGS)[:, 0]
    assert predictions.value is not None
    assert np.allclose(predictions.value, logits, atol=1e-5)
    published = [str(round(max(0, min(float(score), 5)))) for score in predictions.value]
    assert [found.labels[best] for best in predictions.best] == published
    assert len(set(published)) > 1


def plain_deberta(folder: Path, strings: list[str], max_chars: int, max_tokens: int) -> np.ndarray:
    """Probabilities by the steps of the model card of nvidia/quality-classifier-deberta."""
    weights = load_file(folder / "model.safetensors")
    encoder = transformers.DebertaV2Model(transformers.DebertaV2Config(**DEBERTA)).eval()
    encoder.load_state_dict({name[6:]: value for name, value in weights.items() if name.startswith("model.")})
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    found = []
    with torch.no_grad():
        for text in strings:
            tokens = tokenizer(text[:max_chars], truncation=True, max_length=max_tokens, return_tensors="pt")
            states = encoder(tokens["input_ids"], tokens["attention_mask"]).last_hidden_state
            outputs = states @ weights["fc.weight"].T + weights["fc.bias"]
            found.append(torch.softmax(outputs[:, 0, :], dim=1)[0].numpy())
    return np.array(found)


def test_deberta_with_its_own_head(models: Path) -> None:
    found = classifier(str(models / "deberta.yaml"), "cpu")
    predictions = found.predict(TEXTS, ROWS)
    expected = plain_deberta(models / "deberta", STRINGS, 90, 40)
    assert found.labels == tuple(LABELS.values())
    assert np.allclose(predictions.probabilities, expected, atol=1e-5)
    assert len(set(predictions.best)) > 1


def test_a_config_without_an_architecture_takes_the_cards(models: Path) -> None:
    found = classifier(str(models / "mixin.yaml"), "cpu").predict(TEXTS, ROWS)
    assert np.allclose(found.probabilities, plain_deberta(models / "mixin", STRINGS, 10_000, 512), atol=1e-5)
    with pytest.raises(ModelError, match="names no model_type"):
        classifier(str(models / "unknown.yaml"), "cpu")


@pytest.mark.parametrize("name", ["three", "edu.yaml", "deberta.yaml"])
def test_scores_do_not_depend_on_what_is_scored_together(models: Path, name: str) -> None:
    model = classifier(str(models / name), "cpu")
    together = model.predict(TEXTS, ROWS)
    for rows in (ROWS[::-1].copy(), ROWS[40:], ROWS[7:8]):
        found = model.predict(TEXTS, rows)
        expected = together.probabilities if together.value is None else together.value
        assert np.array_equal(found.probabilities if found.value is None else found.value, expected[rows])


def test_pickled_weights_are_refused(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "three", tmp_path / "pickled")
    (tmp_path / "pickled/model.safetensors").rename(tmp_path / "pickled/pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin, which is pickled"):
        classifier(str(tmp_path / "pickled"), "cpu")


def test_unusable_files_are_named(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "three", tmp_path / "cut")
    weights = tmp_path / "cut/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"cut cannot be loaded"):
        classifier(str(tmp_path / "cut"), "cpu")
    shutil.copytree(models / "deberta", tmp_path / "deberta")
    config = json.loads((tmp_path / "deberta/config.json").read_text())
    (tmp_path / "deberta/config.json").write_text(json.dumps({**config, "num_hidden_layers": 1}))
    shutil.copy(models / "deberta.yaml", tmp_path)
    with pytest.raises(ModelError, match="without a place"):
        classifier(str(tmp_path / "deberta.yaml"), "cpu")


def test_a_gpu_that_is_not_there(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="torch finds no GPU"):
        classifier(str(models / "three"), "gpu")

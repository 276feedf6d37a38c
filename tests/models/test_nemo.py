"""The thin layer over NeMo Curator's classifiers, against a stand-in with the interface of its version 1.0."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from curate.errors import ModelError
from curate.kernels import Texts
from curate.models.card import read_card
from curate.models.nemo import NemoClassifier
from curate.models.registry import ModelFiles

CARD: dict[str, Any] = {"name": "own", "summary": "", "kind": "nemo", "licence": "none", "source": "tests"}
CARD |= {"where": {"hub": "nvidia/some"}, "classifier": "LengthClassifier", "labels": ["short", "long"]}


class DocumentBatch:
    def __init__(self, task_id: str, dataset_name: str, data: Any) -> None:
        self.data = data

    def to_pandas(self) -> pd.DataFrame:
        return self.data.to_pandas() if isinstance(self.data, pa.Table) else self.data


class LengthClassifier:
    """Long texts are those of more than ten characters."""

    def __init__(self, label_field: str, score_field: str) -> None:
        self.label_field, self.score_field = label_field, score_field

    def decompose(self) -> list[LengthClassifier]:
        return [self]

    def setup(self) -> None:
        self.ready = True

    def process(self, batch: DocumentBatch) -> DocumentBatch:
        assert self.ready
        frame = batch.to_pandas()
        long = frame["text"].str.len() > 10
        frame[self.label_field] = np.where(long, "long", "short")
        frame[self.score_field] = [[0.25, 0.75] if each else [0.875, 0.125] for each in long]
        return DocumentBatch("", "", frame)


def files(tmp_path: Path, **changes: object) -> ModelFiles:
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump({**CARD, **changes}))
    return ModelFiles(read_card(path), tmp_path, {"model.safetensors": "ab"})


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    room = types.ModuleType("nemo_curator.stages.text.classifiers")
    room.LengthClassifier = LengthClassifier  # type: ignore[attr-defined]
    tasks = types.ModuleType("nemo_curator.tasks")
    tasks.DocumentBatch = DocumentBatch  # type: ignore[attr-defined]
    for name in ("nemo_curator", "nemo_curator.stages", "nemo_curator.stages.text"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, room.__name__, room)
    monkeypatch.setitem(sys.modules, tasks.__name__, tasks)


def test_labels_and_probabilities_are_taken_over(stand_in: None, tmp_path: Path) -> None:
    found = NemoClassifier(files(tmp_path))
    texts = Texts.from_arrow(pa.array(["a long text of words", "short", "left out", "longer than ten"]))
    predictions = found.predict(texts, np.array([0, 1, 3]))
    assert [found.labels[best] for best in predictions.best] == ["long", "short", "long"]
    assert predictions.probabilities.tolist() == [[0.25, 0.75], [0.875, 0.125], [0.25, 0.75]]
    turned = NemoClassifier(files(tmp_path, labels=["long", "short"]))
    with pytest.raises(ModelError, match="another order"):
        turned.predict(texts, np.array([0]))


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nemo_curator", None)
    with pytest.raises(ModelError, match=r"curate\[nemo\]"):
        NemoClassifier(files(tmp_path))
    with pytest.raises(ModelError, match="no labels"):
        NemoClassifier(files(tmp_path, labels=None))


def test_a_class_that_is_not_there(stand_in: None, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has no GoneClassifier"):
        NemoClassifier(files(tmp_path, classifier="GoneClassifier"))

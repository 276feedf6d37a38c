"""The stage `quality` with transformers in whole runs: scores in the ledger, batches, resuming, several stages."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

pytest.importorskip("torch", reason="torch is not installed (extra classifiers)")

import torch

from curate.errors import ModelError
from curate.io.ledger import Ledger
from curate.kernels import Texts
from curate.models.classifier import classifier
from curate.models.transformer import TransformerClassifier
from curate.plan import plan
from curate.recipe import load_recipe
from curate.run import run
from curate.stages.quality import Quality
from tests.models.transformers_saved import WORDS, save_bert, save_deberta_head
from tests.run.outputs import output_bytes, receipt_times

torch.set_num_threads(1)

RECIPE = """
name: judged
sources: [{name: web, path: "DATA/*.parquet"}]
stages:
  - quality: {model: DATA/deberta.yaml, keep: [High, Medium]}
  - quality: {model: DATA/edu.yaml, column: edu, min_score: 0.2}
  - quality: {model: DATA/tags.yaml, column: toxic, label: LABEL_1, max_score: 0.9, keep_scores: [LABEL_0, LABEL_2]}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    save_deberta_head(folder / "deberta")
    save_bert(folder / "edu", 1, seed=3)
    save_bert(folder / "tags", 3, seed=4)
    outputs: dict[str, dict[str, object]] = {
        "deberta": {"kind": "deberta_head"},
        "edu": {"kind": "transformer", "output": "regression", "range": [0, 5]},
        "tags": {"kind": "transformer", "output": "sigmoid"},
    }
    for name, output in outputs.items():
        card = {
            "name": name,
            "summary": "",
            "licence": "none",
            "source": "tests",
            "where": {"path": name},
            **output,
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(card))
    draw = np.random.default_rng(9)
    for file in range(2):
        texts = [" ".join(draw.choice(WORDS, draw.integers(1, 50))) for _ in range(60)]
        pq.write_table(pa.table({"text": texts}), folder / f"{file}.parquet")
    (folder / "recipe.yaml").write_text(RECIPE.replace("DATA", str(folder)))
    return folder


def test_the_ledger_has_every_models_scores(data: Path) -> None:
    run(load_recipe(str(data / "recipe.yaml")), str(data / "out"), device="cpu")
    ledger = Ledger(str(data / "out")).arrow().to_pydict()
    texts = [
        text for file in range(2) for text in pq.read_table(data / f"{file}.parquet")["text"].to_pylist()
    ]
    every, rows = Texts.from_arrow(pa.array(texts)), np.arange(len(texts))
    deberta, edu, tags = (
        classifier(str(data / f"{name}.yaml"), "cpu") for name in ("deberta", "edu", "tags")
    )
    judged, value, tagged = deberta.predict(every, rows), edu.predict(every, rows), tags.predict(every, rows)
    assert value.value is not None
    reasons = []
    for row in rows.tolist():
        assert ledger["quality_label"][row] == deberta.labels[judged.best[row]]
        assert ledger["quality"][row] == pytest.approx(judged.probabilities[row, :2].sum(), abs=1e-6)
        expected = None
        if judged.best[row] == 2:
            expected = "quality.label_not_kept"
        else:
            assert ledger["edu"][row] == value.value[row]
            assert ledger["edu_label"][row] == str(round(min(5, max(0, float(value.value[row])))))
            if value.value[row] < 0.2:
                expected = "quality.low_score"
            else:
                columns = ("toxic_label_0", "toxic", "toxic_label_2")
                assert [ledger[name][row] for name in columns] == tagged.probabilities[row].tolist()
                expected = "quality.high_score" if tagged.probabilities[row, 1] > 0.9 else None
        reasons.append(expected)
    assert ledger["reason"] == reasons
    assert len(set(reasons)) > 2


def test_batches_do_not_matter_and_a_resume_scores_nothing(data: Path) -> None:
    recipe = load_recipe(str(data / "recipe.yaml"))
    run(recipe, str(data / "a"), device="cpu", workers=1)
    run(recipe, str(data / "b"), device="cpu", workers=2, batch_documents=7)
    assert output_bytes(data / "a") == output_bytes(data / "b")
    before = receipt_times(data / "a")
    run(recipe, str(data / "a"), device="cpu")
    assert receipt_times(data / "a") == before


def test_a_regression_has_no_labels_to_ask_for(data: Path) -> None:
    with pytest.raises(ModelError, match="one number"):
        Quality(Quality.Config(model=str(data / "edu.yaml"), label="3")).definition()
    with pytest.raises(ModelError, match="no label 'Good'"):
        Quality(Quality.Config(model=str(data / "deberta.yaml"), keep=("Good",))).definition()


def test_a_plan_warns_of_models_without_a_checksum(data: Path) -> None:
    recipe = data / "warned.yaml"
    recipe.write_text(
        f"name: warned\nsources: [{{name: web, path: '{data}/*.parquet'}}]\nstages: [quality: {{model: fineweb-edu}}]\n"
    )
    (warning,) = plan(load_recipe(str(recipe))).warnings()
    assert "fineweb-edu" in warning
    assert "no checksum" in warning


def test_another_threshold_scores_nothing_again(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = data / "recipe.yaml"
    stricter = data / "stricter.yaml"
    stricter.write_text(recipe.read_text().replace("max_score: 0.9", "max_score: 0.6"))
    run(load_recipe(str(recipe)), str(data / "again"), device="cpu")
    run(load_recipe(str(stricter)), str(data / "fresh"), device="cpu")

    def fails(*_: object) -> None:
        raise AssertionError("scored again")

    monkeypatch.setattr(TransformerClassifier, "predict", fails)
    run(load_recipe(str(stricter)), str(data / "again"), device="cpu")
    assert output_bytes(data / "again") == output_bytes(data / "fresh")
    gone = Ledger(str(data / "again")).arrow()["dropped_by"].to_pylist()
    assert gone.count("quality-3") > 0

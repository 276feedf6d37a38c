"""Several fastText models in one recipe: columns of their own, verdicts of their own."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from curate.kernels import Texts
from curate.models.registry import fasttext
from curate.recipe import load_recipe
from curate.run import run
from tests.models.fasttext_files import Spec, model_bytes

WORDS = tuple(f"w{place}" for place in range(40))
TEXTS = [" ".join(WORDS[place % 40 :: 3]) for place in range(60)]


def tagger(path: Path, labels: tuple[str, str], seed: int) -> list[float]:
    """Writes a model of two labels; the probability of the first for each text."""
    named = tuple(f"__label__{label}" for label in labels)
    path.write_bytes(model_bytes(Spec(words=WORDS, labels=named, seed=seed, scale=3.0)))
    model = fasttext(str(path))
    found = model.score(Texts.from_arrow(pa.array(TEXTS)), k=2)
    best = found.labels[:, 0] == model.labels.index(labels[0])
    first, second = found.probabilities[:, 0], found.probabilities[:, 1]
    return [float(a if is_best else b) for a, b, is_best in zip(first, second, best, strict=True)]


def ledger_of(folder: Path, stages: str) -> list[dict[str, object]]:
    pq.write_table(pa.table({"text": TEXTS}), folder / "a.parquet")
    recipe = folder / "recipe.yaml"
    recipe.write_text(f'name: taggers\nsources: [{{name: s, path: "{folder}/a.parquet"}}]\nstages:\n{stages}')
    run(load_recipe(str(recipe)), str(folder / "out"))
    rows: list[dict[str, object]] = ds.dataset(folder / "out/ledger").to_table().sort_by("doc").to_pylist()
    return rows


def test_two_taggers_score_and_decide_apart(tmp_path: Path) -> None:
    toxicity = tagger(tmp_path / "toxic.bin", ("toxic", "clean"), seed=1)
    quality = tagger(tmp_path / "hq.bin", ("hq", "cc"), seed=2)
    rows = ledger_of(
        tmp_path,
        f"  - quality: {{name: toxic, model: {tmp_path}/toxic.bin, column: toxicity, label: toxic, max_score: 0.6}}\n"
        f"  - quality: {{name: good, model: {tmp_path}/hq.bin, column: hq, label: hq, min_score: 0.4}}\n",
    )
    dropped = [
        "toxic" if bad > 0.6 else "good" if good < 0.4 else None
        for bad, good in zip(toxicity, quality, strict=True)
    ]
    assert set(dropped) == {"toxic", "good", None}
    assert [row["dropped_by"] for row in rows] == dropped
    assert [row["toxicity"] for row in rows] == toxicity
    assert [row["toxicity_label"] for row in rows] == ["toxic" if bad > 0.5 else "clean" for bad in toxicity]
    assert [row["hq"] for row in rows] == [
        None if stage == "toxic" else good for stage, good in zip(dropped, quality, strict=True)
    ]
    reasons = {"toxic": ("quality.high_score", toxicity), "good": ("quality.low_score", quality)}
    for place, (row, stage) in enumerate(zip(rows, dropped, strict=True)):
        reason, scores = reasons[stage] if stage else (None, [None] * len(rows))
        assert (row["reason"], row["value"]) == (reason, scores[place])


def test_a_second_language_is_a_column_for_conditions(tmp_path: Path) -> None:
    english = tagger(tmp_path / "lid.bin", ("eng_Latn", "deu_Latn"), seed=3)
    rows = ledger_of(
        tmp_path,
        f"  - language: {{model: {tmp_path}/lid.bin, top_k: 3}}\n"
        "  - where: {keep: \"lang_2 = 'de' and lang_score_2 < 0.2 and lang_3 is null\"}\n",
    )
    assert [row["lang"] for row in rows] == ["en" if score > 0.5 else "de" for score in english]
    assert {(row["lang_3"], row["lang_score_3"]) for row in rows} == {(None, None)}
    german = [1 - score for score in english]
    assert [row["dropped_by"] is None for row in rows] == [score < 0.2 for score in german]
    assert len({row["dropped_by"] for row in rows}) == 2

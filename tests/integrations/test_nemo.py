"""curate's stages inside NeMo Curator decide and sketch as in a recipe. `make test-nemo` installs what they need."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pyarrow as pa
import pytest

from curate.errors import SourceError
from curate.kernels import Texts
from curate.stages.base import Batch
from curate.stages.fuzzy_config import FuzzyDedupConfig
from curate.stages.heuristics import Heuristics
from curate.stages.language import Language
from tests.gpu.host_device import HostDevice

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of NeMo Curator's own imports
    pytest.importorskip("nemo_curator.tasks", reason="NeMo Curator is not installed: make test-nemo")
    from nemo_curator.tasks import DocumentBatch

    from curate.integrations.nemo import HeuristicsStage, LanguageStage, SketchStage

ENGLISH = (
    "The river was wide and the morning was cold, so that we waited for the boat to come back to us. " * 4
)
GERMAN = (
    "Der Fluss war breit und der Morgen war kalt, also warteten wir darauf, dass das Boot zurückkommt. " * 4
)
TEXTS = [ENGLISH, GERMAN, "", None, "spam " * 50, ENGLISH + "and then home."]
ROWS = np.array([0, 1, 2, 4, 5])


def table() -> pa.Table:
    return pa.table({"n": range(6), "text": pa.array(TEXTS)})


def processed(stage, data=None) -> pa.Table:
    stage = pickle.loads(pickle.dumps(stage))  # as it travels to workers
    stage.setup()
    task = DocumentBatch(dataset_name="d", data=table() if data is None else data, _metadata={"from": "x"})
    assert stage.validate_input(task)
    (made,) = stage.process_batch([task])
    assert (made.dataset_name, made._metadata) == ("d", {"from": "x"})
    assert set(stage.outputs()[1]) <= set(made.data.column_names)
    return made.data


def verdicts(stage):
    return stage.decide(Batch("", Texts.from_arrow(pa.array(TEXTS))), ROWS)


@pytest.mark.parametrize(
    ("made", "own"),
    [
        (LanguageStage, Language(Language.Config(keep=["en"], min_score=0.5))),
        (
            HeuristicsStage,
            Heuristics(Heuristics.Config(profile="nemo", rules=["word_count"], keep_stats="all")),
        ),
    ],
)
def test_documents_go_as_in_a_recipe(made, own) -> None:
    keys = own.config if made is LanguageStage else own._config
    keys = keys.model_dump(exclude_unset=True)
    expected = verdicts(own)
    kept = processed(made(**keys))
    assert kept["n"].to_pylist() == ROWS[expected.rule < 0].tolist()
    assert 0 < len(kept) < 5
    told = processed(made(**keys, drop=False))
    reasons = [own.rules[rule] if rule >= 0 else None for rule in expected.rule]
    assert told["reason"].take(ROWS).to_pylist() == reasons
    assert told["dropped_by"].to_pylist()[3] == "read"
    assert told["reason"].to_pylist()[3] == "text_null"
    for name, values in expected.columns.items():
        assert told[name].take(ROWS).combine_chunks().equals(values)
        assert told[name][3].as_py() is None


def test_a_profile_that_edits_leaves_edited_texts() -> None:
    text = "\n".join(["A line that ends with a full stop.", "menu", ENGLISH])
    own = Heuristics(Heuristics.Config(profile="datatrove.c4_quality"))
    texts = Texts.from_arrow(pa.array([text, "short"]))
    decided = own.decide(Batch("", texts), np.arange(2))
    assert decided.rule.tolist()[0] == -1
    after = own.edit(texts, np.arange(1)).to_arrow()[0].as_py()
    assert after != text
    made = processed(HeuristicsStage(profile="datatrove.c4_quality"), pa.table({"text": [text, "short"]}))
    assert made["text"].to_pylist() == [after]


def test_sketches_are_those_of_a_recipe(monkeypatch) -> None:
    sketcher = FuzzyDedupConfig(preset="zyda2").sketcher()
    expected = sketcher.sketch(Texts.from_arrow(pa.array(TEXTS)), ROWS)
    made = processed(SketchStage(preset="zyda2"))
    for place, row in enumerate(ROWS.tolist()):
        if expected.sketched[place]:
            assert made["band_keys"][row].as_py() == expected.keys[:, place].tolist()
            assert made["signature"][row].as_py() == expected.signatures[place].tobytes()
        else:
            assert made["band_keys"][row].as_py() is made["signature"][row].as_py() is None
    assert expected.sketched.tolist() == [True, True, False, True, True]
    assert made["signature"][3].as_py() is None


def test_data_frames_without_their_index() -> None:
    frame = table().to_pandas().iloc[[5, 0]]
    made = processed(LanguageStage(), frame)
    assert made.column_names == ["n", "text", "lang", "lang_score"]
    assert made["n"].to_pylist() == [5, 0]


def test_on_a_device_the_same(compiler, monkeypatch) -> None:
    from curate.kernels.gpu.kernels import DeviceKernels

    stages = [LanguageStage, HeuristicsStage, SketchStage]
    expected = [processed(stage(device="cpu")) for stage in stages]
    monkeypatch.setattr("curate.kernels.choice._gpu", DeviceKernels(HostDevice(seed=1)))
    for stage, same in zip(stages, expected, strict=True):
        assert stage(device="gpu").resources.gpus == 1
        assert processed(stage(device="gpu")).equals(same)


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(SourceError, match="a column body"):
        LanguageStage(text_field="body").process(DocumentBatch(dataset_name="d", data=table()))

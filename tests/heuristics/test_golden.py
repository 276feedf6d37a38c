"""Scores and verdicts of NeMo Curator itself on real and degenerate documents."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.kernels import Texts
from curate.stages.base import Batch
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristic_profiles import NEMO
from curate.stages.heuristics import Heuristics
from tests.shared_data import shared_data

TOP = [rule.name for rule in NEMO.rules if rule.name.startswith("repeating_top_")]


@pytest.fixture(scope="module")
def golden():
    return pq.read_table(shared_data("golden/nemo.parquet"))


@pytest.fixture(scope="module")
def documents(golden):
    table = pq.read_table(shared_data("golden/docs.parquet"), columns=["id", "text"])
    assert table["id"].equals(golden["id"])
    return Batch("golden", Texts.from_arrow(table["text"]))


def decide(batch, **config):
    return Heuristics(HeuristicsConfig(**config)).decide(batch, np.arange(len(batch.texts)))


def test_the_profile_has_the_filters_of_the_reference(golden):
    filters = {name.removesuffix("__keep") for name in golden.column_names if name.endswith("__keep")}
    assert {rule.name for rule in NEMO.rules} == filters


def test_every_score_is_the_reference_s(documents, golden):
    names = [rule.name for rule in NEMO.rules]
    columns = decide(documents, keep_stats=names).columns
    for name in names:
        # The reference breaks ties between equally frequent n-grams by set order; we take the first.
        expected = golden[f"{name}__score_first" if name in TOP else f"{name}__score"]
        score = columns[f"nemo.{name}"]
        assert score.type == pa.float64()
        assert score.is_null().equals(expected.combine_chunks().is_null()), name
        np.testing.assert_allclose(
            score.to_numpy(False), expected.to_numpy(), rtol=0, atol=1e-9, err_msg=name
        )


@pytest.mark.parametrize("name", [rule.name for rule in NEMO.rules])
def test_every_verdict_is_the_reference_s(documents, golden, name):
    kept = decide(documents, rules=[name]).rule < 0
    expected = golden[f"{name}__keep"].fill_null(False).to_numpy()
    if name in TOP:
        # Where tied n-grams score on both sides of the bound, the reference's verdict is up to chance.
        bound = next(rule.maximum for rule in NEMO.rules if rule.name == name)
        low, high = golden[f"{name}__score_lo"].to_numpy(), golden[f"{name}__score_hi"].to_numpy()
        open_to_either = (low <= bound) & (high > bound)
        assert open_to_either.sum() < 60
        kept, expected = kept[~open_to_either], expected[~open_to_either]
    np.testing.assert_array_equal(kept, expected)


def test_the_first_failing_rule_names_the_drop(documents, golden):
    verdicts = decide(documents)
    failing = np.stack([decide(documents, rules=[rule.name]).rule >= 0 for rule in NEMO.rules])
    first = np.where(failing.any(axis=0), failing.argmax(axis=0), -1)
    np.testing.assert_array_equal(verdicts.rule, first)
    assert 0.60 < (verdicts.rule < 0).mean() < 0.65

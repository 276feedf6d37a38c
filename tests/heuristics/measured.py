"""What a profile's rules measure and decide, for the tests of one profile after another."""

import numpy as np
import pyarrow as pa

from curate.kernels import Texts
from curate.stages.base import Batch
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristic_profiles import PROFILES
from curate.stages.heuristics import Heuristics


def batch_of(texts):
    return Batch("source", Texts.from_arrow(pa.array(texts, pa.large_string())))


def scores(batch, profile):
    """The score of each rule for each text, NaN where it is undefined."""
    keep = [rule.name for rule in PROFILES[profile].rules]
    stage = Heuristics(HeuristicsConfig(profile=profile, keep_stats=keep))
    columns = stage.decide(batch, np.arange(len(batch.texts))).columns
    return {name: columns[f"{profile}.{name}"].to_numpy(zero_copy_only=False) for name in keep}


def kept(batch, profile, rule=None):
    """Which texts stay, by one rule or all of a profile."""
    rules = None if rule is None else [rule]
    stage = Heuristics(HeuristicsConfig(profile=profile, rules=rules))
    return stage.decide(batch, np.arange(len(batch.texts))).rule < 0


def assert_equal_scores(batch, profile, expected):
    """expected: a dictionary a text, with None where a score is undefined; rules of other profiles may be in it."""
    found = scores(batch, profile)
    for name, column in found.items():
        wanted = np.array([score[name] for score in expected], np.float64)
        np.testing.assert_allclose(column, wanted, rtol=0, atol=1e-9, err_msg=f"{profile}.{name}")

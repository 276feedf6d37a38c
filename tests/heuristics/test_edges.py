"""What the reference implementations say of texts made for rules that few real documents touch.

edge_verdicts.json was made by the references themselves: NeMo Curator 1e2e4275 (the first of tied n-grams), datatrove
0.10.1 with spaCy 3.8.18, DCLM 361714bd, Dolma 669f5348, and clean_page of TensorFlow Datasets 4.9.9 with nltk 3.10.4.
`dropped` has the places in TEXTS that each rule drops; of datatrove, C4 and RefinedWeb's lines, the first rule that
does. `left` has the MD5, cut to 16 digits, of each text that a filter leaves other than it was, by its place.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristic_profiles import PROFILES
from curate.stages.heuristics import Heuristics
from tests.heuristics.edge_texts import TEXTS
from tests.heuristics.measured import batch_of, kept

VERDICTS = json.loads(Path(__file__).with_name("edge_verdicts.json").read_text())
FIRST_ONLY = [name for name in PROFILES if name.startswith("datatrove.")] + ["c4", "dclm.refinedweb_lines"]
EVERY_RULE = ["nemo", "dolma.gopher_quality", "dolma.gopher_repetition"]
EVERY_RULE += ["dclm.gopher_quality", "dclm.gopher_repetition"]


@pytest.fixture(scope="module")
def documents():
    digest = hashlib.sha256("\0".join(TEXTS.values()).encode()).hexdigest()
    assert digest == VERDICTS["texts_sha256"], "the verdicts are of other texts"
    return batch_of(list(TEXTS.values()))


def dropped(rule):
    names = list(TEXTS)
    return [names[place] for place in VERDICTS["dropped"].get(rule, [])]


def names_of(mask):
    return [name for name, chosen in zip(TEXTS, mask, strict=True) if chosen]


@pytest.mark.parametrize(
    "name", [f"{profile}.{rule.name}" for profile in EVERY_RULE for rule in PROFILES[profile].rules]
)
def test_each_rule_drops_what_the_reference_drops(documents, name):
    profile, _, rule = name.rpartition(".")
    assert names_of(~kept(documents, profile, rule)) == dropped(name)


@pytest.mark.parametrize("rule", ["has_javascript", "has_lorem_ipsum", "has_curly_brace"])
def test_dolma_s_flags_are_the_reference_s(documents, rule):
    assert names_of(~kept(documents, "dolma.c4", rule)) == dropped(f"dolma.c4.{rule}")


@pytest.mark.parametrize("profile", FIRST_ONLY)
def test_each_reason_is_the_reference_s(documents, profile):
    stage = Heuristics(HeuristicsConfig(profile=profile))
    rule = stage.decide(documents, np.arange(len(TEXTS))).rule
    for place, name in enumerate(stage.rules):
        assert names_of(rule == place) == dropped(name), name


@pytest.mark.parametrize("profile", sorted(VERDICTS["left"]))
def test_each_text_is_left_as_the_reference_leaves_it(documents, profile):
    stage = Heuristics(HeuristicsConfig(profile=profile))
    rows = np.arange(len(TEXTS))
    left = stage.edit(documents.texts, rows).to_arrow().to_pylist()
    stays = stage.decide(documents, rows).rule < 0
    wanted = VERDICTS["left"][profile]
    for place, (before, after) in enumerate(zip(TEXTS.values(), left, strict=True)):
        if str(place) in wanted:
            assert hashlib.md5(after.encode()).hexdigest()[:16] == wanted[str(place)]
        elif stays[place]:
            assert after == before


def test_every_rule_but_those_on_length_has_something_to_drop():
    every = {
        f"{profile}.{rule.name}"
        for profile in [*EVERY_RULE, *FIRST_ONLY]
        for rule in PROFILES[profile].rules
        if rule.bounded
    }
    lengths = {"c4.too_long", "datatrove.gopher_quality.gopher_long_doc"}
    assert every - VERDICTS["dropped"].keys() == lengths


@pytest.mark.parametrize(
    ("profile", "rule"),
    [
        ("nemo", "word_count"),
        ("datatrove.gopher_quality", "gopher_long_doc"),
        ("dclm.gopher_quality", "page_length"),
        ("dolma.gopher_quality", "word_count"),
        ("gopher.quality", "word_count"),
        ("multilingual.quality", "word_count"),
    ],
)
def test_a_hundred_thousand_words_are_not_too_many(profile, rule):
    texts = [" ".join(["word"] * count) for count in (100_000, 100_001)]
    assert kept(batch_of(texts), profile, rule).tolist() == [True, False]

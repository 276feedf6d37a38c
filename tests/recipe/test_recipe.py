"""What a good recipe resolves to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from curate.dedup.bands import choose_bands
from curate.stages.fuzzy_dedup import FuzzyDedupConfig
from tests.recipe.recipes import TWO_SOURCES


def test_every_default_is_filled_in(load) -> None:
    recipe = load(TWO_SOURCES + "stages:\n  - exact_dedup\n  - fuzzy_dedup:\n")
    assert recipe.resolved() == {
        "name": "demo",
        "sources": [
            {
                "name": "dclm",
                "path": ["corpora/dclm/*.parquet"],
                "format": None,
                "text": "text",
                "id": None,
                "keep": ["url"],
            },
            {
                "name": "zyda-1",
                "path": ["corpora/zyda-1/a.parquet", "s3://b/c.parquet"],
                "format": None,
                "text": "text",
                "id": "nemo_id",
                "keep": [],
            },
        ],
        "stages": [
            {
                "exact_dedup": {
                    "name": "exact_dedup",
                    "sources": None,
                    "key": "text",
                    "normalize": [],
                    "scope": "all",
                    "priority": None,
                    "prefer": None,
                    "against": [],
                }
            },
            {
                "fuzzy_dedup": {
                    "name": "fuzzy_dedup",
                    "sources": None,
                    "preset": None,
                    "shingles": {"unit": "char", "length": 25},
                    "normalize": [],
                    "hashes": 128,
                    "bands": 8,
                    "threshold": None,
                    "seed": 10,
                    "sketch": "fss",
                    "scope": "all",
                    "verify": {"min_similarity": 0.8, "exact": False},
                    "priority": None,
                    "prefer": None,
                    "against": [],
                    "guards": {"max_cluster": None, "max_source_loss": None},
                }
            },
        ],
        "mix": None,
        "output": {
            "format": "parquet",
            "shard_bytes": 512_000_000,
            "compression": "zstd",
            "seed": 0,
            "tokenizer": None,
            "end_of_document": None,
        },
        "max_bad": 0,
    }


def test_a_resolved_recipe_reads_back_as_an_equal_one(load) -> None:
    recipe = load(
        TWO_SOURCES
        + "stages:\n- where: {keep: bytes > 9, sources: [dclm]}\n- where: {keep: url IS NULL}\n"
        + "- fuzzy_dedup: {threshold: 0.75, normalize: [digits, lowercase]}\n"
        + "- fuzzy_dedup: {preset: nemo}\n"
        + "mix: {weights: {dclm: 4, zyda-1: 0.16}}\noutput: {shard_bytes: 1.5MiB}\n"
    )
    again = load(yaml.safe_dump(recipe.resolved()))
    assert again == recipe
    assert again.hash() == recipe.hash()
    assert recipe.output.shard_bytes == 3 * 2**19
    json.dumps(recipe.resolved())


def test_the_hash_follows_meaning_not_spelling(load) -> None:
    recipe = load(TWO_SOURCES + "stages: [fuzzy_dedup: {preset: zyda2}]\n")
    same = load(TWO_SOURCES + "# a comment\nstages:\n- fuzzy_dedup: {bands: '${bands}', hashes: 128}\n")
    other = load(TWO_SOURCES + "stages: [fuzzy_dedup: {preset: zyda2, seed: 11}]\n")
    assert recipe.hash() == same.hash()
    assert recipe.hash() != other.hash()


def test_the_hash_does_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(TWO_SOURCES + "mix: {weights: {zyda-1: 1, dclm: 2}}\n")
    code = f"from curate.recipe import load_recipe; print(load_recipe({str(path)!r}).hash())"
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "012"
    }
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("preset", "unit", "length", "hashes", "bands", "rows"),
    [
        ("zyda2", "char", 25, 128, 8, 16),
        ("fineweb", "word", 5, 112, 14, 8),
        ("nemo", "char", 24, 260, 20, 13),
        ("marin", "char", 5, 286, 26, 11),
    ],
)
def test_presets(load, preset: str, unit: str, length: int, hashes: int, bands: int, rows: int) -> None:
    (stage,) = load(TWO_SOURCES + f"stages: [fuzzy_dedup: {{preset: {preset}, seed: 3}}]").stages
    config = stage.config
    assert isinstance(config, FuzzyDedupConfig)
    assert (config.shingles.unit, config.shingles.length) == (unit, length)
    assert (config.hashes, config.bands, config.rows, config.seed) == (hashes, bands, rows, 3)


def test_keys_win_over_the_preset(load) -> None:
    (stage,) = load(
        TWO_SOURCES + "stages: [fuzzy_dedup: {preset: nemo, bands: 26, shingles: {length: 9}}]"
    ).stages
    assert (stage.config.bands, stage.config.rows) == (26, 10)
    assert (stage.config.shingles.unit, stage.config.shingles.length) == ("char", 9)


@pytest.mark.parametrize(("hashes", "bands", "rows"), [(128, 9, 14), (112, 9, 12), (1, 1, 1)])
def test_a_threshold_chooses_the_bands(load, hashes: int, bands: int, rows: int) -> None:
    text = TWO_SOURCES + f"stages: [fuzzy_dedup: {{threshold: 0.8, hashes: {hashes}}}]"
    (stage,) = load(text).stages
    assert (stage.config.bands, stage.config.rows) == choose_bands(0.8, hashes) == (bands, rows)
    assert stage.config.sketcher().bands == bands
    resolved = load(text).resolved()["stages"][0]["fuzzy_dedup"]
    assert (resolved["threshold"], resolved["bands"]) == (0.8, bands)


@pytest.mark.parametrize("nothing", ["false", "null", "~", ""])
def test_verification_can_be_turned_off(load, nothing: str) -> None:
    (stage,) = load(TWO_SOURCES + f"stages:\n  - fuzzy_dedup:\n      verify: {nothing}\n").stages
    assert stage.config.verify is None


def test_stages_are_named_after_their_kinds(load) -> None:
    recipe = load(
        TWO_SOURCES
        + """stages:
  - where: {keep: a > 1}
  - where: {keep: a > 2, name: second}
  - where: {keep: a > 3}
  - where: {keep: a > 4, name: where-3}
  - where: {keep: a > 5}
  - exact_dedup
"""
    )
    names = ["where", "second", "where-2", "where-3", "where-4", "exact_dedup"]
    assert [stage.name for stage in recipe.stages] == names
    assert [stage.config.name for stage in recipe.stages] == names
    assert [stage.kind for stage in recipe.stages] == ["where"] * 5 + ["exact_dedup"]


@pytest.mark.parametrize(
    ("size", "expected"),
    [("512MB", 512_000_000), ("1 GiB", 2**30), ("64KiB", 65536), ("7", 7), ("1.5KB", 1500), ("100", 100)],
)
def test_sizes(load, size: str, expected: int) -> None:
    assert load(TWO_SOURCES + f"output: {{shard_bytes: {size}}}").output.shard_bytes == expected


def test_variables_and_settings(load) -> None:
    text = TWO_SOURCES.replace("corpora", "'${root}/corpora', root: /mnt").replace(
        "name: demo", "name: run-${bands}"
    )
    stages = "stages: [fuzzy_dedup: {bands: '${bands}'}, exact_dedup]\n"
    recipe = load(
        text + stages,
        "vars.bands=16",
        "vars.root=s3://bucket",
        "sources.zyda-1.path=[x/*.parquet]",
        "sources.dclm.format=parquet",
        "stages.fuzzy_dedup.verify.min_similarity=0.5",
        "stages.fuzzy_dedup.guards.max_cluster=100_000",
        "stages.exact_dedup.scope=across",
        "mix.weights={dclm: 1, zyda-1: 2}",
        "mix.seed=3",
        "max_bad=7",
    )
    assert recipe.name == "run-16"
    assert recipe.sources[0].path == ("s3://bucket/corpora/dclm/*.parquet",)
    assert recipe.sources[0].format == "parquet"
    assert recipe.sources[1].path == ("x/*.parquet",)
    fuzzy, exact = (stage.config for stage in recipe.stages)
    assert (fuzzy.bands, fuzzy.verify.min_similarity, fuzzy.guards.max_cluster) == (16, 0.5, 100_000)
    assert exact.scope == "across"
    assert (recipe.mix.weights, recipe.mix.seed, recipe.max_bad) == ({"dclm": 1, "zyda-1": 2}, 3, 7)


def test_later_settings_win_and_null_takes_a_key_away(load) -> None:
    recipe = load(TWO_SOURCES + "mix: {weights: {dclm: 1, zyda-1: 2}}", "max_bad=1", "max_bad=2", "mix=null")
    assert recipe.max_bad == 2
    assert recipe.mix is None


def test_a_literal_dollar_brace(load) -> None:
    assert load(TWO_SOURCES, "sources.dclm.path=$${data}/${data}").sources[0].path == ("${data}/corpora",)


def test_merge_keys_and_anchors(load) -> None:
    recipe = load(
        "name: a\nsources:\n  - &first {name: x, path: p, id: i, keep: [u]}\n"
        "  - {<<: *first, name: y, text: body}\n"
    )
    assert [(s.name, s.path, s.id, s.text, s.keep) for s in recipe.sources] == [
        ("x", ("p",), "i", "text", ("u",)),
        ("y", ("p",), "i", "body", ("u",)),
    ]


def test_words_that_older_yaml_takes_for_something_else_are_text(load) -> None:
    recipe = load("name: no\nsources: [{name: on, path: 2024-01-01, keep: [off, yes, 1:30, 0123, 1e]}]")
    assert recipe.name == "no"
    assert recipe.sources[0].path == ("2024-01-01",)
    assert recipe.sources[0].keep == ("off", "yes", "1:30", "0123", "1e")

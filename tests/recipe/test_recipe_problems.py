"""What is said about a bad recipe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curate.errors import Problem, RecipeError
from curate.recipe import load_recipe
from curate.recipe.load import parse_recipe
from tests.recipe.recipes import TWO_SOURCES


def test_reports_every_problem_with_its_line(problems) -> None:
    found = problems(
        """\
name: 7
vars: {data: synth, todo: null}
sources:
  - {name: fineweb-edu, path: "${dat}/*.parquet", text: 5, ide: id}
  - {name: dclm, keep: url}
stages:
  - where: {sources: [fineweb], keep: "int_score >= 3 and"}
  - exact_dedup: {key: url}
    sources: [dclm]
  - fuzzy_dedup:
      bands: ${todo}
      bands: 4
      guards: {max_cluster: 1, max_sorce_loss: 1.5}
      verify: {min_similarity: 2}
  - fuzzy_dedup: {preset: finewb}
  - fuzzy_dedup: {preset: fineweb, bands: 13, name: mix}
  - fuzzydedup
mix: {weights: {dcml: 4.0, fineweb-edu: "4"}, unit: token}
output: {shard_bytes: 512XB, compression: zst}
max_bad: -1
""",
        "stages.fuzy.x=1",
        "mix.unit.x=3",
    )
    assert found == [
        "--set stages.fuzy.x=1: no stage is named fuzy\n"
        "  to do: known: where, fuzzy_dedup, fuzzy_dedup-2, mix, fuzzydedup",
        '--set mix.unit.x=3: unit is "token" (text), which has no keys',
        "recipe.yaml:1: name: 7 (a whole number)\n  expected: text",
        "recipe.yaml:4: sources.fineweb-edu.path: the variable dat is not defined\n"
        "  to do: did you mean data?",
        "recipe.yaml:4: sources.fineweb-edu.text: 5 (a whole number)\n  expected: text",
        "recipe.yaml:4: sources.fineweb-edu.ide: unknown key\n  to do: did you mean id?",
        "recipe.yaml:5: sources.dclm.path: missing\n"
        "  expected: Paths or URLs of files, with * and ** as wildcards: one or a list",
        'recipe.yaml:5: sources.dclm.keep: "url" (text)\n  expected: a list',
        "recipe.yaml:7: stages.where.keep: 'int_score >= 3 and' is not an SQL expression: "
        'syntax error at or near "and", character 16',
        "recipe.yaml:7: stages.where.sources.0: no source is called fineweb\n"
        "  to do: did you mean fineweb-edu?",
        "recipe.yaml:8: stages.1: a mapping with 2 keys: exact_dedup, sources\n"
        "  expected: `kind: {its keys}`\n  to do: indent a stage's keys below its kind",
        "recipe.yaml:11: stages.fuzzy_dedup.bands: the variable todo has no value yet\n"
        "  to do: give it one: --set vars.todo=...",
        "recipe.yaml:12:7: the key bands a second time: line 11 has it already",
        "recipe.yaml:13: stages.fuzzy_dedup.guards.max_cluster: 1 (a whole number)\n  expected: at least 2",
        "recipe.yaml:13: stages.fuzzy_dedup.guards.max_sorce_loss: unknown key\n"
        "  to do: did you mean max_source_loss?",
        "recipe.yaml:14: stages.fuzzy_dedup.verify.min_similarity: 2 (a whole number)\n  expected: at most 1",
        'recipe.yaml:15: stages.fuzzy_dedup-2.preset: "finewb" (text)\n'
        "  expected: one of zyda2, fineweb, nemo, marin\n  to do: did you mean fineweb?",
        "recipe.yaml:16: stages.mix: 112 hashes cannot be cut into 13 bands of equal size: "
        "bands that fit are 7, 8, 14, 16",
        "recipe.yaml:16: stages.mix.name: mix is taken: the ledger uses it for mix itself\n"
        "  to do: choose another name",
        "recipe.yaml:17: stages.fuzzydedup: no stage is called fuzzydedup\n"
        "  to do: did you mean fuzzy_dedup?",
        'recipe.yaml:18: mix.weights.fineweb-edu: "4" (text)\n  expected: a number',
        'recipe.yaml:18: mix.unit: "token" (text)\n'
        "  expected: one of tokens, documents, bytes\n  to do: did you mean tokens?",
        "recipe.yaml:18: mix.weights.dcml: no source is called dcml\n  to do: did you mean dclm?",
        "recipe.yaml:18: mix.weights: no weight for dclm\n"
        "  to do: give every source a weight, or remove the source",
        "recipe.yaml:19: output.shard_bytes: '512XB' is not a size: "
        "write bytes, or a number with KB, MB, GB, MiB or GiB",
        'recipe.yaml:19: output.compression: "zst" (text)\n'
        "  expected: one of zstd, snappy, gzip, none\n  to do: did you mean zstd?",
        "recipe.yaml:20: max_bad: -1 (a whole number)\n  expected: at least 0",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "nothing\n  expected: a recipe"),
        ("# only a comment\n", "nothing\n  expected: a recipe"),
        ("- a\n- b\n", "a list\n  expected: a recipe"),
        ("name: [a\n", "recipe.yaml:2:1: not YAML"),
        ("name: a\n\tsources: b\n", "recipe.yaml:2:1: not YAML: a tab, where only spaces may indent"),
        ("name: a\nsources: *glob\n", "recipe.yaml:2:10: not YAML: .*in quotes"),
        ("name: a\nvars: {data: ${x}}\n", "recipe.yaml:2:15: not YAML: .*in quotes"),
        ("name: a\n  b: c\n", "recipe.yaml:2:4: not YAML"),
        ("name: a\n---\nname: b\n", "recipe.yaml:2:1: not YAML"),
        ("name: a\x07\n", "recipe.yaml:1:8: not YAML: a character that YAML does not allow"),
        ("name: &a [*a]\n", "recipe.yaml:1:7: an alias inside the value"),
        ("name: !!python/name:os.system x\n", "recipe.yaml:1:7: the tag"),
        ("name: !!int x\n", "recipe.yaml:1:7: 'x', which does not fit its tag"),
        ("max_bad: 1e999\n", "recipe.yaml:1:10: 1e999, a number too large"),
        ("{a: b}: c\n", "recipe.yaml:1:1: a list or mapping as a key"),
        ("name: a\nname: b\n", "recipe.yaml:2:1: the key name a second time: line 1 has it already"),
    ],
)
def test_text_that_is_no_recipe(problems, text: str, message: str) -> None:
    found = "\n".join(problems(text))
    assert re.search(message if "recipe.yaml" in message else re.escape(message), found), found


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        load_recipe(tmp_path / "nosuch.yaml")
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: é".encode("latin-1"))
    with pytest.raises(RecipeError, match="not UTF-8 at byte 6"):
        load_recipe(tmp_path / "latin.yaml")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + TWO_SOURCES.encode())
    assert load_recipe(tmp_path / "bom.yaml").name == "demo"


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("stage: []", "recipe.yaml:6: stage: unknown key\n  to do: did you mean stages?"),
        ("stages: exact_dedup", '"exact_dedup" (text)\n  expected: a list'),
        ("stages: [3]", "recipe.yaml:6: stages.0: 3 (a whole number)"),
        ("stages: [exact_dedup: text]", 'stages.0.exact_dedup: "text" (text)\n  expected: a mapping'),
        ("stages: [mix: {}]", "no stage is called mix (it is a key of the recipe, beside stages)"),
        ("stages: [exact_dedup: {name: read}]", "read is taken"),
        ("stages: [exact_dedup: {name: a}, fuzzy_dedup: {name: a}]", "two stages are called a"),
        ("stages: [exact_dedup: {name: a/b}]", "stages.a/b.name"),
        ("stages: [exact_dedup: {name: 5}]", "5 (a whole number)\n  expected: text"),
        ("stages: [exact_dedup: {sources: []}]", "an empty list"),
        ("stages: [exact_dedup: {sources: dclm}]", '"dclm" (text)\n  expected: a list'),
        ("stages: [exact_dedup: {priority: [dclm, dclm]}]", '"dclm" (text) a second time'),
        ("stages: [exact_dedup: {priority: [dlcm]}]", "did you mean dclm?"),
        ("stages: [exact_dedup: {key: ''}]", "expected: text that is not empty"),
        ("stages: [exact_dedup: {key: url, normalize: [digits]}]", "normalize is for key: text"),
        ("stages: [exact_dedup: {against: [out/a, out/a/]}]", "each earlier run once"),
        ("stages: [fuzzy_dedup: {shingles: {length: 65}}]", "char shingles have 1 to 64"),
        ("stages: [fuzzy_dedup: {shingles: {unit: word}}]", "word shingles have 1 to 16"),
        ("stages: [fuzzy_dedup: {threshold: 0.8, preset: nemo}]", "give one of them"),
        ("stages: [fuzzy_dedup: {threshold: 0.8, bands: 8}]", "chooses 9 bands of 14 rows, bands says 8"),
        ("stages: [fuzzy_dedup: {threshold: 1.0}]", "expected: less than 1"),
        ("stages: [fuzzy_dedup: {threshold: 0.8, hashes: 0}]", "expected: at least 1"),
        ("stages: [fuzzy_dedup: {normalize: [upper]}]", "one of lowercase, digits, punctuation"),
        ("stages: [fuzzy_dedup: {bands: 8.0}]", "8 (a number)\n  expected: a whole number"),
        ("stages: [fuzzy_dedup: {bands: true}]", "true\n  expected: a whole number"),
        ("stages: [fuzzy_dedup: {bands: '8'}]", '"8" (text)\n  expected: a whole number'),
        ("stages: [fuzzy_dedup: {verify: true}]", "true\n  expected: a mapping"),
        ("stages: [fuzzy_dedup: {guards: {max_source_loss: 50}}]", "at most 1"),
        ("stages: [where: {}]", "stages.where.keep: missing"),
        ("stages: [where: {keep: random() > a}]", "calls random"),
        ("mix: {}", "mix.weights: missing"),
        ("mix: {weights: {}}", "mix.weights: an empty mapping"),
        (
            "mix: {weights: {dclm: 0, zyda-1: 1}}",
            "mix.weights.dclm: 0 (a whole number)\n  expected: more than 0",
        ),
        ("mix: {weights: {dclm: 1}}", "mix.weights: no weight for zyda-1"),
        ("output: {shard_bytes: 0}", "expected: at least 1"),
        ("output: {shard_bytes: lots}", "'lots' is not a size"),
        ("max_bad: 1.5", "1.5 (a number)\n  expected: a whole number"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(problems, addition: str, message: str) -> None:
    found = problems(TWO_SOURCES + addition + "\n")
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ("[]", "sources: an empty list\n  expected: at least 1 of them"),
        ("{a: b}", "sources: a mapping\n  expected: a list"),
        ("[a]", 'sources.0: "a" (text)\n  expected: a mapping'),
        ("[{name: a, path: []}]", "sources.a.path: an empty list"),
        ("[{name: a, path: 5}]", "sources.a.path: 5 (a whole number)\n  expected: a list"),
        ("[{name: a b, path: p}]", "expected: letters, digits, - and _"),
        ("[{name: a.b, path: p}]", "expected: letters, digits, - and _"),
        ("[{name: ../a, path: p}]", "expected: letters, digits, - and _"),
        ("[{name: a, path: p}, {name: A, path: q}]", "two sources are called A"),
        ("[{name: a, path: p, format: csv}]", "expected: one of parquet, jsonl"),
    ],
)
def test_sources_that_are_wrong(problems, sources: str, message: str) -> None:
    found = problems(f"name: a\nsources: {sources}\n")
    assert len(found) == 1, found
    assert message in found[0]


def test_at_most_256_sources(problems, load) -> None:
    def text(count: int) -> str:
        return yaml.safe_dump(
            {"name": "a", "sources": [{"name": f"s{i}", "path": "p"} for i in range(count)]}
        )

    assert len(load(text(256)).sources) == 256
    assert "expected: at most 256" in problems(text(257))[0]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("bands", "--set bands: not of the form key=value"),
        ("=3", "--set =3: not of the form key=value"),
        ("a..b=3", "not of the form key=value"),
        ("max_bad=[1", "the value is not YAML"),
        ("max_bd=1", "--set max_bd=1: max_bd: unknown key\n  to do: did you mean max_bad?"),
        ("max_bad=many", '--set max_bad=many: max_bad: "many" (text)\n  expected: a whole number'),
        ("sources.dclmm.path=x", "no source is named dclmm\n  to do: did you mean dclm?"),
        ("sources.dclm=x", "a whole source cannot be replaced"),
        ("stages.nosuch.x=1", "no stage is named nosuch"),
        ("sources.dclm.pth=x", "sources.dclm.pth: unknown key\n  to do: did you mean path?"),
        ("vars.dta=x", "--set vars.dta=x: vars.dta: no ${dta} in the recipe\n  to do: did you mean data?"),
        ("name.x=1", 'name is "demo" (text), which has no keys'),
    ],
)
def test_settings_that_are_wrong(problems, setting: str, message: str) -> None:
    found = problems(TWO_SOURCES + "stages: [exact_dedup]\n", setting)
    assert len(found) == 1, found
    assert message in found[0]


@pytest.mark.parametrize(
    ("variables", "path", "message"),
    [
        ("{data: a}", "${daat}/x", "the variable daat is not defined\n  to do: did you mean data?"),
        (
            "{}",
            "${data}/x",
            "the variable data is not defined\n  to do: add it under vars, or --set vars.data=...",
        ),
        ("{data: null}", "${data}/x", "the variable data has no value yet"),
        ("{data: '${other}', other: '${data}'}", "${data}", "stands for itself: data -> other -> data"),
        ("{data: a}", "${data/x", "not closed"),
        ("{data: [a]}", "x", "vars.data: a list"),
    ],
)
def test_variables_that_are_wrong(problems, variables: str, path: str, message: str) -> None:
    found = problems(f"name: a\nvars: {variables}\nsources: [{{name: a, path: '{path}'}}]\n")
    assert len(found) == 1, found
    assert message in found[0]


_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
_keys = st.sampled_from(["name", "path", "where", "fuzzy_dedup", "keep", "weights", "a"])
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_keys, inner, max_size=2),
    max_leaves=6,
)
_top_keys = st.sampled_from(["name", "sources", "stages", "mix", "output", "vars", "max_bad"])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(_top_keys, _values, max_size=4))
def test_any_yaml_gives_a_recipe_or_problems(value: dict[str, object]) -> None:
    found: tuple[Problem, ...] = ()
    try:
        parse_recipe(yaml.safe_dump(value), "recipe.yaml")
    except RecipeError as error:
        found = error.problems
    assert all(problem.where and problem.found for problem in found)

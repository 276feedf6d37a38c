"""`where`: what an expression keeps, what it needs, what it may not do."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.errors import SourceError
from curate.kernels import Texts
from curate.stages.base import Batch, Verdicts
from curate.stages.where import Expression, Where, WhereConfig

COLUMNS = {
    "int_score": pa.array([1, 2, 3, 4, None], pa.int64()),
    "score": pa.array([0.5, float("nan"), 2.5, None, 4.0], pa.float32()),
    "lang": pa.array(["en", "de", None, "en", "fr"], pa.large_string()),
    "My Column": pa.array([True, False, None, True, True]),
    "metadata": pa.array(['{"a": {"b": 1}}', "{}", None, '{"a": {"b": 2}}', "not json"]),
}


def where(keep: str) -> Where:
    return Where(WhereConfig(keep=keep))


def decide(keep: str, rows: list[int] | None = None, columns: dict[str, pa.Array] = COLUMNS) -> Verdicts:
    chosen = np.arange(5) if rows is None else np.array(rows)
    nothing = Texts(np.zeros(0, np.uint8), np.zeros(1, np.int64))
    return where(keep).decide(Batch("fineweb-edu", nothing, columns), chosen.astype(np.int64))


def kept(keep: str) -> list[int]:
    verdicts = decide(keep)
    assert verdicts.rule.dtype == np.int16
    assert set(verdicts.rule.tolist()) <= {-1, 0}
    return np.flatnonzero(verdicts.rule == -1).tolist()


@pytest.mark.parametrize(
    ("keep", "expected", "requires"),
    [
        ("int_score >= 3", [2, 3], ("int_score",)),
        ("3 <= int_score", [2, 3], ("int_score",)),
        ("int_score IS NULL", [4], ("int_score",)),
        ("NOT int_score > 2", [0, 1], ("int_score",)),
        ("lang IN ('en', 'fr') AND int_score < 4", [0], ("int_score", "lang")),
        ("lang IN ('en', 'fr') OR int_score < 4", [0, 1, 2, 3, 4], ("int_score", "lang")),
        ("score > 2", [1, 2, 4], ("score",)),
        ("score > 2 AND NOT isnan(score)", [2, 4], ("score",)),
        ("int_score BETWEEN 2 AND 3", [1, 2], ("int_score",)),
        ('"My Column"', [0, 3, 4], ("My Column",)),
        ("upper(lang) = 'EN'", [0, 3], ("lang",)),
        ("CASE WHEN lang = 'de' THEN true ELSE int_score::VARCHAR = '4' END", [1, 3], ("int_score", "lang")),
        ("coalesce(int_score, 9) >= 4", [3, 4], ("int_score",)),
        ("if(lang = 'en', int_score, 0) = 4", [3], ("int_score", "lang")),
        ("lang LIKE '%e%'", [0, 1, 3], ("lang",)),
        ("regexp_matches(lang, '^[ef]')", [0, 3, 4], ("lang",)),
        ("try_cast(metadata AS JSON) ->> '$.a.b' = '2'", [3], ("metadata",)),
        ("int_score = 9 OR null", [], ("int_score",)),
        ("int_score >= 3 -- as published", [2, 3], ("int_score",)),
    ],
)
def test_keeps_where_the_expression_is_true(
    keep: str, expected: list[int], requires: tuple[str, ...]
) -> None:
    assert kept(keep) == expected
    assert where(keep).requires == requires


def test_decides_about_the_rows_it_is_shown_only() -> None:
    verdicts = decide("int_score >= 3", rows=[1, 3, 4])
    assert verdicts.rule.tolist() == [0, -1, 0]
    np.testing.assert_array_equal(verdicts.value, [2.0, np.nan, np.nan])


@pytest.mark.parametrize(
    ("keep", "values"),
    [
        ("int_score > 3", [1, 2, 3, np.nan, np.nan]),
        ("int_score BETWEEN 4 AND 5", [1, 2, 3, np.nan, np.nan]),
        ("score < 0", [0.5, np.nan, 2.5, np.nan, 4.0]),
        ("lang = 'xx'", [np.nan] * 5),
        ("int_score > 3 AND int_score < 5", [np.nan] * 5),
        ("int_score > score + 100", [1, 2, 3, 4, np.nan]),
    ],
)
def test_the_value_is_that_of_the_column_compared(keep: str, values: list[float]) -> None:
    verdicts = decide(keep)
    np.testing.assert_array_equal(verdicts.value, np.where(verdicts.rule == 0, values, np.nan))


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ("int_score >= 3 and", r"syntax error at or near \"and\", character 16"),
        ("'éé' = lang and and", "character 17"),
        ("", "not an SQL expression"),
        ("lang = 'en", "not an SQL expression"),
        ("a; b", "not an SQL expression"),
        ("a, b", "more than one"),
        ("a FROM t", "more than one"),
        ("a LIMIT 3", "more than one"),
        ("a b", "more than one"),
        ("DISTINCT a", "more than one"),
        ("a UNION SELECT b", "more than one"),
        ("a WHERE b", "more than one"),
        ("(SELECT 1) = a", "a subquery"),
        ("EXISTS (SELECT 1) AND a", "a subquery"),
        ("random() < 0.5 AND a", "calls random"),
        ("now() > a", "calls now"),
        ("uuid() = a", "calls uuid"),
        ("getvariable('x') = a", "calls getvariable"),
        ("sum(a) > 1", "calls sum"),
        ("row_number() OVER () > a", "a window function"),
        ("read_text('/etc/passwd') = a", "calls read_text"),
        ("unnest(a)", "calls unnest"),
        ("ago(a) > b", "calls ago"),
        ("lowr(a) = 'x'", "did you mean lower"),
        ("len(list_filter(a, lambda x: x > 1)) > 2", "a lambda"),
        ("a = ?", "a parameter"),
        ("*", "not an SQL expression|has \\*"),
        ("a COLLATE NOCASE = 'x'", "COLLATE"),
        ("1 = 1", "reads no column"),
    ],
)
def test_refuses_what_does_not_follow_from_the_documents_columns(keep: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Expression.parse(keep)
    assert repr(keep) in str(caught.value)
    with pytest.raises(ValidationError):
        WhereConfig(keep=keep)


def test_a_missing_column_is_named_with_the_nearest() -> None:
    with pytest.raises(SourceError) as caught:
        decide("int_scor >= 3")
    text = str(caught.value)
    assert "fineweb-edu" in text
    assert "did you mean int_score?" in text


@pytest.mark.parametrize("keep", ["int_score", "lang = int_score", "lang::INT = 3", "lang + 1 > 2"])
def test_columns_that_do_not_fit_are_an_error_of_the_source(keep: str) -> None:
    with pytest.raises(SourceError, match="fineweb-edu"):
        decide(keep)


def test_travels_by_pickle_and_answers_the_same_on_many_threads() -> None:
    rows = 20_000
    columns = {"n": pa.array(np.arange(rows) % 1000)}
    batch = Batch("s", Texts(np.zeros(0, np.uint8), np.zeros(1, np.int64)), columns)
    stage = pickle.loads(pickle.dumps(where("n % 7 = 3")))
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: stage.decide(batch, np.arange(rows)).rule, range(8)))
    expected = np.where(np.arange(rows) % 1000 % 7 == 3, -1, 0)
    for rule in results:
        np.testing.assert_array_equal(rule, expected)


def test_definition_is_the_expression() -> None:
    stage = where("int_score >= 3")
    assert stage.definition() == {"keep": "int_score >= 3"}
    assert not stage.reads_text
    assert stage.rules == ("where.not_kept",)
    assert len(stage.columns) == 0

"""Keeps the documents for which an SQL expression over their columns is true.

DuckDB parses and evaluates the expression. As SQL has it, a comparison with null is null, which does not
keep, and NaN is more than every number. Only what depends on the document's own columns is allowed: no
subquery, aggregate or window, no function whose result changes between calls (random, now, ...), no files.
"""

from __future__ import annotations

import difflib
import functools
import json
import threading
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, field_validator

from curate.errors import Problem, SourceError
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts

_thread = threading.local()


def _connection() -> duckdb.DuckDBPyConnection:
    """This thread's connection to an empty database in memory: one thread, no files, settings locked."""
    if not hasattr(_thread, "connection"):
        connection = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": False})
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET lock_configuration = true")
        _thread.connection = connection
    own: duckdb.DuckDBPyConnection = _thread.connection
    return own


#: Kinds of nodes of DuckDB's syntax tree whose value follows from the document's columns alone.
_ALLOWED = frozenset(
    {
        "BETWEEN",
        "CASE",
        "CAST",
        "COLUMN_REF",
        "COMPARISON",
        "CONJUNCTION",
        "CONSTANT",
        "FUNCTION",
        "OPERATOR",
        "TYPE",
    }
)
_REFUSED_IN_WORDS = {
    "SUBQUERY": "a subquery",
    "WINDOW": "a window function",
    "STAR": "*",
    "LAMBDA": "a lambda",
    "PARAMETER": "a parameter (? or $)",
    "COLLATE": "COLLATE",
    "POSITIONAL_REFERENCE": "a column by number (#)",
    "DEFAULT": "DEFAULT",
}

#: DuckDB's macros that depend on their arguments alone; the others hide aggregates, clocks or queries.
# fmt: off
_MACROS = frozenset({
    "array_append", "array_prepend", "array_to_string", "date_add", "days_in_month", "fdiv",
    "fmod", "if", "json", "list_append", "list_avg", "list_bool_and", "list_bool_or",
    "list_count", "list_first", "list_last", "list_max", "list_median", "list_min",
    "list_prepend", "list_sum", "nullif", "split_part",
})
# fmt: on


@functools.cache
def _functions() -> frozenset[str]:
    """Names of DuckDB's scalar functions whose result depends on their arguments alone."""
    rows = _connection().execute(
        "SELECT function_name, bool_and(function_type = 'scalar' AND stability = 'CONSISTENT') "
        "FROM duckdb_functions() WHERE function_type IN ('scalar', 'aggregate', 'window') GROUP BY ALL"
    )
    return frozenset(name for name, consistent in rows.fetchall() if consistent) | _MACROS


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed SQL expression.

    columns: names of the columns it reads, sorted.
    measured: the column that it compares, where it is one comparison of a column with something else.
    """

    sql: str
    columns: tuple[str, ...]
    measured: str | None

    @classmethod
    def parse(cls, sql: str) -> Expression:
        """Raises ValueError, with the expression and the place in it, unless it is one that is allowed."""
        rows = _connection().execute("SELECT json_serialize_sql(?)", [f"SELECT {sql}"]).fetchall()
        tree = json.loads(rows[0][0])
        if tree["error"]:
            raise ValueError(_syntax_error(sql, tree))
        root = _only_expression(sql, tree)
        columns: set[str] = set()
        for node in _nodes(root):
            _check(sql, node)
            if node["class"] == "COLUMN_REF":
                columns.add(node["column_names"][0])
        if not columns:
            raise ValueError(f"{sql!r} reads no column: it is the same for every document")
        return cls(sql, tuple(sorted(columns)), _measured(root))

    def evaluate(self, table: pa.Table) -> pa.ChunkedArray:
        """Its value for each row, in order. Raises duckdb.Error where the columns do not fit."""
        connection = _connection()
        connection.register("documents", table)
        try:
            return connection.sql(f"SELECT {self.sql}\nFROM documents").to_arrow_table().column(0)
        finally:
            connection.unregister("documents")


def _syntax_error(sql: str, tree: dict[str, Any]) -> str:
    message = str(tree["error_message"]).splitlines()[0]
    if "position" not in tree:
        return f"{sql!r} is not an SQL expression: {message}"
    position = int(tree["position"]) - len("SELECT ")
    character = len(sql.encode()[: max(position, 0)].decode(errors="ignore")) + 1
    return f"{sql!r} is not an SQL expression: {message}, character {character}"


def _only_expression(sql: str, tree: dict[str, Any]) -> dict[str, Any]:
    """The one expression of a SELECT that consists of nothing else."""
    selected = tree["statements"][0]["node"]
    plain = (
        len(tree["statements"]) == 1
        and selected["type"] == "SELECT_NODE"
        and len(selected["select_list"]) == 1
        and not selected["select_list"][0]["alias"]
        and selected["from_table"]["type"] == "EMPTY"
        and not any(
            selected[part] for part in ("modifiers", "where_clause", "group_expressions", "having", "qualify")
        )
    )
    if not plain:
        raise ValueError(
            f"{sql!r} is more than one SQL expression: write what stands after WHERE, and no more"
        )
    expression: dict[str, Any] = selected["select_list"][0]
    return expression


def _nodes(tree: Any) -> list[dict[str, Any]]:
    """All nodes of the syntax tree below `tree`, itself included."""
    if isinstance(tree, list):
        return [node for item in tree for node in _nodes(item)]
    if not isinstance(tree, dict):
        return []
    below = [node for item in tree.values() for node in _nodes(item)]
    return [tree, *below] if "class" in tree else below


def _check(sql: str, node: dict[str, Any]) -> None:
    kind = node["class"]
    if kind not in _ALLOWED or node["type"] == "GROUPING_FUNCTION":
        raise ValueError(
            f"{sql!r} has {_REFUSED_IN_WORDS.get(kind, kind.lower())}, which `where` does not allow"
        )
    if kind == "FUNCTION" and node["function_name"].lower() not in _functions():
        name = node["function_name"].lower()
        close = difflib.get_close_matches(name, _functions(), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(
            f"{sql!r} calls {name}, which is no function of a document's columns alone "
            f"(an aggregate, random, a clock, a table, or unknown){hint}"
        )


def _measured(root: dict[str, Any]) -> str | None:
    compared = {"COMPARISON": ("left", "right"), "BETWEEN": ("input", "lower", "upper")}.get(
        root["class"], ()
    )
    columns = [root[side]["column_names"] for side in compared if root[side]["class"] == "COLUMN_REF"]
    return columns[0][0] if len(columns) == 1 and len(columns[0]) == 1 else None


class WhereConfig(StageConfig):
    """Keys of `where`."""

    keep: str = Field(
        description="SQL expression over the document's columns; where it is not true, the document goes."
    )

    @field_validator("keep")
    @classmethod
    def _is_an_expression(cls, keep: str) -> str:
        Expression.parse(keep)
        return keep


class Where(DocumentStage):
    """The document stage `where`.

    The value of a drop is that of the column compared, where the expression is one comparison of a numeric
    column with something else (`int_score >= 3`, `bytes BETWEEN 100 AND 100000`), and NaN otherwise.
    """

    Config = WhereConfig
    reads_text = False
    rules = ("where.not_kept",)
    columns = pa.schema([])

    def __init__(self, config: WhereConfig) -> None:
        self.expression = Expression.parse(config.keep)
        self.requires = self.expression.columns

    def definition(self) -> dict[str, object]:
        return {"keep": self.expression.sql}

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        """Raises SourceError for a missing column, or where the columns do not fit the expression."""
        taken = pa.table({name: self._column(batch, name).take(pa.array(rows)) for name in self.requires})
        try:
            result = self.expression.evaluate(taken)
        except duckdb.Error as error:
            raise self._unfit(batch, str(error).splitlines()[0]) from error
        if not (pa.types.is_boolean(result.type) or result.null_count == len(result)):
            raise self._unfit(batch, f"its value is {result.type}, not true or false")
        kept = result.fill_null(False).to_numpy(zero_copy_only=False).astype(bool)
        values = np.where(kept, np.nan, self._measured_values(taken))
        return Verdicts(np.where(kept, -1, 0).astype(np.int16), values)

    def _column(self, batch: Batch, name: str) -> pa.Array:
        if name in batch.columns:
            return batch.columns[name]
        close = difflib.get_close_matches(name, batch.columns, n=1)
        raise SourceError(
            Problem(
                f"source {batch.source}",
                f"no column {name}, which `where: {self.expression.sql}` reads",
                expected=f"one of {', '.join(sorted(batch.columns))}" if batch.columns else "",
                fix=f"did you mean {close[0]}?" if close else "",
            )
        )

    def _measured_values(self, taken: pa.Table) -> NDArray[np.float64]:
        name = self.expression.measured
        if name is None or not _is_number(taken.schema.field(name).type):
            return np.full(len(taken), np.nan)
        values = taken.column(name).cast(pa.float64(), safe=False).fill_null(np.nan)
        numbers: NDArray[np.float64] = values.to_numpy(zero_copy_only=False)
        return numbers

    def _unfit(self, batch: Batch, found: str) -> SourceError:
        types = ", ".join(f"{name} is {batch.columns[name].type}" for name in self.requires)
        return SourceError(
            Problem(
                f"source {batch.source}",
                f"`where: {self.expression.sql}`: {found}",
                fix=f"its columns: {types}",
            )
        )


def _is_number(kind: pa.DataType) -> bool:
    return any(test(kind) for test in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))

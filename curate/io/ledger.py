"""The ledger of a finished run: one row an input document, in input order, one Parquet file a source file.

Read through DuckDB, so a question costs the columns it names and groups larger than memory spill to disk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from curate.errors import OutputError, Problem
from curate.io.files import remote_errors, sizes_below
from curate.io.filesystems import canonical, filesystem_of, local_path
from curate.io.remote import download_all
from curate.io.scratch import scratch_folder

#: Columns of the ledger in their order. The statistics that `heuristics` was asked to keep stand between
#: `lang_score` and `quality`; a column that no stage of the recipe writes is absent.
LEDGER_FIELDS: dict[str, pa.DataType] = {
    "doc": pa.uint64(),
    "id": pa.string(),
    "bytes": pa.int64(),
    "tokens": pa.int64(),
    "edited_bytes": pa.int64(),
    "edited_tokens": pa.int64(),
    "lang": pa.string(),
    "lang_score": pa.float32(),
    "quality": pa.float32(),
    "quality_label": pa.string(),
    "dropped_by": pa.string(),
    "reason": pa.string(),
    "value": pa.float64(),
    "cluster": pa.uint64(),
    "cluster_size": pa.int64(),
    "duplicate_of": pa.uint64(),
    "duplicate_in": pa.string(),
    "similarity": pa.float32(),
    "copies": pa.int32(),
}

#: Values of `dropped_by` that are no stage of a recipe: rows that cannot be read, documents that the mix leaves out.
READ, MIX = "read", "mix"

_SQL_TYPES = {
    pa.uint64(): "UBIGINT",
    pa.int64(): "BIGINT",
    pa.int32(): "INTEGER",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
}
_MEMORY_LIMIT = "4GB"
#: A remote ledger up to this size is copied to the temporary folder for a connection.
COPIED_BYTES = 2 << 30
#: So many files of a ledger are opened by each query of a report; more are gathered first.
_FOOTERS_KEPT = 20_000
_LIMITS = {"source": 1 << 8, "file": 1 << 24, "row": 1 << 32}


class Doc(NamedTuple):
    """A document's position: the source's place in the recipe, the file's place by sorted path, the row."""

    source: int
    file: int
    row: int


def pack_doc(source: int, file: int, row: int) -> int:
    """The position as one uint64: source 8 bits, file 24, row 32. ValueError where a part does not fit."""
    for part, value in zip(_LIMITS, (source, file, row), strict=True):
        if not 0 <= value < _LIMITS[part]:
            raise ValueError(f"{part} {value} does not fit: expected 0 to {_LIMITS[part] - 1}")
    return source << 56 | file << 32 | row


def unpack_doc(doc: int) -> Doc:
    """The position that `pack_doc` packed."""
    return Doc(doc >> 56, doc >> 32 & 0xFFFFFF, doc & 0xFFFFFFFF)


class Ledger:
    """The ledger under `out` (a local folder or a URL); raises OutputError where there is none."""

    def __init__(self, out: str) -> None:
        self._root = str(out).rstrip("/")
        sizes = sizes_below(f"{self._root}/ledger")
        self._bytes = sum(sizes.values())
        self._files: dict[str, list[str]] = {}
        for path in sizes:
            source, _, rest = path.partition("/")
            if rest.endswith(".parquet"):
                self._files.setdefault(source, []).append(f"ledger/{path}")
        if not self._files:
            raise OutputError(
                Problem(
                    f"{out}/ledger",
                    "no ledger files",
                    "the output of a finished run",
                    "run the recipe to its end",
                )
            )

    def sources(self) -> list[str]:
        """Names of the sources that have a ledger, sorted."""
        return list(self._files)

    def files(self) -> list[str]:
        """Paths of the ledger files relative to the output (`ledger/<source>/<stem>.parquet`), sorted."""
        return sorted(path for paths in self._files.values() for path in paths)

    @contextmanager
    def connect(self, gather: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection whose view `ledger` has every field of LEDGER_FIELDS (null where the run wrote
        none), the run's statistics, and `source`. Bounded in memory; what does not fit goes to a temporary
        folder that is removed at the end. A remote ledger of up to COPIED_BYTES is copied there first; of a larger
        one each query asks for the parts of files that it needs.

        gather: for who asks dozens of queries. A ledger of many files, up to COPIED_BYTES, is read once into a table
        in the temporary folder."""
        gathered = gather and self._bytes <= COPIED_BYTES and len(self.files()) > _FOOTERS_KEPT
        with scratch_folder() as folder:
            spill = str(folder)
            config: dict[str, Any] = {"temp_directory": spill, "memory_limit": _MEMORY_LIMIT}
            connection = duckdb.connect(f"{spill}/gathered" if gathered else ":memory:", config=config)
            # Every query would read every file's footer again; kept they take 75 kB each. And no answer goes by the
            # order of rows, while holding to it makes tables of many small files dear.
            connection.execute(
                f"LOAD parquet; SET parquet_metadata_cache = {not gathered}; SET preserve_insertion_order = false"
            )
            try:
                self.define(connection, spill, kind="TABLE" if gathered else "VIEW")
                yield connection
            finally:
                connection.close()

    def define(
        self, connection: duckdb.DuckDBPyConnection, folder: str, prefix: str = "", kind: str = "VIEW"
    ) -> None:
        """Adds the views of `connect` to a connection, their names after `prefix`: two ledgers in one query.

        folder: a local folder of this ledger alone, for copies of remote files, to be kept while the views are used.
        kind: TABLE to read the files now, once.
        """
        connection.execute(
            f"CREATE {kind} {prefix}present AS {self._union(self._reachable(connection, folder))}"
        )
        there = set(_columns(connection, prefix))
        missing = [
            f"CAST(NULL AS {_SQL_TYPES[kind]}) AS {name}"
            for name, kind in LEDGER_FIELDS.items()
            if name not in there
        ]
        chosen = ", ".join(["*", *missing])
        connection.execute(f"CREATE VIEW {prefix}ledger AS SELECT {chosen} FROM {prefix}present")

    def arrow(self, columns: Sequence[str] | None = None, where: str | None = None) -> pa.Table:
        """The ledger's rows in the order of `doc`.

        columns: names, `source` among them; by default all that the run wrote, and `source`.
        where: a condition in DuckDB's SQL, say `"dropped_by = 'fuzzy_dedup' AND similarity < 0.85"`.
        Raises OutputError where a column does not exist or the condition cannot be read.
        """
        with self.connect() as connection:
            names = _columns(connection) if columns is None else list(columns)
            chosen = ", ".join(identifier(name) for name in names)
            condition = f"WHERE {where}" if where else ""
            try:
                return connection.sql(
                    f"SELECT {chosen} FROM ledger {condition} ORDER BY doc"
                ).to_arrow_table()
            except (duckdb.BinderException, duckdb.ParserException, duckdb.ConversionException) as error:
                expected = "columns of " + ", ".join(_columns(connection))
                raise OutputError(Problem("the ledger's query", str(error), expected)) from error

    def document(self, key: int | str) -> dict[str, Any]:
        """The ledger row of one document, as Python values: every field of LEDGER_FIELDS (None where the run
        wrote none), the run's statistics, and `source`.

        key: the packed doc (a number or its digits), `source:file:row` such as `dclm:3:17`, or the
            document's id.
        Raises OutputError where no document, or more than one, answers to it.
        """
        rows = self._by_position(str(key)) or self._select("id = $1", [str(key)])
        if not rows:
            expected = "a packed doc, source:file:row (such as dclm:3:17), or an id"
            raise OutputError(Problem(f"document {key}", "no document of the ledger answers to it", expected))
        if len(rows) > 1:
            docs = ", ".join(self.name(row["doc"], row["source"]) for row in rows[:5])
            found = f"{len(rows)} documents have this id: {docs}{', ...' if len(rows) > 5 else ''}"
            raise OutputError(Problem(f"document {key}", found, "one document", "name it as source:file:row"))
        return rows[0]

    @staticmethod
    def name(doc: int, source: str) -> str:
        """The document's position as people write it: `source:file:row`."""
        place = unpack_doc(doc)
        return f"{source}:{place.file}:{place.row}"

    def _by_position(self, key: str) -> list[dict[str, Any]]:
        if key.isdecimal() and int(key) < 1 << 64:
            return self._select("doc = $1::UBIGINT", [key])
        parts = re.fullmatch(r"(.+)[:/](\d+)[:/](\d+)", key)
        if parts is None or parts[1] not in self._files:
            return []
        file, row = int(parts[2]), int(parts[3])
        if file >= _LIMITS["file"] or row >= _LIMITS["row"]:
            return []
        index = self._select("source = $1", [parts[1]], limit=1)
        if not index:
            return []
        doc = pack_doc(unpack_doc(index[0]["doc"]).source, file, row)
        return self._select("doc = $1::UBIGINT", [str(doc)])

    def _select(self, condition: str, values: list[str], limit: int = 100) -> list[dict[str, Any]]:
        with self.connect() as connection:
            found = connection.execute(
                f"SELECT * FROM ledger WHERE {condition} ORDER BY doc LIMIT {limit}", values
            )
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def _reachable(self, connection: duckdb.DuckDBPyConnection, folder: str) -> str:
        """Where DuckDB finds the ledger: the output itself, or a copy in the local `folder`."""
        if local_path(self._root) is not None:
            return canonical(self._root)
        if self._bytes > COPIED_BYTES:
            connection.register_filesystem(filesystem_of(self._root)[0])
            return canonical(self._root)
        with remote_errors():
            download_all(self._root, self.files(), folder)
        return folder

    def _union(self, root: str) -> str:
        selects = []
        for source, paths in self._files.items():
            names = ", ".join(_literal(_escape_glob(f"{root}/{path}")) for path in paths)
            selects.append(f"SELECT *, {_literal(source)} AS source FROM read_parquet([{names}])")
        return " UNION ALL BY NAME ".join(selects)


def _escape_glob(path: str) -> str:
    return re.sub(r"([*?\[])", r"[\1]", path)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """The name of a column, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _columns(connection: duckdb.DuckDBPyConnection, prefix: str = "") -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE {prefix}present").fetchall()]

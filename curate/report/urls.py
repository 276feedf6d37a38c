"""Documents in the output that have the same URL: pages that deduplication by text did not see as one."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curate.dedup.exact import text_hash
from curate.dedup.normalize import normalize_urls
from curate.engines.cores import usable_cores
from curate.errors import OutputError, Problem
from curate.io.files import join, open_binary
from curate.io.manifest import Manifest
from curate.kernels import Texts

COLUMN = "url"
EXAMPLES = 10
_ROWS = 1 << 17


def same_urls(connection: duckdb.DuckDBPyConnection, out: str, manifest: Manifest) -> dict[str, Any] | None:
    """Figures of documents that stand in the shards under the same URL in normal form.

    None where no shard has a column `url`: the shards are the only place of an output that URLs stand in. Copies that
    a mix makes of a document are told from other documents by `id`; of a source that is repeated and has no ids,
    rows of one URL count as one document. Raises OutputError for a shard that cannot be read.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE url (key UBIGINT, source UTINYINT, self UBIGINT, place UBIGINT)"
    )
    names = [source.name for source in manifest.sources]
    repeated = [source.name for source in manifest.sources if source.rows_out > source.kept]
    shards = [join(out, shard.path) for shard in manifest.shards if shard.path.endswith(".parquet")]
    seen = False
    for table in _in_order(partial(_keyed, names, repeated), _batches(shards)):
        seen = True
        connection.register("batch", table)
        connection.execute("INSERT INTO url SELECT * FROM batch")
        connection.unregister("batch")
    return _figures(connection, shards, names) if seen else None


def _batches(shards: Sequence[str]) -> Iterator[tuple[pa.RecordBatch, int]]:
    """Batches of `url`, `source` and `id`, as far as shards have them, and the place (shard and row) of their first
    row; nothing of shards without URLs."""
    for number, path in enumerate(shards):
        try:
            with open_binary(path) as opened, pq.ParquetFile(opened) as file:
                names = [name for name in (COLUMN, "source", "id") if name in file.schema_arrow.names]
                if COLUMN not in names or not _is_text(file.schema_arrow.field(COLUMN).type):
                    continue
                first = number << 32
                for batch in file.iter_batches(_ROWS, columns=names):
                    yield batch, first
                    first += len(batch)
        except (pa.ArrowInvalid, OSError) as error:
            found = str(error).splitlines()[0]
            fix = "curate verify says what is wrong; curate run writes it again"
            raise OutputError(Problem(path, f"cannot be read: {found}", "a shard of the run", fix)) from error


def _in_order(
    work: Callable[[pa.RecordBatch, int], pa.Table], batches: Iterator[tuple[pa.RecordBatch, int]]
) -> Iterator[pa.Table]:
    """What `work` makes of the batches, by as many threads as there are processors and no more batches ahead."""
    workers = usable_cores()
    with ThreadPoolExecutor(workers) as pool:
        ahead: deque[Future[pa.Table]] = deque()
        for batch, first in batches:
            ahead.append(pool.submit(work, batch, first))
            if len(ahead) > workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _keyed(names: list[str], repeated: list[str], batch: pa.RecordBatch, first: int) -> pa.Table:
    """`key` of the URLs, `source` as its place in `names`, `self` (what tells documents of a source apart), `place`."""
    normal = normalize_urls(Texts.from_arrow(batch[COLUMN]), np.arange(len(batch)))
    rows = np.flatnonzero(normal.sizes > 0)
    places = np.arange(first, first + len(batch), dtype=np.uint64)
    sources = pc.index_in(batch["source"], pa.array(names)).to_numpy(zero_copy_only=False)
    return pa.table(
        {
            "key": text_hash(normal, rows)[:, 0],
            "source": sources[rows].astype(np.uint8),
            "self": _selves(batch, places, repeated)[rows],
            "place": places[rows],
        }
    )


def _url_at(path: str, row: int) -> str:
    with open_binary(path) as opened, pq.ParquetFile(opened) as file:
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if row < rows:
                return str(file.read_row_group(group, columns=[COLUMN])[COLUMN][row].as_py())
            row -= rows
    raise IndexError(f"{path} has fewer rows")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _selves(batch: pa.RecordBatch, places: NDArray[np.uint64], repeated: list[str]) -> NDArray[np.uint64]:
    """A hash of the id; without one the place, or zero where the source is repeated."""
    again = np.isin(batch["source"].to_numpy(zero_copy_only=False), repeated) if repeated else False
    found = np.where(again, np.uint64(0), places)
    if "id" in batch.schema.names:
        ids = Texts.from_arrow(batch["id"].cast(pa.large_string()))
        known = batch["id"].is_valid().to_numpy(zero_copy_only=False)
        found = np.where(known, text_hash(ids, np.arange(len(ids)))[:, 0], found)
    return found


def _figures(connection: duckdb.DuckDBPyConnection, shards: list[str], names: list[str]) -> dict[str, Any]:
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE document AS
           SELECT key, source, self, min(place) AS place FROM url
           WHERE key IN (SELECT key FROM url GROUP BY key HAVING count(*) > 1) GROUP BY ALL"""
    )
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE shared AS "
        "SELECT * FROM document WHERE key IN (SELECT key FROM document GROUP BY key HAVING count(*) > 1)"
    )
    total = connection.execute(
        "SELECT (SELECT count(*) FROM url), count(*), count(DISTINCT key) FROM shared"
    ).fetchone() or (0, 0, 0)
    examples = connection.execute(
        f"""SELECT min(place), count(*), list(DISTINCT source::INT) FROM shared GROUP BY key
            ORDER BY count(*) DESC, min(place) LIMIT {EXAMPLES}"""
    ).fetchall()
    return {
        "rows": total[0],
        "documents": total[1],
        "urls": total[2],
        "between": _between(connection, names),
        "examples": [
            {
                "url": _url_at(shards[place >> 32], place & 0xFFFFFFFF),
                "documents": number,
                "sources": sorted(names[source] for source in of),
            }
            for place, number, of in examples
        ],
    }


def _between(connection: duckdb.DuckDBPyConnection, names: list[str]) -> dict[str, dict[str, int]]:
    """URLs that documents of two sources share, or several documents of one, by their names in order."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE standing AS
           SELECT key, source, count(*) AS documents FROM shared GROUP BY ALL"""
    )
    between: dict[str, dict[str, int]] = defaultdict(dict)
    for first, second, urls in connection.execute(
        """SELECT a.source, b.source, count(*) FROM standing AS a JOIN standing AS b USING (key)
           WHERE a.source < b.source OR (a.source = b.source AND a.documents > 1) GROUP BY ALL"""
    ).fetchall():
        one, other = sorted((names[first], names[second]))
        between[one][other] = urls
    return {one: dict(sorted(others.items())) for one, others in sorted(between.items())}

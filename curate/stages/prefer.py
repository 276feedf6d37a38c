"""Which document of a cluster is preferred inside a source's priority: a collected number each document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.errors import Problem, SourceError
from curate.io.exchange import ExchangeFile, write_arrays
from curate.stages.base import Batch

#: Ending of the exchange file.
SUFFIX = "prefer.arrow"
DESCRIPTION = (
    "Which document of a cluster stays among those of one priority: the one with the smallest value of this column of "
    "the ledger or the source (with - before it the largest), or longest (the most bytes of text). Numbers, times, and "
    "text that holds either; documents without a value come last, ties go by position. Default: by position alone."
)


@dataclass(frozen=True, slots=True)
class Preference:
    """The column to order by."""

    column: str
    descending: bool

    @classmethod
    def of(cls, prefer: str | None) -> Preference | None:
        """What a recipe's `prefer` means."""
        if prefer is None:
            return None
        if prefer == "longest":
            return cls("bytes", descending=True)
        return cls(prefer.removeprefix("-"), prefer.startswith("-"))


class PreferenceCollector:
    """Collects (row, value), a smaller value being preferred; infinite where there is none."""

    def __init__(self, preference: Preference) -> None:
        self._preference = preference
        self._source = ""
        self._unread: str | None = None
        self._values: list[NDArray[np.float64]] = [np.zeros(0)]
        self._rows: list[NDArray[np.uint32]] = [np.zeros(0, np.uint32)]

    def add(self, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        column = batch.columns[self._preference.column].take(pa.array(rows))
        try:
            values = numbers_of(column)
        except TypeError as error:
            where = f"source {batch.source}, column {self._preference.column}"
            raise SourceError(Problem(where, str(error), "numbers, dates or times")) from error
        if self._unread is None and column.null_count < len(column) and np.isnan(values).any():
            unread = column.filter(pa.array(np.isnan(values))).drop_null()
            self._unread = str(unread[0]) if len(unread) else None
        self._source = batch.source
        self._values.append(values)
        self._rows.append((rows + first_row).astype(np.uint32))

    def adopt(self, path: str, stays: NDArray[np.bool_]) -> None:
        """Take what another wrote there, of the rows that stay."""
        with ExchangeFile(path) as file:
            earlier = file.read(0)
        kept = stays[earlier["row"]]
        values = np.where(np.isinf(earlier["value"]), np.nan, earlier["value"])[kept]
        self._values.append(-values if self._preference.descending else values)
        self._rows.append(earlier["row"][kept])

    def write(self, path: str) -> None:
        """Write the exchange file. Raises SourceError where values are there and none of them is a number."""
        values = np.concatenate(self._values)
        if self._unread is not None and np.isnan(values).all():
            raise SourceError(
                Problem(
                    f"source {self._source}, column {self._preference.column}",
                    f"no value can be ordered; one is {self._unread[:80]!r}",
                    "numbers, dates or times (ISO 8601), for `prefer`",
                    "prefer another column, or leave `prefer` out",
                )
            )
        if self._preference.descending:
            values = -values
        values = np.where(np.isnan(values), np.inf, values)
        rows = np.concatenate(self._rows)
        order = np.argsort(rows, kind="stable")
        write_arrays(path, [{"row": rows[order], "value": values[order]}], {})


def numbers_of(column: pa.Array) -> NDArray[np.float64]:
    """The values as float64: numbers, 1 and 0 of booleans, seconds of dates and times, and text that is written as
    any of these; NaN where there is none. Raises TypeError for other types."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return numbers_of(column.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _numbers_of_text(column)
    if pa.types.is_date(kind):
        column, kind = column.cast(pa.timestamp("s")), pa.timestamp("s")
    if pa.types.is_timestamp(kind):
        micros = column.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        column = pc.divide(micros.cast(pa.float64(), safe=False), 1e6)
    elif pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise TypeError(f"values of type {kind} have no order that `prefer` knows")
    filled = pc.fill_null(column.cast(pa.float64(), safe=False), np.nan)
    values: NDArray[np.float64] = filled.to_numpy(zero_copy_only=False)
    return values


_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_TIME = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?Z?)?$"
)


def _numbers_of_text(column: pa.Array) -> NDArray[np.float64]:
    values = np.full(len(column), np.nan)
    trimmed = pc.utf8_trim_whitespace(column)
    for pattern, read in ((_NUMBER, _plain_numbers), (_TIME, _times)):
        matches = pc.fill_null(pc.match_substring_regex(trimmed, pattern), False)
        places = np.flatnonzero(matches.to_numpy(zero_copy_only=False))
        if len(places):
            values[places] = read(trimmed.take(pa.array(places)))
    return values


def _plain_numbers(texts: pa.Array) -> NDArray[np.float64]:
    unsigned = pc.replace_substring_regex(texts, r"^\+", "")
    values: NDArray[np.float64] = unsigned.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _times(texts: pa.Array) -> NDArray[np.float64]:
    values = np.full(len(texts), np.nan)
    plain = pc.replace_substring_regex(texts, "Z$", "")
    try:
        return numbers_of(plain.cast(pa.timestamp("us")))
    except pa.ArrowInvalid:  # a day that its month does not have: one at a time
        for place, text in enumerate(plain):
            try:
                values[place] = numbers_of(pa.array([text]).cast(pa.timestamp("us")))[0]
            except pa.ArrowInvalid:
                continue
    return values

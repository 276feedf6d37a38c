"""Finds documents that hold items of benchmarks, and drops them or cuts the items out.

The rule is that of GPT-3 (arXiv 2005.14165, appendix C): a document that shares a 13-gram of lower-cased words
without punctuation with any item is contaminated. docs/decontaminate.md says where this differs, and why.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from curate.errors import Problem, SourceError
from curate.io.files import sha256_of
from curate.io.sources import SourceColumns, SourceFile, list_files, read_batches
from curate.kernels import Texts
from curate.kernels.choice import kernels_on
from curate.kernels.ngrams import LONGEST, NgramIndex, Overlaps
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts

#: Bad rows of an evaluation file that stand for an item with no text of that column rather than for damage.
_NO_TEXT = frozenset({"text_null", "text_missing"})
_BATCH_DOCUMENTS, _BATCH_BYTES = 16_384, 32 << 20


def _tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class DecontaminateConfig(StageConfig):
    """Keys of `decontaminate`."""

    against: Annotated[tuple[str, ...], BeforeValidator(_tuple)] = Field(
        min_length=1,
        description="Evaluation files, Parquet or JSONL: paths, URLs or globs. A row is an item.",
    )
    columns: Annotated[tuple[str, ...], BeforeValidator(_tuple)] = Field(
        default=("text",),
        min_length=1,
        description="Columns of an item that are compared, each for itself: n-grams do not cross from one to another.",
    )
    benchmark: str | None = Field(
        default=None,
        description="Column that names an item's benchmark. Default: the file's name, without ending.",
    )
    id: str | None = Field(default=None, description="Column that names an item. Default: its row.")
    ngram: int = Field(default=13, ge=1, le=LONGEST, description="Words of an n-gram (13: GPT-3, at most).")
    min_words: int = Field(
        default=8,
        ge=1,
        description="An item with no n-gram is looked for as a whole if it has so many words (8: GPT-3, at least).",
    )
    overlap: Literal["item", "document"] = Field(
        default="item",
        description="item: share of one item's n-grams that the document has; document: share of the document's "
        "words that stand in an n-gram of any item.",
    )
    max_overlap: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Greatest overlap of a document that is not contaminated (0: any shared n-gram counts, GPT-3).",
    )
    action: Literal["drop", "mask"] = Field(
        default="drop",
        description="drop: a contaminated document goes; mask: its n-grams that any item has are cut out.",
    )
    window: int = Field(
        default=200, ge=0, description="mask: characters that go on both sides of an n-gram (200: GPT-3)."
    )
    min_piece: int = Field(
        default=200, ge=1, description="mask: least characters of what stays between two cuts (200: GPT-3)."
    )
    max_pieces: int = Field(
        default=10,
        ge=1,
        description="mask: a document that falls into more pieces goes as a whole (10: GPT-3).",
    )

    @model_validator(mode="after")
    def _mask_keys_need_mask(self) -> DecontaminateConfig:
        given = sorted({"window", "min_piece", "max_pieces"} & self.model_fields_set)
        changed = [name for name in given if getattr(self, name) != type(self).model_fields[name].default]
        if changed and self.action != "mask":
            raise ValueError(f"{', '.join(changed)} are for action: mask")
        return self


@dataclass(frozen=True, slots=True)
class _EvaluationFile:
    file: SourceFile
    sha256: str


@dataclass(frozen=True, slots=True)
class _What:
    """Everything an index is made of."""

    files: tuple[_EvaluationFile, ...]
    columns: tuple[str, ...]
    benchmark: str | None
    id: str | None
    ngram: int
    min_words: int

    @property
    def source_columns(self) -> SourceColumns:
        others = (*self.columns[1:], *filter(None, (self.benchmark,)))
        return SourceColumns(self.columns[0], self.id, tuple(dict.fromkeys(others)))


@dataclass(frozen=True, slots=True)
class _Items:
    """The items of all evaluation files, in order. name: `benchmark:id` of each. benchmark: int64, which each is of."""

    index: NgramIndex
    name: pa.Array
    benchmark: NDArray[np.int64]


class Decontaminate(DocumentStage):
    """The document stage `decontaminate`; reasons are `decontaminate.<benchmark>`, the value is the overlap.

    Every document that shares an n-gram with an item names in `contaminated_by` the item it has the largest share
    of, and in `contamination` the overlap, whether it goes or not.
    """

    Config = DecontaminateConfig
    columns = pa.schema([("contaminated_by", pa.string()), ("contamination", pa.float64())])

    def __init__(self, config: DecontaminateConfig) -> None:
        """Raises SourceError where an evaluation file, or a column of it, is not there."""
        self.config = config
        columns = _What((), config.columns, config.benchmark, config.id, config.ngram, config.min_words)
        found = list_files("decontaminate: against", config.against, None, columns.source_columns)
        files = tuple(_EvaluationFile(file, sha256_of(file.path)) for file in found)
        self._what = _What(
            files,
            config.columns,
            config.benchmark,
            config.id,
            config.ngram,
            min(config.min_words, config.ngram),
        )
        self._benchmarks = _benchmarks(self._what)
        self.rules = tuple(f"decontaminate.{name}" for name in self._benchmarks)
        self.edits = config.action == "mask"

    def definition(self) -> dict[str, object]:
        """The evaluation files by checksum, the rule, and how many items each benchmark has.

        `too_short` are items that cannot be found: they have fewer words than `min_words`.
        """
        items = self._items()
        found = items.index.grams_of_items() > 0
        counts = {
            name: {
                "items": int(np.count_nonzero(items.benchmark == place)),
                "too_short": int(np.count_nonzero((items.benchmark == place) & ~found)),
            }
            for place, name in enumerate(self._benchmarks)
        }
        keys = {"columns", "benchmark", "id", "ngram", "min_words", "overlap", "max_overlap", "action"}
        if self.edits:
            keys |= {"window", "min_piece", "max_pieces"}
        return {
            "against": [
                {"file": PurePosixPath(each.file.path).name, "sha256": each.sha256}
                for each in self._what.files
            ],
            **self.config.model_dump(mode="json", include=keys),
            "benchmarks": counts,
        }

    def on_gpu(self) -> str | None:
        return "n-grams"

    def on_cpu_beside_gpu(self) -> str | None:
        return "weighing of n-grams, cuts" if self.edits else "weighing of n-grams"

    @property
    def reads_text_on_gpu(self) -> bool:
        return True

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        items = self._items()
        overlaps = items.index.overlaps(batch.texts, rows, kernels_on(self.device))
        shared = overlaps.item >= 0
        overlap = self._overlap(overlaps)
        drop = shared & (overlap > self.config.max_overlap)
        if self.edits and drop.any():
            _, pieces = self._cut(items, batch.texts, rows[drop])
            drop[drop] = (pieces[:, 0] > self.config.max_pieces) | (pieces[:, 1] == 0)
        rule = np.full(len(rows), -1, np.int16)
        rule[drop] = items.benchmark[overlaps.item[drop]]
        columns = {
            "contaminated_by": items.name.take(pa.array(overlaps.item, mask=~shared)),
            "contamination": pa.array(overlap, mask=~shared),
        }
        return Verdicts(rule, np.where(drop, overlap, np.nan), columns)

    def edit(self, texts: Texts, rows: NDArray[np.int64]) -> Texts:
        items = self._items()
        overlaps = items.index.overlaps(texts, rows, kernels_on(self.device))
        dirty = rows[(overlaps.item >= 0) & (self._overlap(overlaps) > self.config.max_overlap)]
        if not len(dirty):
            return texts
        left, _ = self._cut(items, texts, dirty)
        return kernels_on(self.device).replaced(texts, dirty, left, np.arange(len(dirty)))

    def _cut(self, items: _Items, texts: Texts, rows: NDArray[np.int64]) -> tuple[Texts, NDArray[np.int64]]:
        return items.index.cut(texts, rows, self.config.window, self.config.min_piece)

    def _overlap(self, overlaps: Overlaps) -> NDArray[np.float64]:
        if self.config.overlap == "item":
            return overlaps.found / np.maximum(overlaps.total, 1)
        return overlaps.covered / np.maximum(overlaps.words, 1)

    def _items(self) -> _Items:
        with _lock:
            return _load(self._what, self._benchmarks)


_lock = threading.Lock()


@functools.lru_cache(maxsize=4)
def _load(what: _What, benchmarks: tuple[str, ...]) -> _Items:
    texts: list[pa.Array] = []
    names: list[pa.Array] = []
    of: list[NDArray[np.int64]] = []
    place = {name: number for number, name in enumerate(benchmarks)}
    for each in what.files:
        if sha256_of(each.file.path) != each.sha256:
            raise SourceError(Problem(each.file.path, "the file changed during the run", fix="run again"))
        for benchmark, ids, columns in _read(each.file, what, text=True):
            stacked = pa.concat_arrays(columns)
            order = np.arange(len(stacked)).reshape(len(columns), -1).T.reshape(-1)
            texts.append(stacked.take(pa.array(order)))
            names.append(
                pa.array([f"{name}:{item}" for name, item in zip(benchmark, ids, strict=True)], pa.string())
            )
            of.append(np.array([place[name] for name in benchmark], np.int64))
    all_texts = Texts.from_arrow(pa.concat_arrays([pa.array([], pa.large_string()), *texts]))
    items = np.arange(len(all_texts)) // len(what.columns)
    index = NgramIndex(all_texts, items, what.ngram, what.min_words)
    return _Items(
        index,
        pa.concat_arrays([pa.array([], pa.string()), *names]),
        np.concatenate([np.zeros(0, np.int64), *of]),
    )


def _benchmarks(what: _What) -> tuple[str, ...]:
    """Names of the benchmarks in the order in which the files have them."""
    if what.benchmark is None:
        return tuple(dict.fromkeys(_stem(each.file) for each in what.files))
    return tuple(
        dict.fromkeys(
            name
            for each in what.files
            for names, _, _ in _read(each.file, what, text=False)
            for name in names
        )
    )


def _read(
    file: SourceFile, what: _What, text: bool
) -> Iterator[tuple[Sequence[str], Sequence[str], list[pa.Array]]]:
    """Batches of the file's items: the benchmark's name and the item's of each, and its columns as large_string."""
    for raw in read_batches(
        file, what.source_columns, text=text, max_documents=_BATCH_DOCUMENTS, max_bytes=_BATCH_BYTES
    ):
        for bad in raw.bad:
            if bad.reason not in _NO_TEXT:
                where = file.path if bad.row is None else f"{file.path}, row {bad.row}"
                raise SourceError(Problem(where, f"{bad.reason}: {bad.detail}", "a readable evaluation file"))
        if not len(raw):
            continue
        rows = [str(row) for row in range(raw.start, raw.start + len(raw))]
        names = (
            [_stem(file)] * len(raw) if what.benchmark is None else _strings(raw.columns[what.benchmark], "")
        )
        ids = rows if raw.ids is None else _strings(raw.ids, *rows)
        columns = (
            [raw.texts if name == what.columns[0] else raw.columns[name] for name in what.columns]
            if text
            else []
        )
        yield (
            names,
            ids,
            [_as_text(file, name, column) for name, column in zip(what.columns, columns, strict=False)],
        )


def _as_text(file: SourceFile, name: str, column: pa.Array) -> pa.Array:
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        raise SourceError(
            Problem(f"{file.path}: column {name}", f"it is {column.type}", "a column of strings")
        )
    return column.cast(pa.large_string()).fill_null("")


def _strings(column: pa.Array, *missing: str) -> list[str]:
    """The column's values as strings; in place of null that of `missing` at its place, or its only one."""
    found = column.cast(pa.string()).to_pylist()
    return [missing[at % len(missing)] if value is None else value for at, value in enumerate(found)]


def _stem(file: SourceFile) -> str:
    return PurePosixPath(file.path).name.split(".")[0]

"""`exact_dedup`: of documents with the same text, URL or other key, the best stays."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from curate.dedup.exact import exact_groups, text_hash
from curate.dedup.normalize import NormalizeStep, normalize_urls, normalized
from curate.dedup.survivors import STAYS
from curate.engines.task import Facts, Pass, Receipt, Task, fingerprint, outputs_fingerprint
from curate.errors import Problem, SourceError
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.files import join
from curate.io.prefix_exchange import cut_by_prefix, parts_for, slices_for
from curate.kernels import Texts
from curate.kernels.choice import kernels_on
from curate.kernels.interface import CPU, Kernels
from curate.memory import Memory
from curate.stages import prefer
from curate.stages.against import EarlierRun, each_once, find_earlier, gone_pass
from curate.stages.base import Batch, StageConfig
from curate.stages.corpus import Collected, CorpusStage
from curate.stages.prefer import Preference, PreferenceCollector
from curate.stages.ranking import THIS_RUN, Candidates, Ranking, decisions_of, losses, preferences, starts_of


class ExactDedupConfig(StageConfig):
    """Keys of `exact_dedup`."""

    key: str = Field(
        default="text",
        min_length=1,
        description="What is compared: text, the whole text as bytes; url, the column url in the normal form of "
        "docs/sketch.md; any other name, that column's value as text. What has no key, or an empty one, stays.",
    )
    normalize: tuple[NormalizeStep, ...] = Field(
        default=(),
        description="What texts go through before they are compared: any of lowercase, digits, punctuation "
        "(docs/sketch.md). Default: nothing.",
    )
    scope: Literal["all", "across"] = Field(
        default="all",
        description="all: duplicates anywhere; across: only duplicates between sources, so that those inside "
        "one source stay (as Zyda-2 does for near-duplicates, arXiv 2411.06068).",
    )
    priority: tuple[str, ...] | None = Field(
        default=None,
        description="Sources, best first: a document stays rather than its duplicate in a later source. "
        "Sources left out follow in the order of the recipe, which is also the default.",
    )
    prefer: str | None = Field(default=None, min_length=1, description=prefer.DESCRIPTION)
    against: tuple[str, ...] = Field(
        default=(),
        description="Output folders of earlier runs, whose documents stay and whose duplicates go; each ran "
        "exact_dedup with the same key and normalize, and still has its journal.",
    )

    @field_validator("against")
    @classmethod
    def _no_run_twice(cls, against: tuple[str, ...]) -> tuple[str, ...]:
        return each_once(against)

    @model_validator(mode="after")
    def _normalize_is_of_text(self) -> ExactDedupConfig:
        if self.normalize and self.key != "text":
            raise ValueError(f"normalize is for key: text; the key is {self.key}")
        return self


#: A task of so many documents takes this much of each: hashes and ranks, sorted, and decisions about duplicates.
DOCUMENTS_A_PART, BYTES_A_DOCUMENT = 8_000_000, 200


class KeyCollector:
    """Collects (128-bit hash of the key, row) of documents that have a key."""

    def __init__(self, config: ExactDedupConfig, kernels: Kernels = CPU) -> None:
        self._kernels = kernels
        self._key = config.key
        self._steps = config.normalize
        preference = Preference.of(config.prefer)
        self._preferences = PreferenceCollector(preference) if preference else None
        self._hashes: list[NDArray[np.uint64]] = []
        self._rows: list[NDArray[np.uint32]] = []

    def add(self, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        texts, chosen = self._keys(batch, rows)
        filled = texts.sizes[chosen] > 0
        self._hashes.append(text_hash(texts, chosen[filled], self._kernels))
        self._rows.append((rows[filled] + first_row).astype(np.uint32))
        if self._preferences:
            self._preferences.add(batch, rows[filled], first_row)

    def adopt(self, paths: Sequence[str], stays: NDArray[np.bool_]) -> None:
        with ExchangeFile(paths[0]) as file:
            for number in range(len(file)):
                part = file.read(number)
                kept = stays[part["row"]]
                self._hashes.append(np.column_stack([part["key"], part["low"]])[kept])
                self._rows.append(part["row"][kept])
        if self._preferences:
            self._preferences.adopt(paths[1], stays)

    def _keys(self, batch: Batch, rows: NDArray[np.int64]) -> tuple[Texts, NDArray[np.int64]]:
        """The keys of `rows`: texts, and which of them, in the same order."""
        if self._key == "text" and not self._steps:
            return batch.texts, rows
        if self._key == "text":
            return normalized(batch.texts, rows, self._steps, self._kernels)
        values = batch.columns[self._key].take(pa.array(rows))
        texts = Texts.from_arrow(_as_text(values, batch.source, self._key))
        if self._key == "url":
            texts = normalize_urls(texts, np.arange(len(rows)))
        return texts, np.arange(len(rows))

    def write(self, paths: Sequence[str]) -> None:
        hashes = np.concatenate([np.zeros((0, 2), np.uint64), *self._hashes])
        rows = np.concatenate([np.zeros(0, np.uint32), *self._rows])
        order = np.lexsort((rows, hashes[:, 1], hashes[:, 0]))
        columns = {"key": hashes[order, 0], "low": hashes[order, 1], "row": rows[order]}
        slices = slices_for(len(rows))
        write_arrays(paths[0], cut_by_prefix(columns, slices), {"slices": str(slices)})
        if self._preferences:
            self._preferences.write(paths[1])


def _as_text(values: pa.Array, source: str, column: str) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    try:
        return values.cast(pa.large_string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise SourceError(
            Problem(
                f"source {source}, column {column}",
                f"values of type {values.type} cannot be compared as text",
                "text, numbers, booleans, dates or times",
                "name a field of it (`column.field`), or another column",
            )
        ) from error


class ExactDedup(CorpusStage):
    Config: ClassVar[type[StageConfig]] = ExactDedupConfig

    def __init__(self, config: ExactDedupConfig) -> None:
        self.config = config
        self.against = config.against
        self.reads_text = config.key == "text"
        self.rule = "exact_dedup.duplicate" if self.reads_text else f"exact_dedup.same_{config.key}"
        preference = Preference.of(config.prefer)
        preferred = (preference.column,) if preference else ()
        self.requires = (*(() if self.reads_text else (config.key,)), *preferred)
        self.exchange_suffixes = ("hashes.arrow", *((prefer.SUFFIX,) if preference else ()))

    def definition(self) -> dict[str, object]:
        settings: dict[str, Any] = self.config.model_dump(mode="json", exclude={"name", "sources"})
        return {**settings, **self._comparison()}

    def collection(self) -> dict[str, object]:
        return {**self._comparison(), "prefer": self.config.prefer}

    def _comparison(self) -> dict[str, object]:
        """What makes two keys comparable."""
        return {
            "key": self.config.key,
            "normalize": sorted(self.config.normalize),
            "hash": "murmur3-x64-128",
        }

    def on_gpu(self) -> str | None:
        return "normal forms, hashes, join" if self.config.normalize else "hashes, join"

    def on_cpu_beside_gpu(self) -> str | None:
        urls = ", normal forms of URLs" if self.config.key == "url" else ""
        return f"sorting of exchange files{urls}"

    @property
    def reads_text_on_gpu(self) -> bool:
        return True

    def collector(self, memory: Memory) -> KeyCollector:
        return KeyCollector(self.config, kernels_on(self.device))

    def earlier_runs(self) -> tuple[EarlierRun, ...]:
        return tuple(
            find_earlier(path, "exact_dedup", self._comparison(), self.exchange_suffixes[:1])
            for path in self.against
        )

    def passes(self, name: str, collected: Collected) -> Generator[Pass, list[Receipt], tuple[str, ...]]:
        earlier = self.earlier_runs()
        listed = (yield gone_pass(name, earlier)) if earlier else []
        gone = tuple(path for receipt in listed for path in receipt.outputs)
        candidates = Candidates(Ranking.of(collected, self.config.priority, earlier), collected.dropped, gone)
        documents = sum(collected.documents.values()) + sum(run.documents for run in earlier)
        parts = parts_for(documents, collected.memory.documents(BYTES_A_DOCUMENT, DOCUMENTS_A_PART))
        inputs = {
            f"stage {name}": fingerprint(self.definition()),
            "texts": collected.fingerprint,
            "earlier stages": collected.dropped_fingerprint,
            "earlier runs": fingerprint([[run.fingerprint for run in earlier], outputs_fingerprint(listed)]),
        }
        paths = tuple(f"run/decisions/{name}/{part:04d}.arrow" for part in range(parts))
        tasks = tuple(
            Task(
                f"{name}/{part:04d}-of-{parts:04d}",
                join_part,
                JoinArguments(
                    candidates, collected.source_names, self.config, part, parts, path, self.device
                ),
                inputs,
                (path,),
            )
            for part, path in enumerate(paths)
        )
        yield Pass(name, tasks)
        return paths


@dataclass(frozen=True, slots=True)
class JoinArguments:
    candidates: Candidates
    source_names: tuple[str, ...]
    config: ExactDedupConfig
    part: int
    parts: int
    decisions: str
    device: str


def join_part(out: str, arguments: JoinArguments) -> Facts:
    """Group one part of the hashes of all files and decide who stays."""
    ranking, config = arguments.candidates.ranking, arguments.config
    hashes, ranks = [np.zeros((0, 2), np.uint64)], [np.zeros(0, np.uint64)]
    for columns, found in arguments.candidates.part(out, 0, arguments.part, arguments.parts):
        hashes.append(np.stack([columns["key"], columns["low"]], axis=1))
        ranks.append(found)
    kernels = kernels_on(arguments.device)
    groups = exact_groups(np.concatenate(hashes), np.concatenate(ranks), across=False, kernels=kernels)
    values = preferences(out, ranking, groups.docs) if config.prefer else None
    order = ranking.order(groups.cluster, groups.docs, values)
    members = groups.docs[order]
    offsets = starts_of(groups.cluster[order])
    best = np.repeat(members[offsets[:-1]], np.diff(offsets))
    goes = (members != best) & (ranking.runs_of(members) == THIS_RUN)
    if config.scope == "across":
        goes &= ranking.places_of(members) != ranking.places_of(best)
    measured = np.float32(1.0 if config.key == "text" and not config.normalize else np.nan)
    made = decisions_of(
        ranking, offsets, members, np.where(goes, best, STAYS), np.where(goes, measured, np.float32(np.nan))
    )
    made.write(join(out, arguments.decisions))
    lost = losses(arguments.source_names, made)
    return {"documents": sum(len(part) for part in ranks), "dropped": sum(lost.values())}

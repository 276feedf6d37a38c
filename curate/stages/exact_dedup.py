"""`exact_dedup`: of documents with the same text, the best ranked stays."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from curate.dedup.exact import exact_groups, text_hash
from curate.dedup.normalize import NormalizeStep, normalize
from curate.engines.task import Facts, Pass, Receipt, Task, fingerprint
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.files import join
from curate.io.prefix_exchange import cut_by_prefix, parts_for, read_prefix, slices_for
from curate.stages.base import Batch, StageConfig
from curate.stages.corpus import (
    STAYS,
    Collected,
    CorpusStage,
    Decisions,
    Ranking,
    dropped_docs,
    not_in,
)


class ExactDedupConfig(StageConfig):
    """Keys of `exact_dedup`."""

    key: Literal["text"] = Field(default="text", description="What is compared: the whole text, as bytes.")
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

    @field_validator("key", mode="before")
    @classmethod
    def _key_is_supported(cls, key: Any) -> Any:
        if isinstance(key, str) and key != "text":
            raise ValueError(f"exact_dedup cannot compare {key!r}: the only key supported is text")
        return key


#: 24 bytes a document and as much again to sort: about 400 MB a task.
DOCUMENTS_A_PART = 8_000_000


class HashCollector:
    """Collects (128-bit text hash, row)."""

    def __init__(self, steps: tuple[NormalizeStep, ...]) -> None:
        self._steps = steps
        self._hashes: list[NDArray[np.uint64]] = []
        self._rows: list[NDArray[np.uint32]] = []

    def add(self, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        texts, chosen = batch.texts, rows
        if self._steps:
            texts, chosen = normalize(texts, rows, self._steps), np.arange(len(rows))
        filled = texts.sizes[chosen] > 0
        self._hashes.append(text_hash(texts, chosen[filled]))
        self._rows.append((rows[filled] + first_row).astype(np.uint32))

    def write(self, paths: Sequence[str]) -> None:
        hashes = np.concatenate([np.zeros((0, 2), np.uint64), *self._hashes])
        rows = np.concatenate([np.zeros(0, np.uint32), *self._rows])
        order = np.lexsort((rows, hashes[:, 1], hashes[:, 0]))
        columns = {"key": hashes[order, 0], "low": hashes[order, 1], "row": rows[order]}
        slices = slices_for(len(rows))
        write_arrays(paths[0], cut_by_prefix(columns, slices), {"slices": str(slices)})


class ExactDedup(CorpusStage):
    Config: ClassVar[type[StageConfig]] = ExactDedupConfig
    exchange_suffixes: ClassVar[tuple[str, ...]] = ("hashes.arrow",)
    rule: ClassVar[str] = "exact_dedup.duplicate"

    def __init__(self, config: ExactDedupConfig) -> None:
        self.config = config

    def definition(self) -> dict[str, object]:
        priority = list(self.config.priority) if self.config.priority else None
        return {**self.collection(), "scope": self.config.scope, "priority": priority}

    def collection(self) -> dict[str, object]:
        return {
            "key": self.config.key,
            "normalize": sorted(self.config.normalize),
            "hash": "murmur3-x64-128",
        }

    def collector(self) -> HashCollector:
        return HashCollector(self.config.normalize)

    def passes(self, name: str, collected: Collected) -> Generator[Pass, list[Receipt], tuple[str, ...]]:
        parts = parts_for(sum(collected.documents.values()), DOCUMENTS_A_PART)
        inputs = {
            f"stage {name}": fingerprint(self.definition()),
            "texts": collected.fingerprint,
            "earlier stages": collected.dropped_fingerprint,
        }
        paths = tuple(f"run/decisions/{name}/{part:04d}.arrow" for part in range(parts))
        tasks = tuple(
            Task(
                f"{name}/{part:04d}-of-{parts:04d}",
                join_part,
                JoinArguments(
                    collected, self.config.priority, self.config.scope == "across", part, parts, path
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
    collected: Collected
    priority: tuple[str, ...] | None
    across: bool
    part: int
    parts: int
    decisions: str


def join_part(out: str, arguments: JoinArguments) -> Facts:
    """Group one part of the hashes of all files and decide who stays."""
    ranking = Ranking.of(arguments.collected.source_names, arguments.priority)
    dropped = dropped_docs(out, arguments.collected.dropped)
    hashes, docs = [np.zeros((0, 2), np.uint64)], [np.zeros(0, np.uint64)]
    for file in arguments.collected.files:
        exchange = ExchangeFile(join(out, file.paths[0]))
        found = read_prefix(exchange, 0, int(exchange.metadata["slices"]), arguments.part, arguments.parts)
        doc = found["row"].astype(np.uint64) | np.uint64(file.base)
        alive = not_in(doc, dropped)
        hashes.append(np.stack([found["key"][alive], found["low"][alive]], axis=1))
        docs.append(doc[alive])
    groups = exact_groups(np.concatenate(hashes), ranking.ranks(np.concatenate(docs)), arguments.across)
    stays = groups.witness == STAYS
    Decisions(
        ranking.docs(groups.docs),
        ranking.docs(groups.cluster),
        groups.size,
        np.where(stays, STAYS, ranking.docs(np.where(stays, groups.docs, groups.witness))),
        np.where(stays, np.nan, 1.0).astype(np.float32),
    ).write(join(out, arguments.decisions))
    return {"documents": int(sum(len(part) for part in docs)), "dropped": int(np.count_nonzero(~stays))}

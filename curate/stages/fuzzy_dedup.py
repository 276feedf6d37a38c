"""`fuzzy_dedup`: near-duplicates by MinHash-LSH; a document goes only if it is similar enough to one that stays.

A document pass sketches each text once: band keys for finding candidates, one byte a slot for verifying them. Then
three passes over those columns: `join` makes edges of equal band keys, `clusters` unites edges, `resolve` walks each
cluster in the order of preference and decides. With exact verification the texts of clusters are read before that.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from curate.dedup.sketch import REMEMBERED_BYTES, RememberingSketcher, Sketcher
from curate.engines.task import Pass, Receipt, Task, fingerprint, outputs_fingerprint
from curate.errors import GuardError
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.prefix_exchange import Columns, cut_by_prefix, parts_for, slices_for
from curate.io.spool import Spool
from curate.kernels.choice import kernels_on
from curate.kernels.interface import Kernels
from curate.memory import Memory
from curate.stages import prefer
from curate.stages.against import EarlierRun, find_earlier, gone_pass
from curate.stages.base import Batch, StageConfig
from curate.stages.cluster_texts import TextArguments, read_texts
from curate.stages.corpus import Collected, CorpusStage
from curate.stages.fuzzy_config import FuzzyDedupConfig
from curate.stages.fuzzy_tasks import (
    BYTES_OF_A_RESOLVE,
    DOCUMENTS_A_RESOLVE,
    JoinArguments,
    ResolveArguments,
    UniteArguments,
    join_band,
    resolve_part,
    unite,
)
from curate.stages.guards import Evidence, cluster_problems, evidence_pass, loss_problems, name_of
from curate.stages.prefer import Preference, PreferenceCollector
from curate.stages.ranking import THIS_RUN, Candidates, Ranking

#: Endings of the exchange files: band keys, signatures.
SUFFIXES = ("bands.arrow", "signatures.arrow")
#: A join of so many documents takes this much of each: keys and ranks, sorted, and an edge where all share a bucket.
DOCUMENTS_A_JOIN, BYTES_OF_A_JOIN = 8_000_000, 100
#: Signatures in a record batch.
DOCUMENTS_A_BATCH = 131_072


class SketchCollector:
    """Collects band keys and signatures of the documents that have a shingle."""

    def __init__(
        self, sketcher: Sketcher, preference: Preference | None, memory: Memory, kernels: Kernels
    ) -> None:
        self._sketcher = sketcher
        remembered = min(REMEMBERED_BYTES, memory.spool // 4)
        self._remembering = RememberingSketcher(sketcher, remembered, kernels)
        self._preferences = PreferenceCollector(preference) if preference else None
        keys = [np.zeros(0, np.uint64) for _ in range(sketcher.bands)]
        signatures = np.zeros((0, sketcher.hashes), np.uint8)
        self._rows, self._signatures = sketcher.bands, sketcher.bands + 1
        self._spool = Spool([*keys, np.zeros(0, np.uint32), signatures], memory.spool)
        self._adopted = False  # then rows do not come in order

    def add(self, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        sketches = self._remembering.sketch(batch.texts, rows)
        found = sketches.sketched
        kept = (rows[found] + first_row).astype(np.uint32)
        self._spool.add([*sketches.keys[:, found], kept, sketches.signatures[found]])
        if self._preferences:
            self._preferences.add(batch, rows[found], first_row)

    def adopt(self, paths: Sequence[str], stays: NDArray[np.bool_]) -> None:
        with ExchangeFile(paths[0]) as file:
            parts = [file.read(number) for number in range(len(file))]
        slices = len(parts) // self._sketcher.bands
        bands = [parts[start : start + slices] for start in range(0, len(parts), slices)]
        keys = [_by_row([part["row"] for part in band], [part["key"] for part in band]) for band in bands]
        with ExchangeFile(paths[1]) as file:
            sketched = [file.read(number) for number in range(len(file))]
        rows = np.concatenate([np.zeros(0, np.uint32), *(part["row"] for part in sketched)])
        kept = stays[rows]
        empty = np.zeros((0, self._sketcher.hashes), np.uint8)
        signatures = np.concatenate([empty, *(part["signature"] for part in sketched)])
        self._spool.add([*(band[kept] for band in keys), rows[kept], signatures[kept]])
        self._adopted = True
        if self._preferences:
            self._preferences.adopt(paths[2], stays)

    def write(self, paths: Sequence[str]) -> None:
        slices = slices_for(self._spool.rows)
        write_arrays(paths[0], self._sorted_keys(slices), {"slices": str(slices)})
        write_arrays(paths[1], self._sorted_signatures() if self._adopted else self._signature_blocks(), {})
        if self._preferences:
            self._preferences.write(paths[2])

    def _signature_blocks(self) -> Iterator[Columns]:
        for rows, found in self._spool.blocks([self._rows, self._signatures], DOCUMENTS_A_BATCH):
            yield {"row": rows, "signature": found}

    def _sorted_signatures(self) -> Iterator[Columns]:
        """As `_signature_blocks` gives them where rows come in order."""
        rows, signatures = self._spool.column(self._rows), self._spool.column(self._signatures)
        order = np.argsort(rows)
        for start in range(0, max(1, len(order)), DOCUMENTS_A_BATCH):
            part = order[start : start + DOCUMENTS_A_BATCH]
            yield {"row": rows[part], "signature": signatures[part]}

    def _sorted_keys(self, slices: int) -> Iterator[Columns]:
        """Each band's keys, sorted and cut by prefix."""
        rows = self._spool.column(self._rows)
        for band in range(self._sketcher.bands):
            keys = self._spool.column(band)
            order = np.lexsort((rows, keys)) if self._adopted else np.argsort(keys, kind="stable")
            yield from cut_by_prefix({"key": keys[order], "row": rows[order]}, slices)


def _by_row(rows: Sequence[NDArray[np.uint32]], keys: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    """Keys of one band in the order of their rows."""
    order: NDArray[np.uint64] = np.concatenate(keys)[np.argsort(np.concatenate(rows))]
    return order


class FuzzyDedup(CorpusStage):
    Config: ClassVar[type[StageConfig]] = FuzzyDedupConfig
    rule = "fuzzy_dedup.duplicate"

    def __init__(self, config: FuzzyDedupConfig) -> None:
        self.config = config
        self.against = config.against
        self.rereads_text = config.verify is not None and config.verify.exact
        self._preference = Preference.of(config.prefer)
        self.requires = (self._preference.column,) if self._preference else ()
        self.exchange_suffixes = (*SUFFIXES, *((prefer.SUFFIX,) if self._preference else ()))

    def definition(self) -> dict[str, object]:
        settings = self.config.model_dump(mode="json", exclude={"name", "sources"})
        return {**settings, **self._sketches()}

    def collection(self) -> dict[str, object]:
        return {**self._sketches(), "prefer": self.config.prefer}

    def _sketches(self) -> dict[str, object]:
        """What makes two sketches comparable."""
        chosen = self.config
        return {
            "sketch": chosen.sketch,
            "shingles": chosen.shingles.model_dump(mode="json"),
            "normalize": sorted(chosen.normalize),
            "hashes": chosen.hashes,
            "bands": chosen.bands,
            "seed": chosen.seed,
        }

    def on_gpu(self) -> str | None:
        return "normal forms, sketches, join" if self.config.normalize else "sketches, join"

    def on_cpu_beside_gpu(self) -> str | None:
        return "sorting of exchange files, clusters, survivors"

    @property
    def reads_text_on_gpu(self) -> bool:
        return True

    def collector(self, memory: Memory) -> SketchCollector:
        return SketchCollector(self.config.sketcher(), self._preference, memory, kernels_on(self.device))

    def earlier_runs(self) -> tuple[EarlierRun, ...]:
        return tuple(find_earlier(path, "fuzzy_dedup", self._sketches(), SUFFIXES) for path in self.against)

    def passes(self, name: str, collected: Collected) -> Generator[Pass, list[Receipt], tuple[str, ...]]:
        earlier = self.earlier_runs()
        listed = (yield gone_pass(name, earlier)) if earlier else []
        gone = tuple(path for receipt in listed for path in receipt.outputs)
        ranking = Ranking.of(collected, self.config.priority, earlier)
        shared = {
            "texts": collected.fingerprint,
            "earlier stages": collected.dropped_fingerprint,
            "earlier runs": fingerprint([[run.fingerprint for run in earlier], outputs_fingerprint(listed)]),
            f"priority of {name}": fingerprint(self.config.priority),
        }
        documents = sum(collected.documents.values()) + sum(run.documents for run in earlier)
        candidates = Candidates(ranking, collected.dropped, gone)
        joined = yield self._join_pass(name, candidates, documents, shared, collected.memory)
        (clustered,) = yield self._clusters_pass(name, joined, collected.memory)
        largest = tuple((int(root), int(size)) for root, size in clustered.facts["largest"])
        evidence = Evidence(
            name, (), collected, ranking, self.against, largest, _clusters(name), _members(name), None
        )
        named = [(name_of(collected, ranking, self.against, root), size) for root, size in largest]
        if problems := cluster_problems(name, self.config.guards, named):
            yield evidence_pass(replace(evidence, problems=tuple(problems)), clustered)
            raise GuardError(*problems)
        resolving = yield from self._decide(name, collected, ranking, clustered, shared)
        resolved = yield resolving
        lost = {
            source: sum(receipt.facts["dropped"].get(source, 0) for receipt in resolved)
            for source in collected.documents
        }
        if problems := loss_problems(name, self.config.guards, collected.documents, lost):
            yield evidence_pass(replace(evidence, problems=tuple(problems), lost=lost), clustered)
            raise GuardError(*problems)
        return tuple(path for task in resolving.tasks for path in task.outputs)

    def _decide(
        self,
        name: str,
        collected: Collected,
        ranking: Ranking,
        clustered: Receipt,
        shared: dict[str, str],
    ) -> Generator[Pass, list[Receipt], Pass]:
        """Read the texts of clusters, where the texts decide; returns the pass that decides."""
        reading = self._text_pass(name, collected, ranking, clustered)
        texts = (yield reading) if reading.tasks else []
        inputs = {
            **shared,
            "clusters": outputs_fingerprint([clustered]),
            "texts of clusters": outputs_fingerprint(texts),
        }
        places = tuple((task.arguments.number, *task.outputs) for task in reading.tasks)
        return self._resolve_pass(name, collected, ranking, clustered.facts["parts"], places, inputs)

    def _join_pass(
        self, name: str, candidates: Candidates, documents: int, inputs: dict[str, str], memory: Memory
    ) -> Pass:
        parts = parts_for(documents, memory.documents(BYTES_OF_A_JOIN, DOCUMENTS_A_JOIN))
        tasks = []
        for band in range(self.config.bands):
            for part in range(parts):
                key = f"{name}/join/{band:03d}-{part:04d}-of-{parts:04d}"
                edges = f"run/exchange/{key}.arrow"
                arguments = JoinArguments(candidates, band, part, parts, edges, self.device)
                tasks.append(Task(key, join_band, arguments, inputs, (edges,)))
        return Pass(f"{name}: join", tuple(tasks))

    def _clusters_pass(self, name: str, joined: list[Receipt], memory: Memory) -> Pass:
        edges = tuple(path for receipt in joined for path in receipt.outputs)
        outputs = (_clusters(name), _members(name))
        part = memory.documents(BYTES_OF_A_RESOLVE + self.config.hashes, DOCUMENTS_A_RESOLVE)
        inputs = {"edges": outputs_fingerprint(joined), "documents a part": str(part)}
        arguments = UniteArguments(name, edges, part, memory, *outputs)
        task = Task(f"{name}/clusters", unite, arguments, inputs, outputs)
        return Pass(f"{name}: clusters", (task,))

    def _text_pass(self, name: str, collected: Collected, ranking: Ranking, clustered: Receipt) -> Pass:
        members = _members(name)
        inputs = {
            "clusters": clustered.outputs[members][1],
            "texts": collected.fingerprint,
            f"normalize of {name}": fingerprint(sorted(self.config.normalize)),
        }
        source_files = {file.base: file for file in collected.files}
        tasks = []
        for number in clustered.facts["files"] if self.rereads_text else ():
            if ranking.files[number].run != THIS_RUN:
                continue
            file = source_files[ranking.files[number].base]
            key = f"{name}/texts/{number:06d}"
            outputs = (f"run/exchange/{key}.arrow", f"run/exchange/{key}.places.arrow")
            arguments = TextArguments(
                file.file,
                file.columns,
                file.edits,
                self.config.normalize,
                members,
                number,
                collected.memory,
                *outputs,
            )
            tasks.append(Task(key, read_texts, arguments, inputs, outputs, file.file.bytes))
        return Pass(f"{name}: texts", tuple(tasks))

    def _resolve_pass(
        self,
        name: str,
        collected: Collected,
        ranking: Ranking,
        parts: int,
        places: tuple[tuple[int, str, str], ...],
        inputs: dict[str, str],
    ) -> Pass:
        verify = self.config.verify
        rules = [self.config.scope, verify and verify.model_dump(mode="json"), self.config.prefer]
        inputs = {f"verification of {name}": fingerprint(rules), **inputs}
        tasks = []
        for part in range(parts):
            decisions = f"run/decisions/{name}/{part:04d}.arrow"
            arguments = ResolveArguments(
                ranking, collected.source_names, self.config, _clusters(name), part, places, decisions
            )
            key = f"{name}/resolve/{part:04d}"
            tasks.append(Task(key, resolve_part, arguments, inputs, (decisions,)))
        return Pass(f"{name}: resolve", tuple(tasks))


def _clusters(name: str) -> str:
    return f"run/exchange/{name}/clusters.arrow"


def _members(name: str) -> str:
    return f"run/exchange/{name}/members.arrow"

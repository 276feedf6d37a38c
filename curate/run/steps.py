"""The order of a run: document passes, corpus passes, tally, ledger, shards, manifest."""

from __future__ import annotations

from typing import Any

import curate
from curate.engines.task import Pass, Receipt, Task, Update, fingerprint, outputs_fingerprint
from curate.errors import GuardError
from curate.io.files import join
from curate.io.flush import flush_folders
from curate.io.shard_formats import SHARD_FORMATS, SHARD_INDEX
from curate.io.sources import SourceColumns, SourceFile
from curate.plan import CorpusPasses, DocumentPass, Plan, PlannedSource, Step, editing
from curate.progress import Progress
from curate.report.guard import write_guard_page
from curate.run import finish
from curate.run.documents import BatchLimits, DecideArguments, decide_file
from curate.run.edits import definitions, stages_of, stages_on_cpu
from curate.run.folder import remove_leftovers
from curate.run.journal import Journal
from curate.run.ledger import LedgerArguments, TallyArguments, tally_file, write_ledger
from curate.run.redecide import redecide_file, stage_inputs
from curate.run.shards import Emitting, Piece, ShardArguments, plan_shards, shard_schema, write_shard
from curate.run.standing import Decided, StageDecisions
from curate.stages.corpus import Collected, CollectedFile, CorpusStage
from curate.stages.mix import expected_copies
from curate.stages.write import shard_options


class FileState:
    """What a run knows so far about one source file.

    layers: path and sha256 of each. collected: by corpus stage, what the file gave it, how many documents, a digest.
    """

    def __init__(self, source: PlannedSource, file: SourceFile) -> None:
        self.source = source
        self.file = file
        self.name = source.source.name
        self.base = source.base(file)
        self.layers: list[tuple[str, str]] = []
        self.collected: dict[str, tuple[CollectedFile, int, str]] = {}
        self.quarantine = ""
        self.quarantined = 0
        self.documents = 0

    @property
    def path(self) -> str:
        """The file's place in folders of the journal."""
        return f"{self.name}/{self.file.index:06d}"

    def columns(self, names: tuple[str, ...]) -> SourceColumns:
        return SourceColumns(self.source.source.text, self.source.source.id, names)


class Carrying:
    """One run of a plan."""

    def __init__(self, plan: Plan, journal: Journal, progress: Progress, limits: BatchLimits) -> None:
        self._plan = plan
        self._journal = journal
        self._progress = progress
        self._limits = limits
        self._files = [FileState(source, file) for source in plan.sources for file in source.files]
        self._tokens = fingerprint(plan.tokens.description())
        self._decisions: list[StageDecisions] = []
        self._decision_receipts: list[Receipt] = []
        self._decisions_fingerprint = outputs_fingerprint(())

    def run(self) -> tuple[dict[str, Any], int]:
        """Carry out everything; returns the stats and how many records are quarantined."""
        for number, each in enumerate(self._plan.passes):
            if isinstance(each, DocumentPass):
                self._document_pass(each, first=number == 0)
            else:
                self._corpus_passes(each)
        emitting = self._ledger_pass(self._copies())
        shards = self._shard_pass(emitting)
        out = self._journal.out
        quarantined, quarantine_paths = self._gather_quarantine()
        self._journal.ensure_held()
        index = finish.write_shard_index(out, self._plan, shards)
        listed = {SHARD_INDEX} if index else set()
        remove_leftovers(out, quarantine_paths | self._journal.wanted() | listed)
        # A manifest says that everything beside it is there, after a power failure too.
        for folder in ("data", "ledger"):
            flush_folders(join(out, folder))
        finish.write_manifest(out, self._plan, emitting, shards, index, quarantined)
        stats = finish.publish(out)
        for warning in stats["warnings"]:
            self._progress.note(warning)
        return stats, sum(quarantined.values())

    def _document_pass(self, each: DocumentPass, first: bool) -> None:
        states = [state for state in self._files if first or each.steps_of(state.name)]
        tasks = tuple(self._document_task(each, state, first) for state in states)
        for state, receipt in zip(states, self._journal.carry_out(Pass(each.name, tasks)), strict=True):
            layer = _layer_path(each, state)
            state.layers.append((layer, receipt.outputs[layer][1]))
            if first:
                state.quarantine = _quarantine_path(state)
                state.quarantined = receipt.facts["quarantined"]
                state.documents = receipt.facts["documents"]
            for step in each.steps_of(state.name):
                if isinstance(step.stage, CorpusStage):
                    paths = _exchange_paths(step, state)
                    edits = self._plan.edits_of(state.name, before=step)
                    digests = tuple(receipt.outputs[path][1] for path in paths)
                    digest = fingerprint([state.base, definitions(edits), *digests])
                    documents = receipt.facts["collected"][step.name]
                    gave = CollectedFile(
                        state.base, paths, digests, state.file, state.columns(()), stages_on_cpu(edits)
                    )
                    state.collected[step.name] = (gave, documents, digest)

    def _document_task(self, each: DocumentPass, state: FileState, first: bool) -> Task:
        steps = each.steps_of(state.name)
        layer = _layer_path(each, state)
        exchange = tuple(
            _exchange_paths(step, state) for step in steps if isinstance(step.stage, CorpusStage)
        )
        quarantine = _quarantine_path(state) if first else None
        columns = state.columns(each.columns[state.name])
        arguments = DecideArguments(
            state.file,
            columns,
            state.name in each.texts,
            stages_of(each.edited_of(state.name)),
            steps,
            self._decided(state),
            layer,
            exchange,
            quarantine,
            self._limits,
            self._plan.tokens,
        )
        stages, verdicts = stage_inputs(steps, columns.columns)
        inputs = {
            "curate": curate.__version__,
            "tokens": self._tokens,
            f"file {state.file.path}": _identity(state.file),
            f"columns of {state.name}": fingerprint([columns.text, columns.id, columns.columns]),
            "stages before": fingerprint([self._decided_digest(state), [step.name for step in steps]]),
            "edits before": fingerprint(definitions(each.edited_of(state.name))),
            **stages,
        }
        outputs = (
            layer,
            *(path for paths in exchange for path in paths),
            *((quarantine,) if quarantine else ()),
        )
        update = Update(redecide_file, verdicts) if verdicts else None
        name = f"{each.name}/{state.path}"
        return Task(name, decide_file, arguments, inputs, outputs, state.file.bytes, update)

    def _corpus_passes(self, each: CorpusPasses) -> None:
        step = each.step
        assert isinstance(step.stage, CorpusStage)
        passes = step.stage.passes(step.name, self._collected(each))
        receipts: list[Receipt] = []
        try:
            asked = next(passes)
            while True:
                receipts = self._journal.carry_out(asked)
                asked = passes.send(receipts)
        except GuardError:
            write_guard_page(self._journal.out)
            raise
        except StopIteration as done:
            digests = {path: digest for receipt in receipts for path, (_, digest) in receipt.outputs.items()}
            paths = tuple(done.value)
            made = StageDecisions(
                step.name, step.stage.rule, paths, tuple(digests[path] for path in paths), step.stage.against
            )
            self._decisions.append(made)
            self._decision_receipts.extend(receipts)
            self._decisions_fingerprint = outputs_fingerprint(self._decision_receipts)

    def _collected(self, each: CorpusPasses) -> Collected:
        """What was collected for a corpus stage, less what corpus stages since that reading have dropped."""
        name = each.step.name
        files = [(state, *state.collected[name]) for state in self._files if name in state.collected]
        documents = {
            source.source.name: 0 for source in self._plan.sources if source.source.name in each.step.sources
        }
        for state, _, count, _ in files:
            documents[state.name] += count
        since = {
            other.step.name
            for other in self._plan.passes
            if isinstance(other, CorpusPasses) and other.collected_in == each.collected_in
        }
        dropped = [made for made in self._decisions if made.stage in since]
        return Collected(
            tuple(source.source.name for source in self._plan.sources),
            tuple(file for _, file, _, _ in files),
            documents,
            fingerprint([digest for _, _, _, digest in files]),
            tuple(path for made in dropped for path in made.paths),
            self._decisions_fingerprint if dropped else "",
            self._limits.memory,
        )

    def _decided(self, state: FileState) -> Decided:
        return Decided(state.base, tuple(path for path, _ in state.layers), tuple(self._decisions))

    def _decided_digest(self, state: FileState) -> str:
        """Fingerprint of all that has been decided so far, as far as it can concern the file."""
        return fingerprint([state.base, state.layers, self._decisions_fingerprint])

    def _copies(self) -> dict[str, float] | None:
        """Expected copies of a kept document by source; None where the recipe does not mix."""
        mix = self._plan.recipe.mix
        if mix is None:
            return None
        tasks = tuple(
            Task(
                f"tally/{state.path}",
                tally_file,
                TallyArguments(self._decided(state), self._plan.tokens),
                {"stages": self._decided_digest(state), "tokens": self._tokens},
                (),
            )
            for state in self._files
        )
        kept = {source.source.name: 0 for source in self._plan.sources}
        for state, receipt in zip(self._files, self._journal.carry_out(Pass("tally", tasks)), strict=True):
            kept[state.name] += receipt.facts["kept"][mix.unit]
        for source, left in kept.items():
            if not left:
                self._progress.note(f"mix: nothing is left of source {source}, so its weight cannot be met")
        return expected_copies(mix.weights, kept, mix.total)

    def _ledger_pass(self, copies: dict[str, float] | None) -> dict[str, list[tuple[Emitting, Receipt]]]:
        mix = self._plan.recipe.mix
        paths = _ledger_paths(self._plan)
        tasks = []
        for state in self._files:
            path = paths[state.name, state.file.index]
            expected = None if copies is None else copies[state.name]
            arguments = LedgerArguments(
                self._decided(state), expected, mix.seed if mix else 0, path, self._plan.tokens
            )
            inputs = {
                "stages": self._decided_digest(state),
                "tokens": self._tokens,
                "mix": fingerprint([expected, mix.seed if mix else 0]),
            }
            tasks.append(Task(f"ledger/{state.path}", write_ledger, arguments, inputs, (path,)))
        receipts = self._journal.carry_out(Pass("ledger", tuple(tasks)))
        made: dict[str, list[tuple[Emitting, Receipt]]] = {
            source.source.name: [] for source in self._plan.sources
        }
        for state, receipt in zip(self._files, receipts, strict=True):
            emitted = receipt.facts["emitted"]
            counts, sizes = tuple(rows for rows, _, _ in emitted), tuple(size for _, size, _ in emitted)
            columns = state.columns(state.source.source.keep)
            path = paths[state.name, state.file.index]
            emitting = Emitting(
                state.file,
                state.base,
                path,
                columns,
                counts,
                sizes,
                stages_on_cpu(self._plan.edits_of(state.name)),
            )
            made[state.name].append((emitting, receipt))
        return made

    def _shard_pass(self, ledgers: dict[str, list[tuple[Emitting, Receipt]]]) -> list[Receipt]:
        output = self._plan.recipe.output
        digests = {
            emitting.ledger: receipt.outputs[emitting.ledger][1]
            for made in ledgers.values()
            for emitting, receipt in made
        }
        size = sum(
            entry[1] for made in ledgers.values() for _, receipt in made for entry in receipt.facts["emitted"]
        )
        shards = max(1, -(-size // output.shard_bytes))
        if not any(sum(emitting.counts) for made in ledgers.values() for emitting, _ in made):
            self._progress.note("write: no document is left")
        edits = fingerprint(definitions(editing(self._plan.steps)))
        schema = shard_schema(self._plan.kept)
        options = shard_options(output, self._plan.tokens)
        suffixes = SHARD_FORMATS[output.format].suffixes[options.compression]
        encoded = [self._plan.tokens.description(), options.end_of_document] if options.encoder else None
        made_of = fingerprint([output.format, options.compression, encoded, output.seed, str(schema)])
        by_source = {source: [emitting for emitting, _ in made] for source, made in ledgers.items()}
        tasks = []
        for number, pieces in enumerate(plan_shards(self._journal.out, by_source, shards)):
            stem = f"data/train-{number:05d}-of-{shards:05d}"
            paths = tuple(stem + suffix for suffix in suffixes)
            arguments = ShardArguments(
                pieces, schema, output.format, options, output.seed, paths, self._limits
            )
            inputs = {
                "what is kept": fingerprint([_piece_identity(piece, digests) for piece in pieces]),
                "edits": edits,
                "output": made_of,
            }
            tasks.append(Task(f"write/{number:05d}-of-{shards:05d}", write_shard, arguments, inputs, paths))
        return self._journal.carry_out(Pass("write", tuple(tasks)))

    def _gather_quarantine(self) -> tuple[dict[str, int], set[str]]:
        """Records by source, and the paths of the quarantine files that hold them."""
        records, paths = {}, set()
        for source in self._plan.sources:
            name = source.source.name
            states = [state for state in self._files if state.name == name]
            records[name] = sum(state.quarantined for state in states)
            if records[name] and records[name] >= sum(state.documents for state in states):
                self._progress.note(
                    f"source {name}: nothing of it could be read; see quarantine/{name}.jsonl"
                )
            parts = [state.quarantine for state in states if state.quarantined]
            if finish.gather_quarantine(self._journal.out, source, parts):
                paths.add(f"quarantine/{name}.jsonl")
        return records, paths


def _layer_path(each: DocumentPass, state: FileState) -> str:
    return f"run/layers/{each.name}/{state.path}.parquet"


def _exchange_paths(step: Step, state: FileState) -> tuple[str, ...]:
    assert isinstance(step.stage, CorpusStage)
    return tuple(f"run/exchange/{step.name}/{state.path}.{suffix}" for suffix in step.stage.exchange_suffixes)


def _quarantine_path(state: FileState) -> str:
    return f"run/quarantine/{state.path}.jsonl"


def _identity(file: SourceFile) -> str:
    return f"{file.fingerprint}, {file.bytes} bytes, modified {file.modified}"


def _piece_identity(piece: Piece, digests: dict[str, str]) -> list[object]:
    file = piece.emitting.file
    columns = piece.emitting.columns
    kept = [columns.text, columns.id, columns.columns]
    return [
        file.path,
        _identity(file),
        digests[piece.emitting.ledger],
        kept,
        piece.copy,
        piece.start,
        piece.stop,
    ]


def _ledger_paths(plan: Plan) -> dict[tuple[str, int], str]:
    """Where each source file's ledger goes: its path below the folder that all files of the source share."""
    paths = {}
    for source in plan.sources:
        parts = [file.path.split("/") for file in source.files]
        shared = 0
        while all(len(part) > shared + 1 for part in parts) and len({part[shared] for part in parts}) == 1:
            shared += 1
        names = ["/".join(part[shared:]) for part in parts]
        stems = [_stem(name) for name in names]
        chosen = stems if len({*stems}) == len(stems) else names
        for file, name in zip(source.files, chosen, strict=True):
            paths[source.source.name, file.index] = f"ledger/{source.source.name}/{name}.parquet"
    return paths


def _stem(name: str) -> str:
    for ending in (".gz", ".zst", ".parquet", ".jsonl", ".json", ".ndjson"):
        name = name.removesuffix(ending)
    return name

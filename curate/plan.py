"""Recipe to plan: which files there are, which passes read what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from curate.errors import Problem, RecipeError, SourceError
from curate.io.ledger import pack_doc
from curate.io.sources import SourceColumns, SourceFile, list_files
from curate.models.tokens import TokenCount
from curate.recipe import Recipe, Source, Stage
from curate.stages import CORPUS_STAGES, DOCUMENT_STAGES
from curate.stages.base import DocumentStage
from curate.stages.corpus import CorpusStage
from curate.stages.write import token_count

#: Ledger columns that exist before the first stage runs.
FIRST_COLUMNS = ("id", "bytes", "tokens")
#: Ledger columns that a stage that edits texts leaves behind besides its own: the text's size after it.
EDITED_COLUMNS = ("edited_bytes", "edited_tokens")


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the recipe under its name, and the sources it looks at."""

    name: str
    kind: str
    stage: DocumentStage | CorpusStage
    sources: frozenset[str]

    @property
    def rules(self) -> tuple[str, ...]:
        """The reasons it can drop a document for."""
        return self.stage.rules if isinstance(self.stage, DocumentStage) else (self.stage.rule,)


@dataclass(frozen=True, slots=True)
class DocumentPass:
    """Stages that share one reading of the sources.

    steps: document stages decide here; corpus stages only collect.
    columns: metadata columns each source is read for.
    texts: sources whose text is read.
    edited: stages of earlier passes that edit texts; their edits are made again before this pass's stages look.
    """

    name: str
    steps: tuple[Step, ...]
    columns: dict[str, tuple[str, ...]]
    texts: frozenset[str]
    edited: tuple[Step, ...]

    def steps_of(self, source: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if source in step.sources)

    def edited_of(self, source: str) -> tuple[Step, ...]:
        return tuple(step for step in self.edited if source in step.sources)


@dataclass(frozen=True, slots=True)
class CorpusPasses:
    """The passes of one corpus stage over what a document pass collected for it."""

    step: Step
    collected_in: str

    @property
    def texts(self) -> frozenset[str]:
        """Sources of which the text of some documents, those in clusters, is read again."""
        assert isinstance(self.step.stage, CorpusStage)
        return self.step.sources if self.step.stage.rereads_text else frozenset()


@dataclass(frozen=True, slots=True)
class PlannedSource:
    source: Source
    index: int
    files: tuple[SourceFile, ...]

    def base(self, file: SourceFile) -> int:
        """`doc` of the file's row 0."""
        return pack_doc(self.index, file.index, 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, in order. kept: the type of each metadata column that shards carry. tokens: how they are
    counted."""

    recipe: Recipe
    sources: tuple[PlannedSource, ...]
    passes: tuple[DocumentPass | CorpusPasses, ...]
    kept: Mapping[str, pa.DataType]
    tokens: TokenCount

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every stage once, in the recipe's order."""
        return tuple(step for each in self.passes if isinstance(each, DocumentPass) for step in each.steps)

    def edits_of(self, source: str, before: Step | None = None) -> tuple[Step, ...]:
        """The stages that edit the source's texts, in order; all, or those before a stage."""
        steps = self.steps if before is None else self.steps[: self.steps.index(before)]
        return tuple(step for step in editing(steps) if source in step.sources)

    def warnings(self) -> tuple[str, ...]:
        """What the stages have to say before they run."""
        stages = [step.stage for step in self.steps]
        found = [text for stage in stages if isinstance(stage, DocumentStage) for text in stage.warnings()]
        found += [*_lonely(self.steps), *_read_twice(self.sources)]
        return tuple(dict.fromkeys(found))

    def text_reads(self, source: str) -> int:
        """How often the source's text is read, writing the shards included."""
        return 1 + sum(source in each.texts for each in self.passes)


def _lonely(steps: Sequence[Step]) -> Iterator[str]:
    """Stages that look for duplicates between sources, and have one."""
    for step in steps:
        across = getattr(getattr(step.stage, "config", None), "scope", None) == "across"
        if (
            across
            and len(step.sources) == 1
            and isinstance(step.stage, CorpusStage)
            and not step.stage.against
        ):
            yield (
                f"{step.name}: scope across compares sources, and it has one ({', '.join(step.sources)}): it will "
                "drop nothing; write scope: all, or give it more sources"
            )


def _read_twice(sources: Sequence[PlannedSource]) -> Iterator[str]:
    """Sources that share files, whose documents are each other's duplicates."""
    for place, source in enumerate(sources):
        paths = {file.path for file in source.files}
        for other in sources[:place]:
            shared = sorted(paths & {file.path for file in other.files})
            if shared:
                names = f"{other.source.name} and {source.source.name}"
                yield f"sources {names} both read {shared[0]} ({len(shared)} such files)"


def editing(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Those of the stages that edit texts."""
    return tuple(step for step in steps if isinstance(step.stage, DocumentStage) and step.stage.edits)


def plan(recipe: Recipe) -> Plan:
    """Check the recipe against the real files and lay out the passes. Reads footers and sizes, writes nothing."""
    names = tuple(source.name for source in recipe.sources)
    passes = _passes(_steps(recipe.stages, names), names)
    tokens = token_count(recipe.output)
    sources: list[PlannedSource] = []
    problems: list[Problem] = []
    for index, source in enumerate(recipe.sources):
        try:
            files = list_files(source.name, source.path, source.format, _all_columns(source, passes))
        except SourceError as error:
            problems.extend(error.problems)
            continue
        sources.append(PlannedSource(source, index, tuple(files)))
    for each in passes:
        if isinstance(each, CorpusPasses):
            problems.extend(_earlier_problems(each.step))
    kept = _kept_types(sources, problems)
    if problems:
        raise SourceError(*problems)
    return Plan(recipe, tuple(sources), passes, kept, tokens)


def _kept_types(sources: Sequence[PlannedSource], problems: list[Problem]) -> dict[str, pa.DataType]:
    """The type of each column that sources keep: one that holds the values of all files that have it."""
    kept: dict[str, tuple[pa.DataType, str]] = {}
    for source in sources:
        for file in source.files:
            for name in source.source.keep:
                if name not in file.types:
                    continue
                now, first = kept.setdefault(name, (file.types[name], file.path))
                common = _common_type(now, file.types[name])
                if common is None:
                    found = f"column {name} is {file.types[name]}"
                    fix = f"keep {name} of one of the two only, or convert one of them"
                    problems.append(Problem(file.path, found, f"{now}, as in {first}", fix))
                    return {}
                kept[name] = (common, first)
    return {name: kind for name, (kind, _) in kept.items()}


def _common_type(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    """The type that holds the values of both, if there is one."""
    if a.equals(b):
        return a
    try:
        schemas = [pa.schema([("kept", kind)]) for kind in (a, b)]
        return pa.unify_schemas(schemas, promote_options="permissive").field("kept").type
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return None


def _earlier_problems(step: Step) -> Sequence[Problem]:
    """What is wrong with the earlier runs that a corpus stage looks at."""
    assert isinstance(step.stage, CorpusStage)
    try:
        step.stage.earlier_runs()
    except SourceError as error:
        return error.problems
    return ()


def _all_columns(source: Source, passes: Sequence[DocumentPass | CorpusPasses]) -> SourceColumns:
    """Every column of the source that any pass, or the writing of shards, will read."""
    read = {
        column for each in passes if isinstance(each, DocumentPass) for column in each.columns[source.name]
    }
    return SourceColumns(source.text, source.id, tuple(sorted(read | set(source.keep))))


def _steps(entries: Sequence[Stage], source_names: tuple[str, ...]) -> tuple[Step, ...]:
    """The stages of the recipe; what a document stage leaves to be decided over the corpus follows as its own step."""
    steps: list[Step] = []
    for entry in entries:
        kind = DOCUMENT_STAGES.get(entry.kind) or CORPUS_STAGES[entry.kind]
        stage = kind(entry.config)
        sources = frozenset(entry.config.sources or source_names)
        steps.append(Step(entry.name, entry.kind, stage, sources))
        rest = stage.corpus_part() if isinstance(stage, DocumentStage) else None
        if rest is not None:
            steps.append(Step(f"{entry.name}-fraction", entry.kind, rest, sources))
    names = [step.name for step in steps]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        fix = (
            f"give another name: {twice} is what keep_fraction decides for {twice.removesuffix('-fraction')}"
        )
        raise RecipeError(Problem("stages", f"two stages are called {twice}", fix=fix))
    return tuple(steps)


def _passes(steps: tuple[Step, ...], names: tuple[str, ...]) -> tuple[DocumentPass | CorpusPasses, ...]:
    """Neighbouring document stages share a pass; corpus stages that follow collect in it, then run their own.

    There is always a first document pass: it counts the documents and finds what cannot be read.
    """
    groups: list[list[Step]] = [[]]
    for step in steps:
        last = groups[-1][-1] if groups[-1] else None
        if isinstance(step.stage, DocumentStage) and last and isinstance(last.stage, CorpusStage):
            groups.append([])
        groups[-1].append(step)
    passes: list[DocumentPass | CorpusPasses] = []
    known = {source: set(FIRST_COLUMNS) for source in names}
    edited: tuple[Step, ...] = ()
    for number, group in enumerate(groups, start=1):
        name = f"documents-{number}"
        passes.append(_document_pass(name, tuple(group), names, known, edited, first=number == 1))
        edited += editing(group)
        passes.extend(CorpusPasses(step, name) for step in group if isinstance(step.stage, CorpusStage))
    return tuple(passes)


def _document_pass(
    name: str,
    steps: tuple[Step, ...],
    names: tuple[str, ...],
    known: dict[str, set[str]],
    edited: tuple[Step, ...],
    first: bool,
) -> DocumentPass:
    """`known` holds the ledger columns each source has before the pass; those its stages write are added."""
    columns: dict[str, set[str]] = {source: set() for source in names}
    texts = set(names) if first else set()
    for step in steps:
        for source in step.sources:
            columns[source] |= set(step.stage.requires) - known[source]
            known[source] |= set(step.stage.columns.names)
            if step in editing((step,)):
                known[source] |= set(EDITED_COLUMNS)
        if step.stage.reads_text:
            texts |= step.sources
    read = {source: tuple(sorted(found)) for source, found in columns.items()}
    return DocumentPass(name, steps, read, frozenset(texts), edited)

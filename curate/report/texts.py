"""Texts of documents for a report: many at a time, each source file opened once, for as long as there is time."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence

from curate.errors import SourceError
from curate.io.ledger import pack_doc
from curate.io.manifest import Manifest, SourceFileEntry
from curate.io.sources import SourceColumns, list_files, read_batches

_BATCH_BYTES = 64 << 20


class TextReader:
    """Reads texts from the sources of a run, if they are where they were and as they were.

    A text inside a large compressed file can cost reading the file: what `seconds` did not suffice for stays
    unread, and `missing` says so.
    """

    def __init__(self, manifest: Manifest, seconds: float) -> None:
        self._manifest = manifest
        self._recipe = {entry["name"]: entry for entry in manifest.recipe["sources"]}
        self._indices = {name: index for index, name in manifest.source_names().items()}
        self._until = time.monotonic() + seconds
        self._texts: dict[int, str] = {}
        self._missing: dict[int, str] = {}

    def doc(self, name: str) -> int:
        """The packed doc of `source:file:row`."""
        source, file, row = name.rsplit(":", 2)
        return pack_doc(self._indices[source], int(file), int(row))

    def read(self, names: Iterable[str]) -> None:
        """Reads the texts of documents, named `source:file:row`."""
        wanted: dict[tuple[str, int], set[int]] = defaultdict(set)
        for name in names:
            source, place, row = name.rsplit(":", 2)
            if self.doc(name) not in self._texts and self.doc(name) not in self._missing:
                wanted[source, int(place)].add(int(row))
        for (source, index), rows in sorted(wanted.items()):
            if time.monotonic() > self._until:
                return
            entry = next(entry for entry in self._manifest.source(source).files if entry.index == index)
            self._read_file(source, entry, sorted(rows))

    def text(self, name: str) -> str | None:
        """A document's text, None where it was not read."""
        return self._texts.get(self.doc(name))

    def missing(self, name: str) -> str:
        """Why a document has no text."""
        return self._missing.get(self.doc(name), "not read: the time for reading samples was up")

    def _read_file(self, source: str, entry: SourceFileEntry, rows: Sequence[int]) -> None:
        recipe = self._recipe[source]
        columns = SourceColumns(text=recipe.get("text", "text"))
        docs = {row: pack_doc(self._indices[source], entry.index, row) for row in rows}
        why = "the file has no such row"
        try:
            (file,) = list_files(source, [entry.path], recipe.get("format"), columns)
            if file.fingerprint != entry.fingerprint:
                why = f"{entry.path} has changed since the run"
            else:
                ranges = [(row, row + 1) for row in rows]
                for batch in read_batches(
                    file, columns, text=True, max_documents=1024, max_bytes=_BATCH_BYTES, rows=ranges
                ):
                    for place, text in enumerate(batch.texts.to_pylist() if batch.texts is not None else ()):
                        if text is not None:
                            self._texts[docs[batch.start + place]] = text
                    if time.monotonic() > self._until:
                        return
        except SourceError as error:
            why = str(error)
        for doc in docs.values():
            if doc not in self._texts:
                self._missing[doc] = why

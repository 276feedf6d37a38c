"""One small set of corpora for all tests of the generator, read back without it."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

DOCUMENTS = 3000


@dataclass(frozen=True)
class Corpora:
    folder: Path

    @cached_property
    def truth(self) -> list[dict[str, Any]]:
        return pq.read_table(self.folder / "truth.parquet").to_pylist()

    @cached_property
    def texts(self) -> dict[tuple[str, int], str]:
        """Text by (file, row)."""
        found = {}
        for path in sorted({row["file"] for row in self.truth}):
            found |= {(path, i): text for i, text in enumerate(read_texts(self.folder / path))}
        return found

    def text(self, row: dict[str, Any]) -> str:
        return self.texts[row["file"], row["row"]]

    def original(self, row: dict[str, Any]) -> str:
        return self.texts[row["duplicate_of_file"], row["duplicate_of_row"]]


def read_texts(path: Path) -> list[str]:
    if path.suffix == ".parquet":
        return pq.ParquetFile(path).read(columns=["text"]).column("text").to_pylist()
    return [json.loads(line)["text"] for line in gzip.decompress(path.read_bytes()).splitlines()]

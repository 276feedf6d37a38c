"""Very large documents and row groups: python benchmarks/large_documents.py CASE [--bytes N] [--memory 4GB]

    document   a Parquet file with one document of --bytes (2 GB) among a hundred of 4 kB
    line       a JSON lines file with one line of that size among as many
    group      a Parquet file of one row group with --bytes (4 GB) of documents of 4 kB, a thousandth of them of 4 MB,
               which stand together at the end

Carries out exact and near deduplication of it with `curate run` on one worker, in a process of its own, and prints
wall and processor seconds and the peak memory of that process: ru_maxrss, and what was seen of it every 10 ms that is
not mapped files. The shard is then read
back and each text compared with what was written, in another process.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

RECIPE = """
name: large
sources: [{{name: large, path: "{folder}/*", id: id}}]
stages:
  - exact_dedup: {{key: text}}
  - fuzzy_dedup: {{preset: zyda2}}
"""
SMALL, LONG = 4_000, 4_000_000
DEFAULT_BYTES = {"document": 2_000_000_000, "line": 2_000_000_000, "group": 4_000_000_000}
_LETTERS = np.frombuffer(b"etaoinshrdlcumwfgypbvk     ", np.uint8)


def text(number: int, size: int) -> bytes:
    """Random letters and spaces, of which a text over a megabyte repeats the first."""
    drawn = np.random.default_rng(number).integers(0, len(_LETTERS), min(size, 1 << 20))
    content = _LETTERS[drawn].tobytes()
    return (content * (size // len(content) + 1))[:size]


def sizes(case: str, size: int) -> list[int]:
    """Of the documents, in order."""
    if case != "group":
        return [*[SMALL] * 50, size, *[SMALL] * 50]
    long = size // 2 // LONG
    return [*[SMALL] * (size // 2 // SMALL), *[LONG] * long]


def arrow(content: list[bytes]) -> pa.Array:
    return pa.array(content, pa.binary()).cast(pa.string())


def generate(folder: Path, case: str, size: int) -> None:
    wanted = sizes(case, size)
    if case == "line":
        with (folder / "a.jsonl").open("wb") as file:
            for number, each in enumerate(wanted):
                file.write(b'{"id": "%d", "text": "' % number)
                file.write(text(number, each))
                file.write(b'"}\n')
        return
    parts = [range(start, min(start + 1_000, len(wanted))) for start in range(0, len(wanted), 1_000)]
    columns = {
        "id": [arrow([b"%d" % i for i in part]) for part in parts],
        "text": [arrow([text(i, wanted[i]) for i in part]) for part in parts],
    }
    table = pa.table({name: pa.chunked_array(chunks) for name, chunks in columns.items()})
    path = folder / "a.parquet"
    options = {
        "compression": "lz4",
        "use_dictionary": False,
        "write_batch_size": 1,
        "write_statistics": False,
    }
    # A call of ParquetWriter.write_batch would be a row group.
    pq.write_table(table, path, row_group_size=len(table), **options)
    assert pq.read_metadata(path).num_row_groups == 1


class OwnMemory(threading.Thread):
    """Watches what the process has in memory besides mapped files, which the system takes back when it needs to."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_kb = 0
        self.start()

    def run(self) -> None:
        while True:
            status = Path("/proc/self/status").read_text()
            self.peak_kb = max(self.peak_kb, int(status.split("RssAnon:")[1].split()[0]))
            time.sleep(0.01)


def carry_out(work: Path, memory: str) -> None:
    import curate

    own = OwnMemory()
    started = time.monotonic()
    done = curate.run(
        curate.load_recipe(str(work / "recipe.yaml")), str(work / "out"), workers=1, memory=memory
    )
    wall = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    totals = done.stats["totals"]
    print(
        f"| {wall:.0f} | {used.ru_utime + used.ru_stime:.0f} "
        f"| {used.ru_maxrss * 1024 / 1e6:,.0f} | {own.peak_kb * 1024 / 1e6:,.0f} "
        f"| {totals['documents']:,} in, {totals['kept']:,} kept, {done.quarantined} unreadable |",
        flush=True,
    )


def texts_of(out: Path) -> Iterator[tuple[int, str]]:
    for shard in sorted((out / "data").iterdir()):
        with pq.ParquetFile(shard, buffer_size=1 << 20) as file:
            for batch in file.iter_batches(16, columns=["id", "text"]):
                for row in range(len(batch)):
                    yield int(batch["id"][row].as_py()), batch["text"][row].as_py()


def check(work: Path, case: str, size: int) -> None:
    wanted = sizes(case, size)
    seen = 0
    for number, found in texts_of(work / "out"):
        assert found.encode() == text(number, wanted[number]), f"document {number} came out otherwise"
        seen += 1
    print(f"\n{seen:,} of {len(wanted):,} texts are in the shards, each as it was written.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("case", choices=list(DEFAULT_BYTES))
    parser.add_argument("--bytes", type=int)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--work", type=Path, help="folder to work in")
    parser.add_argument("--step", choices=["generate", "run", "check"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    size = given.bytes or DEFAULT_BYTES[given.case]
    if given.step == "generate":
        generate(given.work / "source", given.case, size)
    elif given.step == "run":
        carry_out(given.work, given.memory)
    elif given.step == "check":
        check(given.work, given.case, size)
    else:
        work = Path(tempfile.mkdtemp(prefix="large", dir=given.work))
        try:
            (work / "source").mkdir()
            (work / "recipe.yaml").write_text(RECIPE.format(folder=work / "source"))
            print(f"### {given.case} of {size:,} bytes, --memory {given.memory}, 1 worker\n")
            print(
                "| wall s | processor s | peak MB | without mapped files | |\n|---|---|---|---|---|",
                flush=True,
            )
            options = [given.case, f"--bytes={size}", f"--memory={given.memory}", f"--work={work}"]
            for step in ("generate", "run", "check"):
                subprocess.run([sys.executable, __file__, *options, f"--step={step}"], check=True)
        finally:
            shutil.rmtree(work)


if __name__ == "__main__":
    main()

"""Which source holds how many documents of which role, and in which files."""

from __future__ import annotations

from dataclasses import dataclass

ROWS_PER_FILE = 25_000

_DUMPS = ("CC-MAIN-2014-15", "CC-MAIN-2017-26", "CC-MAIN-2020-05", "CC-MAIN-2023-50")
_COMPONENTS = (
    "c4_en",
    "zyda_arxiv",
    "zyda_peS2o",
    "zyda_pile-uncopyrighted",
    "zyda_refinedweb",
    "zyda_slimpajama",
)
_BUCKETS = ("cc_en_head", "cc_en_middle", "cc_en_tail")


@dataclass(frozen=True, slots=True)
class Source:
    """A corpus to make. Shares of roles are per mille of its documents; the rest are clean originals."""

    name: str
    share: int  # per cent of all documents
    low: int
    copies: int
    chains: int
    foreign: int
    junk: int
    high_percent: int  # of the clean originals; the others are Medium
    folders: tuple[str, ...]  # the files are dealt out to these in order
    file_name: str


# The shares follow the sizes of Zyda-2's parts roughly; FineWeb-Edu is the cleanest and Dolma-CC the least.
SOURCES = (
    Source("dclm", 40, 50, 200, 4, 60, 90, 50, ("dclm",), "part-{:05d}.parquet"),
    Source(
        "fineweb-edu",
        25,
        30,
        180,
        4,
        40,
        60,
        75,
        tuple(f"fineweb-edu/{dump}" for dump in _DUMPS),
        "train-{:05d}.parquet",
    ),
    Source(
        "zyda-1",
        15,
        80,
        220,
        4,
        100,
        120,
        40,
        tuple(f"zyda-1/{component}" for component in _COMPONENTS),
        "part-{:05d}.parquet",
    ),
    Source("dolma-cc", 20, 130, 220, 4, 130, 150, 30, ("dolma-cc",), "{}-{:04d}.json.gz"),
)


@dataclass(frozen=True, slots=True)
class File:
    """A file to make: rows [start, start + rows) of source number `source`, at `path` below the folder."""

    source: int
    number: int  # in the order of the source's paths
    path: str
    start: int
    rows: int
    part: str  # the dump, component or bucket that the file belongs to


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands.

    plans: a row a source: originals, low-quality ones, copies, links of chains, foreign, junk, High per cent.
    """

    files: tuple[File, ...]
    plans: tuple[tuple[int, ...], ...]

    @property
    def documents(self) -> int:
        return sum(file.rows for file in self.files)


def plan_layout(documents: int) -> Layout:
    """The layout of so many documents in all; the first source takes what rounding leaves."""
    sizes = [documents * source.share // 100 for source in SOURCES]
    sizes[0] += documents - sum(sizes)
    chains = min(
        size * source.chains // 1000 // _links(number)
        for number, (source, size) in enumerate(zip(SOURCES, sizes, strict=True))
    )
    files: list[File] = []
    plans = []
    for number, (source, size) in enumerate(zip(SOURCES, sizes, strict=True)):
        files += _files(number, source, size)
        low, foreign, junk = (size * share // 1000 for share in (source.low, source.foreign, source.junk))
        links = chains * _links(number)
        # Copies need something to copy: every source keeps at least one original if it has documents.
        copies = size * source.copies // 1000 if all(sizes) else 0
        originals = size - low - copies - links - foreign - junk
        plans.append((originals, low, copies, links, foreign, junk, source.high_percent))
    return Layout(tuple(files), tuple(plans))


def _links(source: int) -> int:
    """How many of the six links of a chain stand in a source: they go round the four sources."""
    return (6 - source + len(SOURCES) - 1) // len(SOURCES)


def _files(number: int, source: Source, size: int) -> list[File]:
    parts = _BUCKETS if source.name == "dolma-cc" else source.folders
    count = max(min(max(len(parts), 3), size), -(-size // ROWS_PER_FILE), 1)
    files: list[File] = []
    for index in range(count):
        place = index * len(parts) // count
        first = -(-place * count // len(parts))  # the first file of this part
        start, end = size * index // count, size * (index + 1) // count
        if source.name == "dolma-cc":
            path, part = f"dolma-cc/{source.file_name.format(parts[place], index - first)}", parts[place]
        else:
            path = f"{parts[place]}/{source.file_name.format(index - first)}"
            part = parts[place].rpartition("/")[2]
        files.append(File(number, index, path, start, end - start, part))
    return files

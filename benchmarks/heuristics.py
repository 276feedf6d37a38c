"""How fast one core applies each family of heuristic rules, beside the same rules in plain Python.

    python -m benchmarks.heuristics FOLDER [--column text] [--megabytes 64] [--plain-megabytes 2]
        [--sentences PARQUET]

FOLDER is searched for Parquet files with a text column. Plain Python gets the first documents of the sample,
and both ways must agree on every score of those. Documents of ASCII alone are then compared with the others.
`--sentences` names a file with the columns `text` and `lang`: sentences of a language, put together to documents of
4 kB, are compared with those of English.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from uniseg.wordbreak import words as uniseg_words

from curate.kernels import Texts
from curate.stages.base import Batch
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristic_profiles import FAMILIES, PROFILES
from curate.stages.heuristics import Heuristics
from tests.heuristics import oracle, oracle_gopher

Scores = dict[str, float | None]

LANGUAGES = ("en", "fr", "ru", "el", "ar", "hi", "ko", "th", "zh", "ja")
DATATROVE_GOPHER = ("datatrove.gopher_quality", "datatrove.gopher_repetition")


def plain_dclm(text: str) -> Scores:
    return oracle_gopher.dclm_quality(text) | oracle_gopher.dclm_repetition(text, uniseg_words)


#: The rules of each family in plain Python. DCLM's words are those of uniseg itself, as there.
PLAIN: dict[str, Callable[[str], Scores]] = {
    "nemo": oracle.scores,
    "dolma": oracle_gopher.dolma,
    "dclm": plain_dclm,
    "gopher": oracle_gopher.gopher,
}
#: Its rules that look at texts, without those that edit them.
PARTS = FAMILIES | {"dclm": ("dclm.gopher_quality", "dclm.gopher_repetition")}


def sample(folder: Path, column: str, megabytes: float) -> list[str]:
    """Documents of the folder's Parquet files, in order of path, up to so many megabytes of UTF-8."""
    documents: list[str] = []
    left = megabytes * 1e6
    for path in sorted(folder.rglob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(512, columns=[column]):
            for text in batch.column(0).drop_null().to_pylist():
                if left <= 0:
                    return documents
                documents.append(text)
                left -= len(text.encode())
    if not documents:
        raise SystemExit(f"no Parquet file with documents under {folder}")
    return documents


def seconds(run: Callable[[], object], repeats: int) -> float:
    """The least time of this process on its core in several runs; all of it runs in one thread."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return min(times)


def ours(batch: Batch, profile: str | tuple[str, ...]) -> float:
    """Bytes a second of one core that decides about all documents."""
    stage = Heuristics(HeuristicsConfig(profile=profile))
    rows = np.arange(len(batch.texts))
    return int(batch.texts.sizes.sum()) / seconds(lambda: stage.decide(batch, rows), 3)


def batch_of(texts: list[str]) -> Batch:
    return Batch("benchmark", Texts.from_arrow(pa.array(texts, pa.large_string())))


def python(texts: list[str], profile: str) -> float:
    """Bytes a second of plain Python, whose scores must be those of the kernel."""
    expected: list[Scores] = []
    taken = seconds(lambda: expected.extend(map(PLAIN[profile], texts)), 1)
    batch = batch_of(texts)
    for part in PARTS.get(profile, (profile,)):
        keep = tuple(rule.name for rule in PROFILES[part].rules)
        columns = (
            Heuristics(HeuristicsConfig(profile=part, keep_stats=keep))
            .decide(batch, np.arange(len(texts)))
            .columns
        )
        for name in keep:
            found = columns[f"{part}.{name}"].to_numpy(zero_copy_only=False)
            wanted = np.array([score[name] for score in expected], np.float64)
            np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9, err_msg=f"{part}.{name}")
    return int(batch.texts.sizes.sum()) / taken


def by_language(path: Path, languages: tuple[str, ...], megabytes: float) -> dict[str, list[str]]:
    """Documents of 4 kB, of the sentences of each language again and again."""
    found = pq.read_table(path, columns=["lang", "text"])
    documents: dict[str, list[str]] = {}
    for language in languages:
        sentences = found.filter(pc.equal(found["lang"], language))["text"].to_pylist()
        joined = "\n".join(sentences)
        times = int(megabytes * 1e6 / len(joined.encode())) + 1
        step = 4_000 * len(joined) // len(joined.encode())
        whole = "\n".join([joined] * times)
        documents[language] = [whole[at : at + step] for at in range(0, len(whole), step)]
    return documents


def compare_languages(path: Path) -> None:
    print(f"{'MB/s a core; times slower than en':34}" + "".join(f"{name:>16}" for name in LANGUAGES))
    batches = {
        language: batch_of(texts) for language, texts in by_language(path, LANGUAGES, megabytes=2).items()
    }
    for profiles in (("gopher",), DATATROVE_GOPHER, ("fineweb",), ("fineweb", "nemo"), ("dolma",), ("dclm",)):
        speeds = {language: ours(batch, profiles) for language, batch in batches.items()}
        cells = [f"{speed / 1e6:9.1f} ({speeds['en'] / speed:4.2f})" for speed in speeds.values()]
        print(f"{' and '.join(profiles):34.34}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--column", default="text")
    parser.add_argument("--megabytes", type=float, default=64)
    parser.add_argument("--plain-megabytes", type=float, default=2)
    parser.add_argument("--sentences", type=Path)
    arguments = parser.parse_args()

    documents = sample(arguments.folder, arguments.column, arguments.megabytes)
    batch = batch_of(documents)
    plain = sample(arguments.folder, arguments.column, arguments.plain_megabytes)
    print(f"{len(documents):,} documents, {int(batch.texts.sizes.sum()) / 1e6:.1f} MB; MB/s a core")
    print(f"{'':10}{'curate':>10}{'plain Python':>16}{'ratio':>8}   (equal scores)")
    for profile in PLAIN:
        fast, slow = ours(batch, PARTS.get(profile, profile)), python(plain, profile)
        print(f"{profile:10}{fast / 1e6:10.1f}{slow / 1e6:16.2f}{fast / slow:8.0f}")
    every = tuple(part for profile in PLAIN for part in PARTS.get(profile, (profile,)))
    print(f"{'all':10}{ours(batch, every) / 1e6:10.1f}")
    print(f"{'':32}{'only ASCII':>12}{'not only':>10}{'ratio':>8}")
    halves = [batch_of([text for text in documents if text.isascii() == ascii]) for ascii in (True, False)]
    for profiles in (("gopher",), ("fineweb",), ("nemo", "fineweb")):
        ascii, other = (ours(half, profiles) for half in halves)
        print(f"{' and '.join(profiles):32}{ascii / 1e6:12.1f}{other / 1e6:10.1f}{ascii / other:8.2f}")
    if arguments.sentences:
        compare_languages(arguments.sentences)


if __name__ == "__main__":
    main()

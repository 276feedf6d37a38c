"""Language identification with lid.176.ftz, curate against fasttext-predict on one core, side by side:

    python benchmarks/fasttext_language.py [PARQUET ...] [--documents N] [--max-chars N]

The files need a column `text`; without any, sample corpora are made. fasttext-predict gets Python strings with line
feeds already replaced by spaces (it refuses them otherwise); curate gets the same texts as Arrow does hold them.
Reported is the fastest of several runs in processor time of one thread, and whether labels and scores agree.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.kernels import Texts
from curate.models.fasttext import FastText
from curate.models.registry import resolve
from curate.synth import generate


def texts_of(paths: list[Path], documents: int) -> list[str]:
    """The first texts of each file, as many in all as asked for where the files have them."""
    share = -(-documents // len(paths))
    texts: list[str] = []
    for path in paths:
        texts += pq.read_table(path, columns=["text"])["text"].slice(0, share).to_pylist()
    return [text for text in texts if text is not None]


def samples(documents: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        generate(folder, 2 * documents)
        return texts_of(sorted(Path(folder).glob("*/*.parquet")), documents)


def fastest(run: Callable[[], object], runs: int) -> float:
    """Seconds of processor time."""
    times = []
    for _ in range(runs):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--documents", type=int, default=4000)
    parser.add_argument("--max-chars", type=int)
    arguments = parser.parse_args()
    texts = (
        texts_of(arguments.files, arguments.documents) if arguments.files else samples(arguments.documents)
    )
    cut = [text[: arguments.max_chars] for text in texts]
    lines = [text.replace("\n", " ") for text in cut]
    ours, peer = FastText.load(resolve("lid.176")), fasttext.load_model(str(resolve("lid.176")))
    batch = Texts.from_arrow(pa.array(texts))

    own = fastest(lambda: ours.score(batch, max_chars=arguments.max_chars), runs=9)
    other = fastest(lambda: [peer.predict(line) for line in lines], runs=2)

    scores = ours.score(batch, max_chars=arguments.max_chars)
    expected = [peer.predict(line) for line in lines]
    same = sum(
        f"__label__{ours.labels[i]}" == e[0][0] for i, e in zip(scores.labels[:, 0], expected, strict=True)
    )
    furthest = np.abs(scores.probabilities[:, 0] - [e[1][0] for e in expected]).max()
    megabytes = sum(len(text.encode()) for text in cut) / 1e6
    print(f"{len(texts):,} documents, {megabytes:.1f} MB, {megabytes / len(texts) * 1e6:,.0f} bytes each")
    print(f"curate            {megabytes / own:8.1f} MB/s  {own / len(texts) * 1e6:8.1f} us a document")
    print(f"fasttext-predict  {megabytes / other:8.1f} MB/s  {other / len(texts) * 1e6:8.1f} us a document")
    print(f"ratio             {other / own:8.1f}")
    print(f"same label {same:,} of {len(texts):,}, scores at most {furthest:.1e} apart")


if __name__ == "__main__":
    main()

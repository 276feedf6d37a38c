"""Bytes of UTF-8 text a token takes, by language, and how fast tokenizers count: the table of `curate.models.tokens`.

    python -m benchmarks.bytes_a_token --tokenizer o200k_base --tokenizer tokenizer.json LID.parquet ENGLISH.parquet ...

LID.parquet has columns text and lang, a sentence a row; sentences of a language are joined by twenties. ENGLISH.parquet
are files of English documents with a column text, of which the first 1,500 count.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.kernels import Texts
from curate.models.tokens import Tokenizer

SENTENCES, DOCUMENTS = 20, 1_500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokenizer", action="append", required=True)
    parser.add_argument("sentences")
    parser.add_argument("english", nargs="*")
    given = parser.parse_args()
    texts: dict[str, list[str]] = defaultdict(list)
    for row in pq.read_table(given.sentences, columns=["text", "lang"]).to_pylist():
        texts[row["lang"]].append(row["text"])
    corpora = {
        lang: [" ".join(found[at : at + SENTENCES]) for at in range(0, len(found), SENTENCES)]
        for lang, found in sorted(texts.items())
    }
    english = [
        pq.read_table(path, columns=["text"])["text"].to_pylist()[:DOCUMENTS] for path in given.english
    ]
    if english:
        corpora["en, documents"] = [text for found in english for text in found]
    for name in given.tokenizer:
        measure(name, corpora)


def measure(name: str, corpora: dict[str, list[str]]) -> None:
    tokenizer = Tokenizer.load(name)
    total, spent = 0, 0.0
    for lang, documents in corpora.items():
        texts = Texts.from_arrow(pa.array(documents))
        size = int(texts.sizes.sum())
        started = time.process_time()
        tokens = int(tokenizer.count(texts, np.arange(len(texts))).sum())
        spent += time.process_time() - started
        total += size
        print(f"{name} {lang}: {size / tokens:.2f} bytes a token of {size:,} bytes")
    print(f"{name}: {total / spent / 1e6:.1f} MB a second of processor time")


if __name__ == "__main__":
    main()

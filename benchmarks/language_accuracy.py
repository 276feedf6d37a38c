"""Accuracy of language identification against the labels of the texts' own sets, beside py3langid:

    python -m benchmarks.language_accuracy DATA [--texts 100]

DATA is a folder with leipzig_sentences.parquet, libreoffice_help.parquet and udhr.parquet: columns `text` and `lang`.
curate is the stage `language` with its defaults (lid.176.ftz, the first 2,000 characters); py3langid gets the same
first 2,000 characters. Counted are the texts whose language both can name; what either answers is not restricted, so
that a language which the other does not know is a mistake like any other. pt-br is pt, zh-cn zh; ISO 639-3 becomes
639-1 by curate's own table; `no` is `nb`, the written language of the Norwegian Wikipedia that lid.176 calls `no`.
Neighbours such as bs, hr and sr are different languages, as the sets have them.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import py3langid
import pyarrow as pa
import pyarrow.parquet as pq

from curate.kernels import Texts
from curate.models.iso639 import TWO_LETTERS
from curate.models.registry import fasttext
from curate.stages.base import Batch
from curate.stages.language import Language

DEFAULT = Language.Config().max_chars
LENGTHS = (100, 200, 500, 1000, 2000, 5000, None)
LEAST_PARAGRAPH = 60


def answered(label: str | None) -> str:
    """A model's label; empty for none."""
    return "nb" if label == "no" else label or ""


def labelled(label: str) -> str:
    """The label of a set, as models have it. Theirs are not those of ISO 639-3: lid.176's als is Alemannic."""
    code = label.replace("-", "_").partition("_")[0]
    return TWO_LETTERS.get(code, code)


def identified(texts: Sequence[str], max_chars: int | None = DEFAULT) -> list[str]:
    """What curate's stage says."""
    stage = Language(Language.Config(max_chars=max_chars))
    batch = Batch("texts", Texts.from_arrow(pa.array(texts, pa.string())))
    return [answered(each) for each in stage.decide(batch, np.arange(len(texts))).columns["lang"].to_pylist()]


def identified_by_py3langid(texts: Sequence[str]) -> list[str]:
    return [answered(py3langid.classify(text[:DEFAULT])[0]) for text in texts]


def known_to_both() -> set[str]:
    theirs = {answered(label) for label, _ in py3langid.rank("any text")}
    return {answered(each) for each in fasttext("lid.176").labels} & theirs


def read(path: Path, paragraphs: bool = False) -> dict[str, list[str]]:
    """Texts by language. paragraphs: lines of some length instead of whole texts."""
    texts = defaultdict(list)
    table = pq.read_table(path, columns=["text", "lang"])
    for text, lang in zip(table["text"].to_pylist(), table["lang"].to_pylist(), strict=True):
        parts = text.splitlines() if paragraphs else [text]
        texts[labelled(lang)] += [part for part in parts if not paragraphs or len(part) >= LEAST_PARAGRAPH]
    return texts


def sampled(texts: dict[str, list[str]], known: set[str], most: int) -> tuple[list[str], list[str]]:
    """At most so many texts of each known language, and their languages."""
    chosen = [
        (text, lang)
        for lang in sorted(texts.keys() & known)
        for text in random.Random(1).sample(texts[lang], min(most, len(texts[lang])))
    ]
    return [text for text, _ in chosen], [lang for _, lang in chosen]


def by_language(found: list[str], expected: list[str]) -> dict[str, float]:
    right = defaultdict(list)
    for each, lang in zip(found, expected, strict=True):
        right[lang].append(each == lang)
    return {lang: float(np.mean(each)) for lang, each in right.items()}


def shown(found: list[str], expected: list[str]) -> str:
    """Accuracy over texts, the mean of the languages' accuracies, and the five worst with their commonest mistake."""
    shares = by_language(found, expected)
    worst = sorted((lang for lang in shares if shares[lang] < 1), key=lambda lang: (shares[lang], lang))[:5]
    total = np.mean([each == lang for each, lang in zip(found, expected, strict=True)])
    named = ", ".join(f"{lang} {shares[lang]:.0%} ({taken_for(lang, found, expected)})" for lang in worst)
    return f"{total:.2%} | {np.mean(list(shares.values())):.2%} | {named or 'none'}"


def taken_for(lang: str, found: list[str], expected: list[str]) -> str:
    wrong = [each for each, own in zip(found, expected, strict=True) if own == lang and each != lang]
    return max(sorted(set(wrong)), key=wrong.count) or "none"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--texts", type=int, default=100, help="at most so many a language and set")
    arguments = parser.parse_args()
    known = known_to_both()
    sets = {
        "leipzig_sentences": read(arguments.data / "leipzig_sentences.parquet"),
        "libreoffice_help": read(arguments.data / "libreoffice_help.parquet"),
        "udhr, paragraphs": read(arguments.data / "udhr.parquet", paragraphs=True),
    }
    print(f"{len(known)} languages known to both")
    print("| set | texts | languages | characters | | accuracy | mean of languages | worst |")
    print("|---|---|---|---|---|---|---|---|")
    for name, texts in sets.items():
        chosen, expected = sampled(texts, known, arguments.texts)
        size = f"{len(chosen):,} | {len(set(expected))} | {np.median([len(text) for text in chosen]):,.0f}"
        print(f"| {name} | {size} | curate | {shown(identified(chosen), expected)} |")
        print(f"| | | | | py3langid | {shown(identified_by_py3langid(chosen), expected)} |", flush=True)

    print("| set | documents | " + " | ".join(f"{each or 'all'}" for each in LENGTHS) + " |")
    print("|---|---|" + "---|" * len(LENGTHS))
    own = {answered(each) for each in fasttext("lid.176").labels}
    for name in ("libreoffice_help", "udhr"):
        chosen, expected = sampled(read(arguments.data / f"{name}.parquet"), own, arguments.texts)
        found = {each: identified(chosen, each) for each in LENGTHS}
        right = [np.mean([a == b for a, b in zip(each, expected, strict=True)]) for each in found.values()]
        print(f"| {name} | {len(chosen):,} | " + " | ".join(f"{each:.2%}" for each in right) + " |")


if __name__ == "__main__":
    main()

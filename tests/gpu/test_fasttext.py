from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.gpu.fasttext import STRAYS, DeviceModel, FastTextJob
from curate.kernels.gpu.jobs import DeviceTexts
from curate.kernels.gpu.kernels import DeviceKernels
from curate.models.fasttext import FastText
from tests.gpu.texts import batches, texts_of
from tests.models.fasttext_files import Spec, model_bytes

WORDS = ("</s>", "the", "house", "Straße", "кот", "日本", "a", "x" * 70)
LABELS = tuple(f"__label__{i}" for i in range(9))
SPECS = {
    "language": Spec(
        WORDS, LABELS, loss="hs", dim=16, min_n=2, max_n=4, bucket=500, pruned=40, quantised=True
    ),
    "words": Spec(WORDS, LABELS[:2], dim=40, word_ngrams=3, bucket=300),
    "folded": Spec(
        WORDS, LABELS[:3], dim=12, min_n=2, max_n=3, word_ngrams=2, bucket=300, norms=True, quantised=True
    ),
    "characters": Spec(WORDS, LABELS, loss="ova", dim=7, min_n=1, max_n=6, word_ngrams=2, bucket=200),
    "no end": Spec(
        WORDS[1:], LABELS, loss="ns", dim=5, min_n=3, max_n=3, bucket=50, norms=True, quantised=True
    ),
}
PIECES = [
    "the ",
    "house ",
    "</s> ",
    "</s>",
    "__label__1 ",
    "__label__new ",
    "Straße\n",
    "кот",
    " 日本 ",
    "\t",
    "thehouse",
]

texts = st.lists(st.sampled_from([piece.encode() for piece in PIECES]), max_size=40).map(b"".join)


def assert_as_on_the_cpu(
    device, model: FastText, documents, k: int = 2, max_chars: int | None = None
) -> None:
    batch = texts_of(documents)
    characters = np.iinfo(np.int64).max if max_chars is None else max_chars
    rows = np.arange(len(batch))
    expected = model.score(batch, k=k, max_chars=max_chars)
    labels, probabilities = DeviceKernels(device).fasttext(model.kernel, batch, rows, k, characters)
    np.testing.assert_array_equal(labels, expected.labels)
    np.testing.assert_array_equal(probabilities.view(np.uint32), expected.probabilities.view(np.uint32))


@pytest.fixture(scope="module", params=SPECS)
def model(request):
    expand_bytes = 0 if request.param == "no end" else 1 << 20
    return FastText(
        np.frombuffer(model_bytes(SPECS[request.param]), np.uint8), "model", expand_bytes=expand_bytes
    )


@settings(max_examples=25, deadline=None)
@given(documents=st.one_of(batches, st.lists(texts, min_size=1, max_size=8)), k=st.sampled_from([1, 2, 12]))
def test_scores_are_those_of_the_cpu(device, model, documents, k) -> None:
    assert_as_on_the_cpu(device, model, documents, k)


@settings(max_examples=10, deadline=None)
@given(documents=st.lists(texts, min_size=1, max_size=5), max_chars=st.integers(0, 60))
def test_only_the_first_characters_count(device, model, documents, max_chars) -> None:
    assert_as_on_the_cpu(device, model, documents, max_chars=max_chars)


def test_words_longer_than_a_tile(device, model) -> None:
    documents = [
        b"the " + b"house" * 40 + b" cat " + "кот".encode() * 30,
        b"\x80" * 100 + b"a",
        b"__label__" + b"x" * 90,
    ]
    assert_as_on_the_cpu(device, model, documents)


def test_texts_whose_sums_stray_are_left_to_the_cpu(device) -> None:
    model = FastText(np.frombuffer(model_bytes(SPECS["language"]), np.uint8), "model")
    documents = [b"the house " * 2_000, "кот".encode() * 2_000, b"the house"]
    job = FastTextJob(
        DeviceTexts.upload(device, texts_of(documents)),
        DeviceModel(device, model.kernel),
        1,
        np.iinfo(np.int64).max,
    )
    job.run()
    labels, _ = job.result()
    assert labels[2, 0] != STRAYS
    assert (labels == STRAYS).any()


def test_texts_that_repeat_themselves(device, model) -> None:
    documents = [
        b"the house " * 2_000,
        "кот".encode() * 2_000,
        b"the house",
        b"aab " * 1_000,
        b"\x80 " * 9_000,
    ]
    assert_as_on_the_cpu(device, model, documents)


@pytest.mark.parametrize("size", [32_768, 32_769])
def test_long_texts_are_added_in_fasttexts_order(device, model, size) -> None:
    text = "".join(np.random.default_rng(0).choice([*PIECES[:2], *PIECES[4:]], 12_000)).encode()[:size]
    assert len(text) == size
    assert_as_on_the_cpu(device, model, [b"the house", text, b"a"])

"""Scores against fastText: lid.176 over real texts, random models of every kind over arbitrary bytes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import Texts
from curate.models.fasttext import FastText
from curate.models.registry import resolve
from tests.models.fasttext_files import KINDS, Spec, model_bytes
from tests.models.sentences import SENTENCES
from tests.shared_data import shared_data

peer = pytest.importorskip("fasttext", reason="fastText is not installed (extra test)")


@pytest.fixture(scope="module")
def lid() -> FastText:
    return FastText.load(resolve("lid.176"))


@pytest.fixture(scope="module")
def peer_lid() -> object:
    return peer.load_model(str(resolve("lid.176")))


@pytest.fixture(scope="module", params=KINDS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[FastText, FastText, object]:
    """A model in two shapes of ours, quantised matrices expanded and not, and as fastText reads it."""
    data = model_bytes(KINDS[request.param])
    path = tmp_path_factory.mktemp("models") / "model.bin"
    path.write_bytes(data)
    compact = FastText(np.frombuffer(data, np.uint8), "compact", expand_bytes=0)
    return FastText.load(path), compact, peer.load_model(str(path))


def texts_of(*texts: bytes | str) -> Texts:
    return Texts.from_arrow(pa.array([t.encode() if isinstance(t, str) else t for t in texts], pa.binary()))


def predicted(model: object, text: bytes, k: int) -> list[tuple[str, float]]:
    """What fastText says; it reads to the first line feed, and refuses texts that hold another."""
    found = model.f.predict(text.replace(b"\n", b" ") + b"\n", k, 0.0, "strict")  # type: ignore[attr-defined]
    return [(label.removeprefix("__label__"), score) for score, label in found]


def check(model: FastText, other: object, texts: list[bytes], k: int, apart: float = 1e-5) -> None:
    scores = model.score(texts_of(*texts), k=k)
    for text, labels, probabilities in zip(texts, scores.labels, scores.probabilities, strict=True):
        expected = predicted(other, text, k)
        assert (labels >= 0).sum() == len(expected)
        assert np.allclose(
            probabilities[: len(expected)], [score for _, score in expected], rtol=0, atol=apart
        )
        assert not probabilities[len(expected) :].any()
        if len(expected) > 1 and expected[0][1] - expected[1][1] < 2 * apart:
            continue  # a tie, or what rounding makes of one
        assert not expected or model.labels[labels[0]] == expected[0][0]


def test_sentences(lid: FastText, peer_lid: object) -> None:
    scores = lid.score(texts_of(*SENTENCES.values()))
    assert [lid.labels[i] for i in scores.labels[:, 0]] == list(SENTENCES)
    check(lid, peer_lid, [sentence.encode() for sentence in SENTENCES.values()], 5)


def test_golden_predictions(lid: FastText) -> None:
    golden = pq.read_table(shared_data("golden/lid.parquet"))
    compared = 0
    for table in ("lid_docs", "docs"):
        columns = pq.read_table(shared_data(f"golden/{table}.parquet"), columns=["id", "text"])
        texts = dict(zip(columns["id"].to_pylist(), columns["text"].to_pylist(), strict=True))
        expected = golden.filter(pa.array([name == table for name in golden["table"].to_pylist()]))
        ids = expected["id"].to_pylist()
        # The reference saw the first 2,000 characters with line feeds as spaces.
        scores = lid.score(Texts.from_arrow(pa.array([texts[i] for i in ids])), k=3, max_chars=2000)
        names = np.array([*lid.labels, ""])[scores.labels].tolist()
        assert [[name for name in row if name] for row in names] == expected["labels"].to_pylist()
        theirs = np.array([(row + [0.0] * 3)[:3] for row in expected["scores"].to_pylist()], np.float32)
        assert np.abs(scores.probabilities - theirs).max() < 1e-5
        compared += len(ids)
    assert compared == len(golden) > 0


@pytest.mark.parametrize(
    ("name", "step"), [("leipzig_sentences", 60), ("libreoffice_help", 40), ("udhr", 12)]
)
def test_real_texts(lid: FastText, peer_lid: object, name: str, step: int) -> None:
    texts = pq.read_table(shared_data(f"lid/{name}.parquet"), columns=["text"])["text"].to_pylist()
    check(lid, peer_lid, [text.encode() for text in texts[::step]], 3)


LETTERS = [
    "the",
    "house",
    "Straße",
    "кот",
    "日本",
    "</s>",
    "__label__a",
    "__label__zz",
    "<",
    ">",
    "x" * 70,
    "é" * 60,
]
SPACES = [" ", "\n", "\t", "\v", "\f", "\r", "\0", "\u00a0", "\u2003", ""]
WORDY = (
    st.lists(st.sampled_from([*LETTERS, *SPACES, "a", "ab", "ü"]), max_size=30).map("".join).map(str.encode)
)


@given(texts=st.lists(st.one_of(st.binary(max_size=60), WORDY), min_size=1, max_size=8), k=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_arbitrary_bytes(pair: tuple[FastText, FastText, object], texts: list[bytes], k: int) -> None:
    model, compact, other = pair
    check(model, other, texts, k)
    both = [kind.score(texts_of(*texts), k=k) for kind in (model, compact)]
    assert np.array_equal(both[0].labels, both[1].labels)
    assert np.array_equal(both[0].probabilities, both[1].probabilities)


@given(text=st.one_of(st.binary(max_size=300), WORDY, st.text(max_size=80).map(str.encode)))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_with_lid(lid: FastText, peer_lid: object, text: bytes) -> None:
    check(lid, peer_lid, [text], 3)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_random_models(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    quantised = data.draw(st.booleans())
    bucket = data.draw(st.integers(1, 400))
    spec = Spec(
        loss=data.draw(st.sampled_from(["hs", "ns", "softmax", "ova"])),
        labels=tuple(f"__label__{i}" for i in range(data.draw(st.integers(1, 12)))),
        dim=data.draw(st.integers(1, 40)),
        word_ngrams=data.draw(st.integers(0, 4)),
        min_n=data.draw(st.integers(0, 4)),
        max_n=data.draw(st.integers(0, 7)),
        bucket=bucket,
        quantised=quantised,
        norms=data.draw(st.booleans()),
        quantised_output=quantised and data.draw(st.booleans()),
        pruned=data.draw(st.one_of(st.none(), st.integers(0, bucket))) if quantised else None,
        part=data.draw(st.integers(1, 4)),
        seed=data.draw(st.integers(0, 99)),
    )
    contents = model_bytes(Spec(**{**spec.__dict__, "part": min(spec.part, spec.dim)}))
    path = tmp_path_factory.getbasetemp() / "random.bin"
    path.write_bytes(contents)
    texts = data.draw(st.lists(WORDY, min_size=1, max_size=5))
    check(FastText.load(path), peer.load_model(str(path)), texts, data.draw(st.integers(1, 12)))


def test_of_equal_scores_the_later_label_goes_first(tmp_path: Path) -> None:
    spec = Spec(loss="ova", labels=tuple(f"__label__{i}" for i in range(9)), scale=40.0, seed=3)
    path = tmp_path / "ties.bin"
    path.write_bytes(model_bytes(spec))
    model, other = FastText.load(path), peer.load_model(str(path))
    scores = model.score(texts_of(b"house"), k=9)
    assert (np.diff(scores.probabilities[0]) == 0).any(), "the test needs ties"
    assert model.labels[scores.labels[0, 0]] == predicted(other, b"house", 1)[0][0]


def test_long_texts_and_many_distinct_words(lid: FastText, peer_lid: object) -> None:
    random = np.random.default_rng(5)
    letters = np.array([chr(code) for code in (*range(97, 123), *range(0xE0, 0xF0), *range(0x430, 0x440))])
    words = ["".join(random.choice(letters, random.integers(1, 12))) for _ in range(40_000)]
    texts = [" ".join(words), " ".join(words[:2000] * 3), "x" * 300_000, "日" * 50_000]
    texts += [(text * 20_000)[:size] for text in ("the house ", "дом ", "a") for size in (40_000, 200_000)]
    check(lid, peer_lid, [text.encode() for text in texts], 3)


def test_long_words_that_differ_in_the_middle_alone(lid: FastText, peer_lid: object) -> None:
    """Few begin and end alike, so that they take each other's place where words are remembered."""
    random = np.random.default_rng(11)
    syllables = ["ba", "strä", "ung", "qu", "дом", "ção"]
    words = [
        f"{start}{''.join(random.choice(syllables, random.integers(1, 9)))}{end}"
        for start in ("", "überra", "interna")
        for end in ("", "schungen", "tionalisation")
        for _ in range(60)
    ]
    texts = [" ".join(random.choice(words, random.integers(1, 30))) for _ in range(1_000)]
    check(lid, peer_lid, [text.encode() for text in texts], 2)


def test_long_texts_are_added_as_fasttext_does(tmp_path: Path) -> None:
    """Above 32 KiB, where only the same order of additions rounds alike: a model of large weights shows it."""
    for number, loss in enumerate(("hs", "softmax", "ova", "ns")):
        labels = tuple(f"__label__{i}" for i in range(12))  # too many to be folded into the rows
        spec = Spec(
            loss=loss,
            labels=labels,
            dim=19,
            min_n=1,
            max_n=4,
            word_ngrams=2,
            bucket=300,
            scale=2.0,
            seed=number,
        )
        path = tmp_path / f"{loss}.bin"
        path.write_bytes(model_bytes(spec))
        random = np.random.default_rng(number)
        texts = [" ".join(random.choice(LETTERS[:5] + LETTERS[8:], 20_000)).encode(), b"the house " * 30_000]
        assert min(map(len, texts)) > 32_768
        check(FastText.load(path), peer.load_model(str(path)), texts, 3, apart=1e-6)


def repetitive(random: np.random.Generator, size: int) -> list[bytes]:
    """Texts that repeat themselves in many ways."""
    letters = np.array([chr(code) for code in (*range(97, 123), *range(0xE0, 0xF0), *range(0x430, 0x440))])

    def word(most: int, alphabet: int = len(letters)) -> str:
        return "".join(random.choice(letters[:alphabet], random.integers(1, most + 1)))

    def repeated(text: str) -> str:
        return text * (size // len(text.encode()) + 1)

    natural = list(SENTENCES.values())
    some = " ".join(random.permutation(natural)[:9])
    period = int(random.integers(2, 200))
    shapes = [
        repeated(word(1)),
        repeated(word(12) + " "),
        repeated(str(random.choice(natural)) + "\n"),
        repeated(" ".join(word(9) for _ in range(period)) + " "),
        repeated(word(60)),
        " ".join(word(14, 2) for _ in range(size // 8)),
        " ".join(map(str, random.integers(0, 2000, size // 5))),
        some + " " + repeated(word(8) + " "),
        repeated(word(8) + " ") + some,
        repeated(word(5) + " ")[: size // 2] + repeated(word(5) + " ")[: size // 2],
        " ".join(random.choice([word(7) for _ in range(20)], size // 5)),
    ]
    return [shape.encode()[:size] for shape in shapes]


@pytest.mark.parametrize("size", [1_000, 5_000, 32_000])
def test_texts_that_repeat_themselves(pair: tuple[FastText, FastText, object], size: int) -> None:
    model, compact, other = pair
    texts = repetitive(np.random.default_rng(size), size)
    check(model, other, texts, 1)
    both = [kind.score(texts_of(*texts)) for kind in (model, compact)]
    assert np.array_equal(both[0].probabilities, both[1].probabilities)


@pytest.mark.parametrize("seed", range(8))
def test_texts_that_repeat_themselves_with_lid(lid: FastText, peer_lid: object, seed: int) -> None:
    random = np.random.default_rng(seed)
    texts = [text for size in (2_000, 9_000, 20_000, 32_000) for text in repetitive(random, size)]
    check(lid, peer_lid, texts, 2)


def test_batch_order_and_threads_do_not_matter(lid: FastText) -> None:
    texts = texts_of(*(sentence[start:] for sentence in SENTENCES.values() for start in range(0, 40, 7)))
    whole = lid.score(texts, k=2)
    rows = np.random.default_rng(1).permutation(len(texts))
    shuffled = lid.score(texts, rows, k=2)
    assert np.array_equal(shuffled.probabilities, whole.probabilities[rows])
    assert np.array_equal(shuffled.labels, whole.labels[rows])
    with ThreadPoolExecutor(4) as pool:
        single = list(pool.map(lambda row: lid.score(texts, np.array([row]), k=2), range(len(texts))))
    assert np.array_equal(np.concatenate([s.probabilities for s in single]), whole.probabilities)


@pytest.mark.parametrize("characters", [0, 1, 5, 63, 64, 65, 128, 200, 10_000])
def test_max_chars_counts_code_points(lid: FastText, characters: int) -> None:
    texts = [sentence * 3 for sentence in SENTENCES.values()]
    cut = lid.score(texts_of(*texts), k=2, max_chars=characters)
    whole = lid.score(texts_of(*(text[:characters] for text in texts)), k=2)
    assert np.array_equal(cut.probabilities, whole.probabilities)


def test_a_text_without_known_words_has_no_label() -> None:
    model = FastText(np.frombuffer(model_bytes(KINDS["no-end-of-sentence"]), np.uint8), "model")
    scores = model.score(texts_of(b"", b"three"), k=2)
    assert (scores.labels == -1).all()
    assert not scores.probabilities.any()


def test_shapes_and_types(lid: FastText) -> None:
    scores = lid.score(texts_of(b"a", b"b", b"c"), np.array([2, 0]), k=4)
    assert (scores.labels.dtype, scores.labels.shape) == (np.int32, (2, 4))
    assert (scores.probabilities.dtype, scores.probabilities.shape) == (np.float32, (2, 4))
    assert len(lid.labels) == 176
    assert not any(label.startswith("__label__") for label in lid.labels)


def test_wrong_arguments_are_refused(lid: FastText) -> None:
    with pytest.raises(ValueError, match="k must be at least 1"):
        lid.score(texts_of(b"a"), k=0)
    with pytest.raises(ValueError, match="not there"):
        lid.score(texts_of(b"a"), np.array([1]))

"""The two ways to read a block of lines give the same, and texts are what Python's own reader gives."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from curate.io.batches import RawBatch, SourceColumns
from curate.io.json_lines import LineReader, Lines

COLUMNS = SourceColumns("text", "id", ("url", "meta.lang", "meta.x.y"))
_KEYS = st.sampled_from(["text", "id", "url", "meta", "meta.lang", "x", "y", "lang", "te\u0000xt", "ü"])
_SCALARS = st.one_of(
    st.text(max_size=6), st.none(), st.booleans(), st.integers(), st.floats(), st.just("\U0001d11e")
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=6,
)
_GOOD = st.fixed_dictionaries(
    {"text": st.text(max_size=12)},
    optional={"id": st.text(max_size=4), "url": st.none() | st.text(max_size=4), "x": _VALUES},
)
_OBJECTS = st.one_of(_GOOD, st.dictionaries(_KEYS, _VALUES, max_size=4))


@st.composite
def _json_line(draw: st.DrawFn) -> bytes:
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]))
    value = draw(_OBJECTS)
    try:
        return json.dumps(value, ensure_ascii=draw(st.booleans()), separators=separators).encode()
    except UnicodeEncodeError:
        return json.dumps(value, ensure_ascii=True, separators=separators).encode()


_FRAGMENTS = st.sampled_from(
    rb"""{ } " , : \ \ud800 \udc00 \u0000 NaN Inf - 1e999 01 /**/ "text":"x", }{ []""".split()
    + b"\xff|\x00|\t|\xef\xbb\xbf| |\x0c|\r".split(b"|")
)


@st.composite
def _damaged_line(draw: st.DrawFn) -> bytes:
    line = draw(_json_line())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(line)))
        cut = draw(st.sampled_from([0, 0, 1, 3]))
        line = line[:at] + draw(_FRAGMENTS) + line[at + cut :]
    return line


_RAW = st.binary(max_size=8).map(lambda raw: raw.replace(b"\n", b""))
_BLOCKS = st.one_of(
    st.lists(_json_line(), max_size=6),
    st.lists(st.one_of(_json_line(), _damaged_line(), _RAW), max_size=5),
    st.lists(_damaged_line(), min_size=1, max_size=2),
)
_ENDS = st.sampled_from([b"\n", b"\r\n", b"\n\n", b" \n"])


def _content(batch: RawBatch) -> list[object]:
    assert batch.texts is not None
    assert batch.ids is not None
    arrays = [batch.texts, batch.ids, *batch.columns.values()]
    for array in arrays:
        array.validate(full=True)
    return [len(batch), *(array.to_pylist() for array in arrays), batch.bad]


@settings(max_examples=400)
@given(_BLOCKS, _ENDS)
def test_both_ways_to_read_a_block_give_the_same(lines: list[bytes], end: bytes) -> None:
    for columns in (COLUMNS, SourceColumns("text", "id", ("x", "meta"))):
        found = Lines.of(end.join(lines) + end)
        reader = LineReader(columns, text=True)
        assert _content(reader.read(found, 3)) == _content(reader.read_exactly(found, 3))


def _python_text(line: bytes) -> str | None:
    """The text by Python's own reader; None where there is none, or not one UTF-8 can hold."""
    try:
        value = json.loads(line.decode())
        text = value.get("text") if isinstance(value, dict) else None
        json.dumps(value, ensure_ascii=False).encode()
    except ValueError:
        return None
    return text if isinstance(text, str) else None


@settings(max_examples=200)
@given(st.lists(_json_line(), max_size=6))
def test_texts_are_those_that_python_reads(lines: list[bytes]) -> None:
    batch = LineReader(COLUMNS, text=True).read(Lines.of(b"\n".join(lines)), 0)
    assert batch.texts is not None
    expected = [_python_text(line) for line in lines]
    for row, (line, text) in enumerate(zip(lines, expected, strict=True)):
        if b"NaN" in line or b"Infinity" in line:
            continue  # not JSON, though Python writes it
        assert batch.texts[row].as_py() == text


def test_objects_that_span_lines_are_not_read_as_one() -> None:
    block = b'{"text": "a"\n}{"text": "b"}\n{"x": [{}\n,{}], "text": "c"}\n{"text": "d"}'
    batch = LineReader(SourceColumns("text"), text=True).read(Lines.of(block), 0)
    assert [bad.row for bad in batch.bad] == [0, 1, 2, 3]
    assert batch.texts is not None
    assert batch.texts.to_pylist() == [None, None, None, None, "d"]

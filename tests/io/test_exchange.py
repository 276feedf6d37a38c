from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from curate.errors import SourceError
from curate.io.exchange import ExchangeFile, write_arrays

_DTYPES = ["u1", "i2", "i4", "u4", "i8", "u8", "f4", "f8", "?"]


@st.composite
def _batches(draw: st.DrawFn) -> list[dict[str, NDArray[Any]]]:
    dtypes = draw(st.lists(st.sampled_from(_DTYPES), min_size=1, max_size=3))
    width = draw(st.integers(1, 5))
    batches = []
    for _ in range(draw(st.integers(0, 3))):
        rows = draw(st.integers(0, 6))
        batch: dict[str, NDArray[Any]] = {
            f"c{i}": draw(arrays.arrays(dtype, rows)) for i, dtype in enumerate(dtypes)
        }
        batch["signature"] = draw(arrays.arrays(np.uint8, (rows, width)))
        batches.append(batch)
    return batches


@given(_batches(), st.dictionaries(st.text(), st.text(), max_size=3))
def test_what_is_read_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[dict[str, NDArray[Any]]],
    metadata: dict[str, str],
) -> None:
    path = str(tmp_path_factory.mktemp("exchange") / "a.arrow")
    write_arrays(path, batches, metadata)
    with ExchangeFile(path) as file:
        assert file.metadata == metadata
        assert len(file) == len(batches)
        for i, batch in enumerate(batches):
            found = file.read(i)
            assert list(found) == list(batch)
            for name, array in batch.items():
                assert found[name].dtype == array.dtype
                np.testing.assert_array_equal(found[name], array)


def test_local_arrays_are_views_that_outlive_the_file(tmp_path: Path) -> None:
    path = str(tmp_path / "a.arrow")
    keys = np.arange(1000, dtype=np.uint64)
    write_arrays(path, [{"key": keys, "signature": keys.view(np.uint8).reshape(1000, 8)}], {})
    with ExchangeFile(path) as file:
        found = file.read(0)
    Path(path).unlink()
    for array in found.values():
        assert array.base is not None
        assert not array.flags.writeable
    np.testing.assert_array_equal(found["key"], keys)
    np.testing.assert_array_equal(found["signature"], keys.view(np.uint8).reshape(1000, 8))


def test_remote_files_read_the_same() -> None:
    keys = np.arange(10, dtype=np.uint64)
    write_arrays("memory://exchange/a.arrow", [{"key": keys}, {"key": keys + 1}], {"band": "3"})
    with ExchangeFile("memory://exchange/a.arrow") as file:
        assert file.metadata == {"band": "3"}
        np.testing.assert_array_equal(file.read(1)["key"], keys + 1)
        np.testing.assert_array_equal(file.read(0)["key"], keys)
    fsspec.filesystem("memory").rm("/exchange", recursive=True)


def test_batches_that_differ_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="differ"):
        write_arrays(str(tmp_path / "a"), [{"a": np.zeros(1)}, {"a": np.zeros(1, np.int8)}], {})
    with pytest.raises(ValueError, match="must have one dimension"):
        write_arrays(str(tmp_path / "a"), [{"a": np.zeros((2, 2))}], {})
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not there"):
        ExchangeFile(str(tmp_path / "missing.arrow"))


def test_a_file_that_is_no_exchange_file_is_a_source_error(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    path.write_bytes(b"not an Arrow file at all")
    with pytest.raises(SourceError, match="not an exchange file"):
        ExchangeFile(str(path))

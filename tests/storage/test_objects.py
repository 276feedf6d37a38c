"""Single files on an S3 server: written in one step or not at all, and the lock of a folder."""

from __future__ import annotations

import boto3
import numpy as np
import pytest

from curate.errors import OutputError
from curate.io import object_lock
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.files import atomic_write, list_folder, open_binary, read_json, recording, sha256_of
from curate.io.lock import hold
from tests.storage.competing import hold_at_once
from tests.storage.faults import Answer, Proxy, Request

#: More than what goes in one PUT.
LARGE = 101 << 20


def test_a_large_file_goes_in_parts_and_is_there_when_they_are_joined(bucket: str, proxy: Proxy) -> None:
    path = f"{bucket}/out/large.bin"
    with recording() as written, atomic_write(path) as file:
        for block in range(LARGE >> 20):
            file.write(bytes([block]) * (1 << 20))
    parts = [request for request in proxy.requests if "partNumber" in request.query]
    assert len(parts) >= 2
    assert written[path].bytes == LARGE
    assert written[path].sha256 == sha256_of(path)
    with open_binary(path) as read:
        read.seek((77 << 20) - 1)
        assert read.read(2) == bytes([76, 77])


def test_an_aborted_upload_leaves_nothing(bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    proxy.fault = lambda request: Answer(500, "InternalError") if "partNumber=2" in request.query else None
    with (
        pytest.raises(OutputError, match=r"s3://corpora/out/large\.bin: cannot be written: .*InternalError"),
        atomic_write(f"{bucket}/out/large.bin") as file,
    ):
        file.write(bytes(LARGE))
    proxy.clear()
    assert list_folder(f"{bucket}/out") == []
    assert "Uploads" not in boto3.client("s3").list_multipart_uploads(Bucket="corpora")


def test_nothing_is_sent_before_the_end_and_no_name_is_used_in_between(bucket: str, proxy: Proxy) -> None:
    with pytest.raises(ZeroDivisionError), atomic_write(f"{bucket}/out/a.bin"):
        raise ZeroDivisionError
    with atomic_write(f"{bucket}/out/b.bin") as file:
        file.write(b"whole")
    assert proxy.requests == [Request("PUT", "/corpora/out/b.bin", "")]


def test_of_a_large_exchange_file_only_the_batches_wanted_are_read(bucket: str, proxy: Proxy) -> None:
    rows = np.arange(1 << 18)
    path = f"{bucket}/run/a.arrow"
    write_arrays(path, [{"key": rows + batch} for batch in range(8)], {})
    proxy.clear()
    with ExchangeFile(path) as file:
        np.testing.assert_array_equal(file.read(5)["key"], rows + 5)
    assert len(proxy.requests) <= 5
    proxy.clear()
    for _ in range(3):
        np.testing.assert_array_equal(ExchangeFile(path, whole=True, sha256="known").read(7)["key"], rows + 7)
    assert [request.kind for request in proxy.requests] == ["HEAD", "GET"]


def test_of_two_runs_that_begin_at_once_one_gets_the_folder(
    bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_lock, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(object_lock, "_POLL_SECONDS", 0.1)
    outcomes = hold_at_once(f"{bucket}/out", runs=4)
    assert outcomes.count("held") == 1
    assert all("is in use by process" in outcome for outcome in outcomes if outcome != "held")
    assert list_folder(f"{bucket}/out") == []


def test_a_lock_that_is_not_renewed_is_taken_over_by_one_run(
    bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_lock, "EXPIRY_SECONDS", 0.5)
    monkeypatch.setattr(object_lock, "_POLL_SECONDS", 0.1)
    proxy.put("/corpora/out/run/lock", b'{"token": "other", "pid": 1, "host": "elsewhere", "since": "then"}')
    notes: list[str] = []
    with hold(f"{bucket}/out", notes.append) as ensure_held:
        assert read_json(f"{bucket}/out/run/lock")["token"] != "other"
        ensure_held()
    assert notes == [
        f"{bucket}/out is locked by process 1 on elsewhere since then: waiting to see whether that run lives"
    ]

"""Stores over real HTTP, one for each module of tests: S3 and Google Cloud Storage with a proxy before them that makes
faults, and a hub of data sets."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from urllib.parse import unquote

import fsspec
import pytest

from tests.storage.faults import Answer, Proxy, Request
from tests.storage.hub import Hub


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    pytest.importorskip("moto.server", reason="needs moto[server]")
    pytest.importorskip("s3fs", reason="needs s3fs")
    with serving("moto.server", "-H", "127.0.0.1", "-p") as port:
        made = Proxy("127.0.0.1", port)
        yield made
        made.close()


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[int]:
    """A server in a process of its own; `arguments` end with the option that takes its port, which is given."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", module, *arguments, str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(server, port)
        yield port
    finally:
        server.kill()
        server.wait()


def _await(server: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


@pytest.fixture
def bucket(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket's URL; the environment says where it is and who asks, as a user's would."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    proxy.clear()
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    s3 = fsspec.filesystem("s3", use_listings_cache=False)
    s3.mkdir("corpora")
    proxy.clear()
    yield "s3://corpora"
    proxy.clear()
    s3.rm("corpora", recursive=True)
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture(scope="module")
def google() -> Iterator[Proxy]:
    pytest.importorskip("gcp_storage_emulator", reason="needs gcp-storage-emulator")
    pytest.importorskip("gcsfs", reason="needs gcsfs")
    with serving(
        "gcp_storage_emulator",
        "start",
        "-M",
        "-q",
        "--default-bucket",
        "corpora",
        "-H",
        "127.0.0.1",
        "--port",
    ) as port:
        made = Proxy("127.0.0.1", port)
        yield made
        made.close()


class Generations:
    """What the emulator lacks: a write that is to create an object (ifGenerationMatch=0) is refused where there is one.

    Keeps the names that went through the proxy.
    """

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._one_at_a_time = Lock()

    def __call__(self, request: Request) -> Answer | None:
        with self._one_at_a_time:
            return self._answer(request)

    def _answer(self, request: Request) -> Answer | None:
        if request.method == "DELETE":
            self.names.discard(request.path.partition("/o/")[2])
        elif request.path.startswith("/batch/"):
            gone = re.findall(rb"DELETE \S*/o/(\S+)", request.body)
            self.names -= {unquote(name.decode()) for name in gone}
        elif request.path.startswith("/upload/") and "upload_id=" not in request.query:
            found = re.search(rb'"name": "([^"]+)"', request.body)
            assert found is not None, request.body[:200]
            name = found[1].decode()
            if "ifGenerationMatch=0" in request.query and name in self.names:
                return Answer(412, "conditionNotMet")
            self.names.add(name)
        return None


@pytest.fixture
def google_bucket(google: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket's URL on Google Cloud Storage."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", google.url)
    monkeypatch.setenv("FSSPEC_GS_TOKEN", "anon")
    monkeypatch.setitem(fsspec.config.conf, "gs", {"token": "anon"})
    google.clear()
    google.fault = Generations()
    yield "gs://corpora"
    google.clear()
    filesystem = fsspec.filesystem("gs", token="anon", use_listings_cache=False)
    for name in filesystem.find("corpora"):
        filesystem.rm_file(name)
    fsspec.get_filesystem_class("gs").clear_instance_cache()


@pytest.fixture
def hub() -> Iterator[Hub]:
    pytest.importorskip("huggingface_hub", reason="needs huggingface_hub")
    made = Hub()
    yield made
    made.close()

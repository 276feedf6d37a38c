"""A hub of data sets over HTTP: what https://huggingface.co/docs/hub/api says of listings, and files with ranges."""

from __future__ import annotations

import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

_TREE = re.compile(
    r"/api/datasets/(?P<id>[^/]+/[^/]+)/(?:tree|paths-info)/(?P<revision>[^/]+)(?:/(?P<path>.+))?"
)
_INFO = re.compile(r"/api/datasets/(?P<id>[^/]+/[^/]+)(?:/revision/(?P<revision>[^/]+))?")
_FILE = re.compile(r"/datasets/(?P<id>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


class Hub:
    """files: (data set, revision) -> path -> content. requests: method and path of all so far. busy: how many of the
    next requests for content are refused with 503."""

    def __init__(self) -> None:
        self.files: dict[tuple[str, str], dict[str, bytes]] = {}
        self.requests: list[str] = []
        self.busy = 0
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                hub.answer(self)

            do_GET = do_HEAD = do_POST = _answer  # noqa: N815 - names of http.server

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        # A revision or a path below one may hold quoted slashes.
        path = urlsplit(handler.path).path
        self.requests.append(f"{handler.command} {unquote(path)}")
        if found := _FILE.fullmatch(path):
            content = self._of(found).get(unquote(found["path"]))
            if self.busy and handler.command == "GET":
                self.busy -= 1
                _reply(handler, 503, b"", {})
            elif content is None:
                _reply(handler, 404, b"", {"X-Error-Code": "EntryNotFound"})
            else:
                _reply_range(handler, content)
        elif (found := _TREE.fullmatch(path)) and self._of(found):
            entries = _below(
                self._of(found), unquote(found["path"] or ""), "recursive=true" in handler.path.lower()
            )
            missing = {} if entries else {"X-Error-Code": "EntryNotFound"}
            _reply(handler, 200 if entries else 404, json.dumps(entries).encode(), missing)
        elif (found := _INFO.fullmatch(path)) and self._of(found):
            _reply(
                handler, 200, json.dumps({"id": found["id"], "sha": _oid(b""), "private": False}).encode(), {}
            )
        else:
            _reply(handler, 404, b"", {"X-Error-Code": "RepoNotFound"})

    def _of(self, found: re.Match[str]) -> dict[str, bytes]:
        return self.files.get((found["id"], unquote(found["revision"] or "main")), {})


def _below(files: dict[str, bytes], folder: str, recursive: bool) -> list[dict[str, Any]]:
    """What lies in a folder, folders first met first."""
    entries: dict[str, dict[str, Any]] = {}
    for path, content in files.items():
        if folder and not path.startswith(f"{folder}/"):
            continue
        parts = path.removeprefix(f"{folder}/" if folder else "").split("/")
        for depth in range(1, len(parts)):
            if recursive or depth == 1:
                name = "/".join(filter(None, (folder, *parts[:depth])))
                entries[name] = {"type": "directory", "path": name, "oid": _oid(name.encode()), "size": 0}
        if recursive or len(parts) == 1:
            entries[path] = {"type": "file", "path": path, "oid": _oid(content), "size": len(content)}
    return list(entries.values())


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def _reply_range(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range") or "")
    headers = {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": _oid(b"")}
    if wanted is None:
        _reply(handler, 200, content, headers)
        return
    start, stop = int(wanted[1]), min(int(wanted[2] or len(content)) + 1, len(content))
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    _reply(handler, 206, content[start:stop], headers)


def _reply(handler: BaseHTTPRequestHandler, status: int, content: bytes, headers: dict[str, str]) -> None:
    handler.send_response_only(status)
    for name, value in {**headers, "Content-Length": str(len(content))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(content)

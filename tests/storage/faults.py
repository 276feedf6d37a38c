"""An HTTP proxy in front of an S3 server that counts requests and does to some of them what networks and stores do."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import unquote, urlsplit

import fsspec


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its method, the object's path `/bucket/key`, and the query."""

    method: str
    path: str
    query: str
    body: bytes = field(default=b"", compare=False, repr=False)

    @property
    def kind(self) -> str:
        """What S3 calls it."""
        if self.method == "GET" and "list-type" in self.query:
            return "LIST"
        return "DELETE" if self.method == "POST" and "delete" in self.query else self.method


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes instead of the server's answer: a status with S3's error code; 0 cuts the connection, after the first
    half of the body that the server gave."""

    status: int
    code: str = ""


#: What happens to a request; None: it goes through.
Fault = Callable[[Request], Answer | None]


@dataclass
class Proxy:
    """host, port: of the real server. requests: all so far. fault: may be replaced at any time."""

    host: str
    port: int
    requests: list[Request] = field(default_factory=list)
    fault: Fault = lambda _: None

    def __post_init__(self) -> None:
        self._lock = Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                proxy.handle(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _forward  # noqa: N815 - names of http.server

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def clear(self) -> None:
        with self._lock:
            self.requests.clear()
        self.fault = lambda _: None

    def put(self, path: str, content: bytes) -> None:
        """Writes an object as somebody else would: not counted, and past all faults."""
        direct = fsspec.filesystem("s3", endpoint_url=f"http://{self.host}:{self.port}")
        direct.pipe_file(path.lstrip("/"), content)

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        parts = urlsplit(handler.path)
        request = Request(handler.command, unquote(parts.path), parts.query, body)
        with self._lock:
            self.requests.append(request)
            answer = self.fault(request)
        if answer is not None and answer.status:
            content = f"<Error><Code>{answer.code}</Code><Message>{answer.code}</Message></Error>".encode()
            self._reply(handler, answer.status, {"Content-Type": "application/xml"}, content)
            return
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(handler.command, handler.path, body, dict(handler.headers.items()))
            response = connection.getresponse()
            content = response.read()
            headers = {name: value for name, value in response.getheaders() if name.lower() not in _OURS}
            if handler.command == "HEAD":
                headers["Content-Length"] = response.getheader("Content-Length") or "0"
            self._reply(handler, response.status, headers, content, cut=answer is not None)
        finally:
            connection.close()

    @staticmethod
    def _reply(
        handler: BaseHTTPRequestHandler,
        status: int,
        headers: dict[str, str],
        content: bytes,
        cut: bool = False,
    ) -> None:
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if "Content-Length" not in headers:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content[: len(content) // 2] if cut else content)
        handler.close_connection = handler.close_connection or cut


_OURS = {"content-length", "transfer-encoding", "connection"}

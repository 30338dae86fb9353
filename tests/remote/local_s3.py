"""A local S3 with conditional writes (moto's server) that counts what it sends and fails requests as it is told to."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest

pytest.importorskip("deltalake")
pytest.importorskip("moto")

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

# Faults: an answer without an effect, which may be any other; an error after the effect; a body that ends early.
BEFORE, SLOW, LOST, CUT = "500 Internal Server Error", "503 Slow Down", "lost", "cut"

_BUCKETS = itertools.count()  # moto keeps the buckets of all servers of a process together


class LocalS3:
    """The server on a port of its own. `fault` returns for each request the fault it meets, or None."""

    def __init__(self) -> None:
        pytest.importorskip(
            "polars", minversion="2.0", reason="earlier ones read with the GIL, which this server needs"
        )
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.fault: Callable[[str, str], str | None] = lambda _method, _path: None
        self.requests: list[tuple[str, str, int]] = []  # method, path and bytes sent
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=_Quiet)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which the library finds it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.port}",
            "AWS_ACCESS_KEY_ID": "AKIATESTSECRETID",
            "AWS_SECRET_ACCESS_KEY": "a-secret-of-a-test",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def bucket(self) -> str:
        """Return the name of a new, empty bucket."""
        name = f"team{next(_BUCKETS)}"
        self._call("PUT", f"/{name}")
        return name

    def _call(self, method: str, path: str) -> None:
        import http.client

        connection = http.client.HTTPConnection("127.0.0.1", self._server.port)
        connection.request(
            method,
            path,
            headers={
                "Host": "s3.amazonaws.com",
                "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request",
            },
        )
        assert connection.getresponse().status == 200
        connection.close()

    @property
    def sent(self) -> int:
        """Bytes of answers since `requests` was cleared."""
        return sum(size for _, _, size in self.requests)

    def _answer(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        fault = self.fault(method, path)
        if fault not in (None, LOST, CUT):
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start(fault, [("Content-Length", "0")])
            return [b""]
        said: list[Any] = []
        body = b"".join(self._moto(environ, lambda status, headers, _=None: said.extend((status, headers))))
        if fault == LOST:
            start("500 Internal Server Error", [("Content-Length", "0")])
            return [b""]
        self.requests.append((method, path, len(body)))
        start(*said)
        return [body[: len(body) // 2] if fault == CUT and method == "GET" else body]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass

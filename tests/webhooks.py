"""A service that takes alerts: a local HTTP server that answers as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    wait: threading.Event | None = None  # the answer comes when this is set
    breaks_off: bool = False


class Service:
    """Notes what it gets, and gives the next of its answers, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [Answer()]
        self.got: list[Any] = []
        self.arrived = threading.Semaphore(0)
        self.url = ""
        self._lock = threading.Lock()

    def next_answer(self, body: bytes) -> Answer:
        with self._lock:
            self.got.append(json.loads(body))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.arrived.release()
        return answer


@contextmanager
def service(*answers: Answer) -> Iterator[Service]:
    made = Service(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer = made.next_answer(self.rfile.read(int(self.headers["Content-Length"])))
            if answer.wait is not None:
                answer.wait.wait(60)
            if answer.breaks_off:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # the sender waits no longer, or reads only the beginning
                self.wfile.write(answer.body)

        def do_GET(self) -> None:
            made.got.append("GET")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}/services/T00/SECRETTOKEN"
    try:
        yield made
    finally:
        for answer in answers:
            if answer.wait is not None:
                answer.wait.set()
        server.shutdown()
        thread.join()
        server.server_close()

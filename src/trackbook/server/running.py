"""The server of this process, in a separate thread, shared by all calls of `show`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import uvicorn

from .protocols import PatientHttp, PatientSocket

if TYPE_CHECKING:
    from .access import Access
    from .site import Site

DEFAULT_PORT: Final = 8237
MOST_PORTS: Final = 100  # tried after the wanted one
LARGEST_MESSAGE: Final = 1 << 16  # bytes that a page may send at once
PING_SECONDS: Final = 20.0  # between two pings of a page, which also end a message that never does
PONG_SECONDS: Final = 60.0  # for its answer: a page in a sleeping tab answers late
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 5.0
GRACEFUL_SECONDS: Final = 10  # for requests under way, when the server ends


class Server:
    """A running server. Its address contains the token, its `str` does not."""

    def __init__(self, site: Site, host: str, port: int | None) -> None:
        """Begin to listen. Raises ``OSError`` where no port is free or `host` is not an address of this machine."""
        self.access: Access = site.access
        self.site = site
        self.host = host
        self.pid = os.getpid()
        self._socket = listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.moved_from = port if port not in (None, 0, self.port) else None  # the port that was taken
        self._started = threading.Event()
        self._server: uvicorn.Server | None = None
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="trackbook-server", daemon=True)

    def start(self) -> None:
        """Serve from now on, on a daemon thread: it ends with the process and never keeps it alive."""
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            raise RuntimeError(f"the server did not start within {START_SECONDS:.0f} s")
        if self._failures:
            raise RuntimeError(f"the server did not start: {self._failures[0]}")

    def stop(self, *, graceful: bool = False) -> None:
        """Close all connections and stop to listen; if `graceful`, after the requests that are under way."""
        if self._server is not None:
            self._server.should_exit = True
            self._server.force_exit = not graceful
        if self._thread.is_alive():
            self._thread.join(GRACEFUL_SECONDS + STOP_SECONDS if graceful else STOP_SECONDS)
        self._socket.close()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive() and self.pid == os.getpid()

    def ask_to_stop(self) -> None:
        """Stop as soon as the requests under way are answered. Does not wait for it; may be called by a signal handler."""
        if self._server is not None:
            self._server.should_exit = True

    def wait(self) -> None:
        """Wait until the server has stopped. Ctrl-C ends the wait."""
        while self._thread.is_alive():
            self._thread.join(0.5)

    def address(self, **view: str | None) -> str:
        """Return the address of a page, without the token."""
        name = {"0.0.0.0": "127.0.0.1", "::": "localhost"}.get(self.host, self.host)  # noqa: S104  # shown, not bound
        host = f"[{name}]" if ":" in name else name
        query = urlencode({key: value for key, value in view.items() if value})
        return f"http://{host}:{self.port}/{'?' + query if query else ''}"

    def address_with_token(self, token: str | None = None, **view: str | None) -> str:
        return self.address(**view, token=token or self.access.token)

    def _run(self) -> None:
        config = uvicorn.Config(
            self.site.app(f"trackbook-{self.port}"),
            http=PatientHttp,
            ws=PatientSocket,
            ws_max_size=LARGEST_MESSAGE,
            ws_per_message_deflate=False,  # each viewer's copy of a message would be compressed anew
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PONG_SECONDS,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=10,
            timeout_graceful_shutdown=GRACEFUL_SECONDS,
            h11_max_incomplete_event_size=1 << 15,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        try:
            asyncio.run(self._serve(self._server))
        except BaseException as error:  # noqa: BLE001  # told to whoever waits for the start
            self._failures.append(error)
        finally:
            self._started.set()

    async def _serve(self, server: uvicorn.Server) -> None:
        asyncio.get_running_loop().call_soon(self._started.set)
        await server.serve(sockets=[self._socket])

    def __str__(self) -> str:
        return self.address()

    def __repr__(self) -> str:
        return f"<trackbook server at {self.address()}>"


def listen(host: str, port: int | None) -> socket.socket:
    """Return a listening socket at `port`, or at the next free one; at any port if `port` is 0."""
    wanted = DEFAULT_PORT if port is None else port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken: OSError | None = None
    for number in range(wanted, min(wanted + MOST_PORTS, 65536)) if wanted else [0]:
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, number))
            listening.listen(128)
        except OSError as error:
            listening.close()
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise OSError(error.errno, f"cannot listen at {host!r}: {error.strerror}") from None
            taken = error
        else:
            return listening
    raise OSError(errno.EADDRINUSE, f"no port from {wanted} on is free: {taken}")


_lock = threading.Lock()
_running: Server | None = None


def running() -> Server | None:
    """Return the server of this process, None if none is running."""
    return _running if _running is not None and _running.is_running else None


def start(server: Server) -> Server:
    """Start the server of this process, unless one is running."""
    global _running  # noqa: PLW0603  # one, as there is one process
    with _lock:
        found = running()
        if found is not None:
            with contextlib.suppress(OSError):
                server.stop()
            return found
        server.start()
        _running = server
        return server

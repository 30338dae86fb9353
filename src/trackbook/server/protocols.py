"""uvicorn's protocols for connections whose clients are slow: they hold nobody else up, and not for ever."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

REQUEST_SECONDS: Final = 20.0  # for a whole request, from when one may begin
STEADY_BYTES: Final = 1 << 16  # of a body, that give the rest of it as much time again
READING_SECONDS: Final = 60.0  # for a client to take what waits for it
_INCOMPLETE: Final = (h11.IDLE, h11.SEND_BODY)  # the client has yet to send a part of its request


class Deadline:
    """Ends a connection unless it is cancelled in time."""

    def __init__(self, connection: Any) -> None:
        """`connection` has a ``loop`` and, once connected, a ``transport``."""
        self._connection = connection
        self._timer: asyncio.TimerHandle | None = None

    def start(self, seconds: float) -> None:
        """Begin to wait, unless it waits already."""
        if self._timer is None:
            self._timer = self._connection.loop.call_later(seconds, self._end)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        self._connection.transport.abort()  # `close` would wait until the client has read everything


class _ReadInTime:
    """The part of a protocol that ends a connection whose client does not read in time. A mixin, before uvicorn's protocol."""

    def __init__(self, *of: Any, **named: Any) -> None:
        super().__init__(*of, **named)
        self._reading = Deadline(self)

    def pause_writing(self) -> None:
        """Note that the client reads slower than it is written to."""
        self._reading.start(READING_SECONDS)
        super().pause_writing()  # type: ignore[misc]  # of the protocol

    def resume_writing(self) -> None:
        """Note that the client has read most of it."""
        self._reading.cancel()
        super().resume_writing()  # type: ignore[misc]

    def connection_lost(self, exc: Exception | None) -> None:
        self._reading.cancel()
        super().connection_lost(exc)  # type: ignore[misc]


class PatientHttp(_ReadInTime, H11Protocol):
    """HTTP for clients that send their request within `REQUEST_SECONDS`, a long one steadily, and read the answer within `READING_SECONDS`."""

    def __init__(self, *of: Any, **named: Any) -> None:
        super().__init__(*of, **named)
        self._sending = Deadline(self)
        self._received = 0  # bytes since the deadline began anew
        self._is_left = False  # for a WebSocket, which has another protocol and the same transport

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._sending.start(REQUEST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sending.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Give a body more time for as long as it comes steadily."""
        self._received += len(data)
        if self._received >= STEADY_BYTES:
            self._received = 0
            self._sending.cancel()
        super().data_received(data)
        self._wait_for_the_rest()

    def on_response_complete(self) -> None:
        """Give the next request its own time. A body that nobody reads has none beyond its answer."""
        if self.conn.their_state is not h11.SEND_BODY:
            self._sending.cancel()
        super().on_response_complete()
        self._wait_for_the_rest()

    def handle_websocket_upgrade(self, event: Any) -> None:
        self._is_left = True
        self._sending.cancel()
        self._reading.cancel()
        super().handle_websocket_upgrade(event)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and soon after end it, if the client does not take the rest of its answer."""
        super().timeout_keep_alive_handler()
        self._reading.start(READING_SECONDS)

    def _wait_for_the_rest(self) -> None:
        if self.conn.their_state in _INCOMPLETE and not self._is_left:
            self._sending.start(REQUEST_SECONDS)
        else:
            self._sending.cancel()


class PatientSocket(_ReadInTime, WebSocketsSansIOProtocol):
    """WebSockets for clients that read what they are sent within `READING_SECONDS`."""

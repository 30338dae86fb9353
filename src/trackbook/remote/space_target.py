"""A Hugging Face Space as a target: the server that runs in it, found or made at the first call, and what is wrong when it is silent."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import parse_qs, urlsplit

from ..settings import is_quiet
from ..types import Cursor
from .hub import Hub, Space, check_space_id, spaces_page
from .server_target import ServerTarget
from .spaces import check_runs, ready_space, secret_name, write_token
from .target import Batch, Target, TargetBusy, TargetError

T = TypeVar("T")

_RESTART_SECONDS: Final = 300.0  # within which a Space that got a secret answers with it
_RESTART_POLL: Final = 10.0
_announced: Final[set[str]] = set()
_announcing: Final = threading.Lock()
_preparing: Final = threading.Lock()


class SpaceTarget:
    """A project in a Space. The Hub's token writes to it, on whatever machine: see `spaces.write_token`."""

    seconds: Final = 2.0  # its machine is small, and far away

    def __init__(self, where: str, *, project: str, source: str, token: str | None = None) -> None:
        """The Hub's token is that of ``HF_TOKEN`` or of a login; `token`, which is for servers, is not used."""
        parts = urlsplit(where)
        try:
            self._space_id = check_space_id(parts.netloc + parts.path.rstrip("/"))
        except ValueError as error:
            raise TargetError(str(error)) from None
        wished = parse_qs(parts.query).get("private")
        self._private = None if wished is None else wished == ["yes"]
        self._project = project
        self._source = source
        self._hub: Hub | None = None
        self._space: Space | None = None
        self._server: ServerTarget | None = None
        self._given_at: float | None = None  # when the Space got our token as a secret
        self._is_up = False  # whether it has answered

    @property
    def name(self) -> str:
        """The address of the Space's page."""
        return spaces_page(self._space_id if self._space is None else self._space.name)

    def cursors(self) -> dict[str, Cursor]:
        """See `Target`."""
        return self._ask(lambda server: server.cursors())

    def cursor(self, run_id: str) -> Cursor | None:
        """See `Target`."""
        return self._ask(lambda server: server.cursor(run_id))

    def put(self, batch: Batch) -> Cursor:
        """See `Target`."""
        return self._ask(lambda server: server.put(batch))

    def delete(self, run_id: str) -> None:
        """See `Target`."""
        self._ask(lambda server: server.delete(run_id))

    def missing_files(self, names: Collection[str]) -> set[str]:
        """See `Target`."""
        return self._ask(lambda server: server.missing_files(names))

    def put_file(self, name: str, path: Path) -> None:
        """See `Target`."""
        self._ask(lambda server: server.put_file(name, path))

    def close(self) -> None:
        """See `Target`."""
        if self._server is not None:
            self._server.close()

    def _ask(self, question: Callable[[Target], T]) -> T:
        server = self._connected()
        try:
            answer = question(server)
        except TargetError as error:
            self._is_up = False
            raise self._refused(error) from None
        except OSError as error:
            self._is_up = False
            raise self._wrong() or error from error
        self._is_up = True
        return answer

    def _connected(self) -> ServerTarget:
        """Return the server in the Space. Until it has answered the Hub is asked first: its own pages answer for a Space that is built."""
        if self._hub is None:
            self._hub = _connect()
        if self._space is None:
            with _preparing:  # one thread makes it, and the others find it
                self._space, is_new = ready_space(self._hub, self._hub.full_name(self._space_id), self._private)
            _announce(self._space, is_new=is_new)
        if not self._is_up and (problem := self._wrong()) is not None:
            raise problem
        if self._server is None:
            self._server = self._opened(self._hub, self._space)
        return self._server

    def _opened(self, hub: Hub, space: Space) -> ServerTarget:
        return ServerTarget(
            space.address,
            project=self._project,
            source=self._source,
            token=write_token(hub, space.name),
            headers={"authorization": f"Bearer {hub.token}"} if space.is_private else {},
        )

    def _refused(self, error: TargetError) -> Exception:
        """Give the Space our token, once, if it does not know it; return the error to raise."""
        if (problem := self._wrong()) is not None:
            return problem
        hub, space, now = self._hub, self._space, time.monotonic()
        if error.status not in (401, 403) or hub is None or space is None:
            return error
        if self._given_at is not None:
            return error if now - self._given_at > _RESTART_SECONDS else _restarting(space)
        token = write_token(hub, space.name)
        try:
            hub.put_secret(space.name, secret_name(token), token)
        except (TargetError, OSError) as refusal:
            return refusal
        self._given_at = now
        return _restarting(space)

    def _wrong(self) -> Exception | None:
        """Return what the Hub says is wrong with the Space, None if it should answer."""
        if self._hub is None or self._space is None:
            return None
        name = self._space.name
        try:
            found = self._hub.space(name)
            if found is None:
                return TargetError(
                    f"the Space {name} is gone; begin another run to make it anew, or choose another space_id"
                )
            check_runs(found)
        except (TargetError, OSError) as problem:
            return problem
        return None


def _restarting(space: Space) -> TargetBusy:
    text = f"the Space {space.name} restarts, so that it knows the token of this user"
    return TargetBusy(text, _RESTART_POLL, is_expected=True)


def _connect() -> Hub:
    try:
        return Hub()
    except ModuleNotFoundError as error:
        raise TargetError(str(error)) from error


def _announce(space: Space, *, is_new: bool) -> None:
    """Say once in this process where a Space is."""
    with _announcing:
        if space.name in _announced or is_quiet():
            return
        _announced.add(space.name)
    more = " (a new Space, which is built within some minutes; runs wait here until then)" if is_new else ""
    print(f"Trackbook: {space.page}{more}", file=sys.stderr, flush=True)  # noqa: T201  # what a Space is asked for

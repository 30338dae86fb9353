"""The streams that are shown, and where each is heard: a kernel's by its hook, others by their `write`, or their buffer's."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Callable
from typing import IO, Any, Final

_DEEPEST: Final = 30  # functions around a `write`


class HookedStream:
    """A kernel's stream, which calls a hook with what it sends, in the thread that sends."""

    def __init__(self, stream: Any, name: str, hear: Callable[[str, str | None], None]) -> None:
        self.stream = self.target = stream
        self.name = name

        def hook(message: dict[str, Any]) -> dict[str, Any]:
            hear(message["content"]["text"], (message.get("parent_header") or {}).get("msg_id"))
            return message

        self._hook = hook
        self.flush()  # what was written before is no part of the record
        stream.pub_thread.schedule(functools.partial(stream.register_hook, hook))

    def request(self) -> str | None:
        """The request that writes now."""
        found: str | None = (self.stream.parent_header or {}).get("msg_id")
        return found

    def flush(self) -> None:
        self.stream.flush()

    def holds(self) -> bool:
        return True

    def release(self) -> bool:
        if not self.stream.closed:
            self.stream.pub_thread.schedule(functools.partial(self.stream.unregister_hook, self._hook))
        return True

    def leave(self) -> None:
        """The thread that sends is the parent's."""


class TappedStream:
    """A stream whose `write` is ours, until it is released."""

    def __init__(self, stream: IO[str], target: Any, name: str, write: Callable[..., Any]) -> None:
        """`target` is what has the `write`: the stream, or its buffer."""
        self.stream = stream
        self.target = target
        self.name = name
        self._write = write
        self.flush()  # what was written before is no part of the record
        self._earlier = vars(target).get("write")  # somebody else's
        vars(target)["write"] = write

    def request(self) -> None:
        """Its host tells none."""

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # what cannot be written now is not shown, either
            self.stream.flush()

    def holds(self) -> bool:
        """Whether what is written to the stream comes by us: its `write` is ours, or calls ours as far as can be seen."""
        found = [vars(self.target).get("write")]
        for function in found:
            if function is self._write:
                return True
            with contextlib.suppress(ValueError):  # a variable that is not assigned yet
                inner = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
                found += [each for each in inner if callable(each) and len(found) < _DEEPEST]
        return False

    def release(self) -> bool:
        """Gives the stream its own `write` back; False where somebody wraps ours, which then only passes on."""
        attributes = vars(self.target)
        if attributes.get("write") is self._write:
            if self._earlier is None:
                del attributes["write"]
            else:
                attributes["write"] = self._earlier
        return not self.holds()

    def leave(self) -> None:
        self.release()


def can_be_tapped(target: Any) -> bool:
    """Whether a `write` of ours can be put on a stream, which needs a `__dict__`; a kernel's stream is heard by its hook."""
    return hasattr(target, "register_hook") or hasattr(target, "__dict__")


def is_shown(stream: Any, number: int, tapped: list[Any]) -> bool:
    """Whether what is written to `stream` is shown: by the file descriptor `number`, or by a host's own stream.

    A stream that comes after others of its name are `tapped` must be of their kind: another one is likely a redirection, which
    may still write to one of them. Where a host has streams of its own, it reads the file descriptors itself.
    """
    if isinstance(stream, io.StringIO):
        return False
    hosts = [each for each in tapped if descriptor_of(each) is None]
    descriptor = descriptor_of(stream)
    if descriptor is None:
        return not tapped or any(type(host) is type(stream) for host in hosts)
    try:
        return not hosts and os.path.sameopenfile(descriptor, number)
    except OSError:  # there is no such file
        return False


def descriptor_of(stream: Any) -> int | None:
    """The file descriptor of a Python stream on a file."""
    try:
        return stream.fileno() if isinstance(stream, io.TextIOWrapper) else None
    except (OSError, ValueError):  # none, or closed
        return None

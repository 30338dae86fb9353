"""Ways to observe a shown stream: a kernel's stream by its hook, others by their `write` or their buffer's."""

from __future__ import annotations

import contextlib
import functools
import io
import os
from collections.abc import Callable
from typing import IO, Any, Final

_DEEPEST: Final = 30  # functions around a `write`


class HookedStream:
    """A kernel's stream, observed by a hook that is called with each message in the sending thread."""

    def __init__(self, stream: Any, name: str, hear: Callable[[str, str | None], None]) -> None:
        self.stream = self.target = stream
        self.name = name

        def hook(message: dict[str, Any]) -> dict[str, Any]:
            hear(message["content"]["text"], (message.get("parent_header") or {}).get("msg_id"))
            return message

        self._hook = hook
        self.flush()  # earlier output does not belong to the run
        stream.pub_thread.schedule(functools.partial(stream.register_hook, hook))

    def request(self) -> str | None:
        """Return the message id of the request that is running."""
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

    def release_in_child(self) -> None:
        """Do nothing: the sending thread is the parent's."""


class TappedStream:
    """A stream whose `write` is wrapped, until it is released."""

    def __init__(self, stream: IO[str], target: Any, name: str, write: Callable[..., Any]) -> None:
        """`target` is the object whose `write` is wrapped: the stream or its buffer."""
        self.stream = stream
        self.target = target
        self.name = name
        self._write = write
        self.flush()  # earlier output does not belong to the run
        self._earlier = vars(target).get("write")  # a wrapper by other software
        vars(target)["write"] = write

    def request(self) -> None:
        """Return None: there are no requests outside of kernels."""

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # output that fails is not shown, and not recorded
            self.stream.flush()

    def holds(self) -> bool:
        """Whether the stream's `write` is still our wrapper, or visibly calls it."""
        found = [vars(self.target).get("write")]
        for function in found:
            if function is self._write:
                return True
            with contextlib.suppress(ValueError):  # an unassigned closure variable
                inner = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
                found += [each for each in inner if callable(each) and len(found) < _DEEPEST]
        return False

    def release(self) -> bool:
        """Restore the stream's own `write`. Return False when other software has wrapped ours, which then only forwards."""
        attributes = vars(self.target)
        if attributes.get("write") is self._write:
            if self._earlier is None:
                del attributes["write"]
            else:
                attributes["write"] = self._earlier
        return not self.holds()

    def release_in_child(self) -> None:
        self.release()


def can_be_tapped(target: Any) -> bool:
    """Whether a stream can be observed: by a hook, or by a `write` in its `__dict__`, which objects with slots lack."""
    return hasattr(target, "register_hook") or hasattr(target, "__dict__")


def is_shown(stream: Any, number: int, tapped: list[Any]) -> bool:
    """Whether output of `stream` is shown: through the file descriptor `number`, or by a host's own stream.

    Once streams of this name are `tapped`, another one must be of the same type: a different type is likely a redirection, which may
    still write to a tapped one. Hosts with streams of their own read the file descriptors themselves.
    """
    if isinstance(stream, io.StringIO):
        return False
    hosts = [each for each in tapped if descriptor_of(each) is None]
    descriptor = descriptor_of(stream)
    if descriptor is None:
        return not tapped or any(type(host) is type(stream) for host in hosts)
    try:
        return not hosts and os.path.sameopenfile(descriptor, number)
    except OSError:  # the descriptor is closed
        return False


def descriptor_of(stream: Any) -> int | None:
    """Return the file descriptor of a text stream on a file, None for other streams."""
    try:
        return stream.fileno() if isinstance(stream, io.TextIOWrapper) else None
    except (OSError, ValueError):  # the stream has none, or is closed
        return None

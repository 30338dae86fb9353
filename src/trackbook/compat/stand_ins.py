"""Stand-ins for what other trackers record and Trackbook does not: some media, artifacts and settings. None keeps what it is given."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any, Final

from ..tracking.unsupported import MEDIA, REGISTRIES, StandIn


class Media(StandIn):
    """Something to look at or listen to, of which nothing is kept."""

    def __init__(self, *_: Any, **__: Any) -> None: ...


class Settings(SimpleNamespace):
    """Settings of wandb and SwanLab, which are kept as they are and have no effect."""


class Callback:
    """SwanLab's callback, to derive from. Nothing calls it: see `register_callbacks`."""

    name = ""


class Error(Exception):
    """The base of wandb's errors, none of which is raised here."""


class CommError(Error): ...


class UsageError(Error): ...


class ConfigError(Error): ...


def _types(names: Iterable[str], base: type) -> dict[str, Any]:
    return {name: type(name, (base,), {"__module__": __name__}) for name in names}


TYPES: Final = {**_types(MEDIA, Media), **_types(REGISTRIES, StandIn)}
globals().update(TYPES)  # so that they are found when they are pickled


@contextlib.contextmanager
def telemetry(*_: Any, **__: Any) -> Iterator[Any]:
    """Give an object that takes attributes: what integrations tell wandb of their use."""
    yield SimpleNamespace(feature=SimpleNamespace(), imports=SimpleNamespace(), env=SimpleNamespace())

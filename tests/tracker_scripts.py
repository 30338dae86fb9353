"""Scripts of other trackers, run as they are but for the import, and what they do not get."""

from __future__ import annotations

import ast
import contextlib
import importlib
import re
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Literal

from trackbook.compat import install
from trackbook.tracking.unsupported import FEATURES
from trackbook.user_warnings import TrackbookWarning

How = Literal["trackbook", "dialect", "installed"]
HOWS: tuple[How, ...] = ("trackbook", "dialect", "installed")


class NotSupportedError(Exception):
    """A script asked for what Trackbook does not do yet."""


def module_name(tracker: str, how: How) -> str:
    return {"trackbook": "trackbook", "dialect": f"trackbook.compat.{tracker}", "installed": tracker}[how]


def tracker_module(tracker: str, how: How) -> ModuleType:
    """What a script imports."""
    if how == "installed":
        install(tracker)
    return importlib.import_module(module_name(tracker, how))


@contextlib.contextmanager
def hearing() -> Iterator[list[str]]:
    """Collect what Trackbook says within the context."""
    heard: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TrackbookWarning)
        yield heard
    heard += [str(warning.message) for warning in caught]


def run_script(code: str, tracker: str, how: How, **names: Any) -> dict[str, Any]:
    """Execute a script statement by statement; return its names. Raises `NotSupportedError` where it was told so."""
    names[tracker] = tracker_module(tracker, how)
    code = re.sub(
        rf"^import {tracker}(?: as (\w+))?$",
        lambda found: f"import {module_name(tracker, how)} as {found[1] or tracker}",
        code,
        flags=re.MULTILINE,
    )
    with hearing() as heard:
        for statement in ast.parse(code).body:
            exec(compile(ast.Module([statement], []), "<script>", "exec"), names)
    for feature, text in FEATURES.items():
        if any(text in sentence for sentence in heard):
            raise NotSupportedError(feature)
    return names

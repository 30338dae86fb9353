"""What Trackbook warns of.

Errors are the built-in ones, so that nobody has to import ours to catch them:

* ``TypeError``: a value, name or step of a kind that cannot be logged;
* ``ValueError``: one of the right kind that is out of range, or names something that does not exist;
* ``RuntimeError``: a call at the wrong time, such as `log` with no run open.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

_HERE = str(Path(__file__).parent) + os.sep


class TrackbookWarning(UserWarning):
    """Something was left out or put right, and training goes on: a discarded point, an ignored keyword, a full disk."""


def warn(message: str) -> None:
    """A `TrackbookWarning` that points at the caller's line, not at ours."""
    frame, level = sys._getframe(1), 2  # noqa: SLF001  # the documented way to the caller's frame
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TrackbookWarning, stacklevel=level)

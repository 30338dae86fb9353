"""Each public name of another tracker is in its dialect, or is refused by a sentence."""

from __future__ import annotations

import subprocess
import sys

import pytest

import trackbook as tb
from trackbook.compat.tracker_modules import TRACKERS, dialect

LIST = "import sys, importlib; print(*importlib.import_module(sys.argv[1]).__all__)"


@pytest.mark.parametrize("tracker", TRACKERS)
def test_every_public_name_is_there_or_refused(tracker: str) -> None:
    done = subprocess.run([sys.executable, "-c", LIST, tracker], capture_output=True, text=True, check=True)
    names = done.stdout.splitlines()[-1].split()
    assert len(names) > 30
    spoken, refused = dialect(tracker), {}
    with tb.init(project="p", display=False):
        for name in names:
            if name in dir(spoken) or name.startswith("__"):
                getattr(spoken, name)
                continue
            with pytest.raises(AttributeError) as error:
                getattr(spoken, name)
            refused[name] = str(error.value)
    assert all("trackbook" in sentence for sentence in refused.values())
    assert refused.keys() == ({"TRACKIO_LOGO_DIR"} if tracker == "trackio" else set())

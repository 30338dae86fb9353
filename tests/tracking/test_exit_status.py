from __future__ import annotations

import subprocess
import sys

import pytest

# Garbage that a collection ends while it asks for the list of threads.
PROGRAM = """
import gc, threading
from trackbook.tracking.exit_status import main_frame

class Node: pass

def litter():
    node = Node()
    node.node, node.local = node, threading.local()
    node.local.value = 1

def ask():
    gc.set_threshold(5)
    for _ in range(20_000):
        litter()
        frames.add(main_frame())
    gc.set_threshold(700)

frames = set()
"""
IN_A_THREAD = "thread = threading.Thread(target=ask); thread.start(); thread.join()"


@pytest.mark.slow
@pytest.mark.parametrize("call", ["ask()", IN_A_THREAD], ids=["in the main thread", "in another thread"])
def test_main_frame_is_found_while_garbage_is_collected(call: str) -> None:
    """In Python 3.11 a collection inside `sys._current_frames` stopped the whole process."""
    said = "print([frame.f_code.co_name for frame in frames], gc.isenabled())"
    command = [sys.executable, "-c", f"{PROGRAM}\n{call}\n{said}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert (done.stdout, done.stderr) == ("['<module>'] True\n", "")

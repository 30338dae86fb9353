"""A kernel that ends while a cell trains, with `init` in an earlier cell and without a call of `finish`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

import trackbook as tb

pytestmark = [pytest.mark.notebook, pytest.mark.slow]

INIT = "import trackbook as tb\ntb.init('p', 'r', capture=False, display=False)"
TRAIN = """
import time
for step in range(1_000_000):
    tb.log({"loss": 1.0})
    if step == 10:
        print("up", flush=True)
    time.sleep(0.01)
"""


def state_after(end: Callable[[Any], None]) -> tuple[str, str | None]:
    """Return state and error of the run."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", extra_arguments=["--IPKernelApp.log_level=40"])
    try:
        client.execute_interactive(INIT, timeout=60)
        client.execute(TRAIN)
        while client.get_iopub_msg(timeout=60)["msg_type"] != "stream":
            pass
        end(manager)
        patience = time.monotonic() + 30
        while (run := tb.get_run("r", "p")).state == "running" and time.monotonic() < patience:
            time.sleep(0.05)
        return run.state, run.record.error
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("method", ["interrupt_kernel", "restart_kernel"])
def test_training_that_is_interrupted_or_restarted_is_interrupted(method: str) -> None:
    ending = state_after(lambda manager: getattr(manager, method)())
    assert ending == ("interrupted", "KeyboardInterrupt (In [2])")


def test_training_whose_kernel_is_killed_is_lost() -> None:
    assert state_after(lambda manager: manager.shutdown_kernel(now=True)) == ("lost", None)

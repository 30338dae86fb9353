"""Trackbook changes nothing that a program could notice in the process that imports it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and sigaction")

SNAPSHOT = """
import atexit, ctypes, gc, json, locale, os, signal, sys, threading, warnings

libc = ctypes.CDLL(None)

class Action(ctypes.Structure):
    _fields_ = [("handler", ctypes.c_void_p), ("mask", ctypes.c_ulong * 16), ("flags", ctypes.c_int),
                ("restorer", ctypes.c_void_p)]

def actions():
    found = {}
    for number in range(1, 32):
        action = Action()
        if libc.sigaction(number, None, ctypes.byref(action)) == 0:
            found[number] = action.handler, action.flags
    return found

def descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # of the listing itself
            pass
    # without those of the listing itself, and of the event loop that Polars keeps
    return {name: path for name, path in found.items() if not path.startswith(("/proc/", "anon_inode:[event"))}

def snapshot():
    numpy = sys.modules.get("numpy")
    polars = sys.modules.get("polars")
    return {
        "actions": actions(),
        "handlers": [repr(signal.getsignal(number)) for number in sorted(signal.valid_signals())],
        "wakeup": signal.set_wakeup_fd(-1),
        "hooks": [repr(hook) for hook in (sys.excepthook, sys.unraisablehook, sys.displayhook, sys.breakpointhook, sys.exit,
                                          threading.excepthook, sys.gettrace(), sys.getprofile(), sys.stdout, sys.stderr,
                                          sys.stdout.write, sys.stderr.write)],
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "descriptors": descriptors(),
        "filters": [repr(one) for one in warnings.filters],
        "locale": locale.setlocale(locale.LC_ALL),
        "switch": sys.getswitchinterval(),
        "recursion": sys.getrecursionlimit(),
        "gc": [gc.isenabled(), gc.get_threshold()],
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "umask": os.umask(0o22),
        "numpy": None if numpy is None else [numpy.geterr(), repr(numpy.get_printoptions())],
        "polars": None if polars is None else [polars.Config.state(), polars.StringCache.__name__],
        "start": [sys.modules[name].get_start_method(allow_none=True) for name in ("multiprocessing",) if name in sys.modules],
    }

def differences(before, after):
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}
"""
FINISH = """
import numpy, sqlite3, ctypes.util, json
before = snapshot()
import trackbook as tb
imported = differences(before, snapshot())
run = tb.init("p", config={"lr": 0.1}, CAPTURE)
sys.modules["trackbook.tracking.project"].IDLE_SECONDS = 0.1  # a project without runs is closed after an idle while
for step in range(100):
    tb.log({"loss": step})
import time
end = time.monotonic() + 30
opened = differences(before, snapshot())
while "switch" in opened and time.monotonic() < end:  # the pump is at work
    opened = differences(before, snapshot())
tb.finish()
import threading
for thread in threading.enumerate():  # the pump ends by itself, once the project is closed
    if thread.name.startswith("trackbook"):
        thread.join(10)
finished = differences(before, snapshot())
print(json.dumps([imported, opened, finished]))
"""


def python(program: str, *options: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=False, **more
    )


def differences(capture: str) -> list[dict[str, Any]]:
    done = python(SNAPSHOT + FINISH.replace("CAPTURE", capture))
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@linux
def test_process_is_the_same_after_import_and_after_finish() -> None:
    imported, opened, finished = differences("capture=False")
    assert imported == {}
    assert opened.keys() <= {"threads", "descriptors", "polars"}  # the pump, the journal and the project's file
    assert finished.keys() <= {"polars"}, finished  # which is imported, with its settings as they come


@linux
def test_process_is_the_same_after_a_run_with_every_capture() -> None:
    imported, opened, finished = differences("capture=True")
    assert imported == {}
    assert opened.keys() <= {"threads", "descriptors", "polars", "hooks"}  # the console is recorded
    assert finished.keys() <= {"polars"}, finished


@pytest.mark.parametrize("end", ["", "sys.exit(1)", "1 / 0"])
def test_program_that_ends_before_the_idle_close_leaves_no_log(end: str, store_dir: Path) -> None:
    done = python(f"import sys\nimport trackbook as tb\ntb.init('p')\ntb.log({{'a': 1}})\ntb.finish()\n{end}")
    assert ("Traceback" in done.stderr) == (end == "1 / 0"), done.stderr
    assert [path.name for path in store_dir.iterdir() if path.is_file()] == ["p.trackbook.db"]


@linux
@pytest.mark.parametrize(
    "verb",
    [
        "tb.runs()",
        "tb.board()",
        "tb.sql('select * from points')",
        "tb.init('p', mode='disabled')",
        "tb.export(None, 'out.csv')",
        "tb.board(pathlib.Path('out.parquet'))",
        "tb.import_parquet('out.parquet')",
        "tb.get_run()",
        "tb.diff('a', 'b')",
        "tb.Board",
    ],
)
def test_no_function_changes_signals_hooks_or_variables(verb: str, tmp_path: Path) -> None:
    program = f"""
import contextlib, json, numpy, pathlib
before = snapshot()
import trackbook as tb
with contextlib.suppress(ValueError, OSError):  # there is nothing to read
    {verb}
print(json.dumps(differences(before, snapshot())))
"""
    done = python(SNAPSHOT + program, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    changed = json.loads(done.stdout)
    assert not changed.keys() & {
        "actions",
        "handlers",
        "hooks",
        "environment",
        "locale",
        "switch",
        "wakeup",
        "start",
    }, changed


@linux
def test_polars_signal_handler_installed_by_the_user_stays() -> None:
    program = """
import json
import polars
before = snapshot()
import trackbook as tb
tb.init("p", capture=False)
tb.finish()
after = snapshot()
print(before["actions"] == after["actions"], before["actions"]["2"] if "2" in before["actions"] else before["actions"][2])
"""
    done = python(SNAPSHOT + program)
    assert done.stdout.startswith("True"), done.stdout + done.stderr


WAITS = {
    "queue.get": "import queue; queue.Queue().get()",
    "Thread.join": "import threading; t = threading.Thread(target=time.sleep, args=(60,), daemon=True); t.start(); t.join()",
    "Lock.acquire": "import threading; lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "input": "input()",
    "subprocess.run": "import subprocess; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])",
    "time.sleep": "time.sleep(60)",
    "os.read": "r, w = os.pipe(); os.read(r, 1)",
    "a loop": "while True: pass",
}


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to another process is no Ctrl-C on Windows")
@pytest.mark.parametrize("wait", WAITS)
def test_ctrl_c_ends_a_wait(wait: str) -> None:
    program = f"""
import os, sys, time
import trackbook as tb
tb.init("p", capture=False)
tb.log({{"a": 1}})
try:
    print("up", flush=True)
    {WAITS[wait]}
except KeyboardInterrupt:
    print("interrupted", flush=True)
    os._exit(0)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        wait_until_blocked(running.pid, wait)
        os.kill(running.pid, signal.SIGINT)
        try:
            assert running.wait(20) == 0
            assert running.stdout.read() == "interrupted\n"
        finally:
            running.kill()


def wait_until_blocked(pid: int, wait: str) -> None:
    """Wait until the main thread is blocked or, for a loop, uses the processor: an earlier interrupt would test nothing."""
    import psutil

    wanted = {psutil.STATUS_RUNNING} if "loop" in wait else {psutil.STATUS_SLEEPING}
    process, seen = psutil.Process(pid), 0
    while seen < 20:
        seen = seen + 1 if process.status() in wanted else 0
        process.cpu_percent(0.02)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process at once")
def test_sigterm_ends_the_program_at_once_and_keeps_every_point() -> None:
    program = """
import time
import trackbook as tb
tb.init("p", "r", capture=False)
tb.log({"loss": 1.0})
print("up", flush=True)
import hashlib
hashlib.pbkdf2_hmac("sha256", b"x", b"y", 2_000_000_000)  # minutes in C, where no Python handler runs
"""
    import trackbook as tb

    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n"
        running.terminate()
        try:
            assert running.wait(20) == -signal.SIGTERM
        finally:
            running.kill()
    run = tb.get_run("r", "p")
    assert (run.state, run.history()["value"].to_list()) == ("lost", [1.0])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_program_with_a_handler_of_its_own_for_sigterm_ends_its_run() -> None:
    program = """
import os, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
import trackbook as tb
tb.init("p", "r", capture=False)
tb.log({"loss": 1.0})
os.kill(os.getpid(), signal.SIGTERM)
"""
    import trackbook as tb

    assert python(program).returncode == 143
    run = tb.get_run("r", "p")
    assert (run.state, run.record.error) == ("failed", "SystemExit: 143")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows interrupts kernels by an event")
@pytest.mark.parametrize("wait", ["queue.Queue().get()", "threading.Event().wait()", "while True: pass"])
@pytest.mark.notebook
def test_interrupting_a_kernel_ends_the_cell_that_called_init(wait: str) -> None:
    """The first `init` of the kernel is in the cell that waits: ipykernel handles SIGINT anew for each cell."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", extra_arguments=["--IPKernelApp.log_level=40"])
    try:
        request = client.execute(
            "import queue, threading\nimport trackbook as tb\ntb.init('p', 'r', capture=False, display=False)\n"
            f"print('up', flush=True)\n{wait}"
        )
        while (message := client.get_iopub_msg(timeout=60))["msg_type"] != "stream":
            assert message["msg_type"] != "error", message["content"]
        manager.interrupt_kernel()
        while (reply := client.get_shell_msg(timeout=60))["parent_header"].get("msg_id") != request:
            pass
        assert (reply["content"]["status"], reply["content"].get("ename")) == ("error", "KeyboardInterrupt")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    import trackbook as tb

    assert tb.get_run("r", "p").state == "interrupted"

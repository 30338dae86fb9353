"""The state of a run that is open when its program ends follows from how the program ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import trackbook as tb
from trackbook.tracking import exit_status
from trackbook.tracking.exit_status import statuses

pytestmark = pytest.mark.slow

glibc = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the exit status is unknown")
BEGIN = "import sys\nimport trackbook as tb\ntb.init('p', 'r', capture=False)\ntb.log({'loss': 1.0})\n"

ENDS = {
    "the end": ("pass", 0, "finished", None),
    "sys.exit()": ("sys.exit()", 0, "finished", None),
    "sys.exit(0)": ("sys.exit(0)", 0, "finished", None),
    "sys.exit(1)": ("sys.exit(1)", 1, "failed", "SystemExit: 1"),
    "sys.exit(text)": ("sys.exit('no data')", 1, "failed", "SystemExit: 1"),
    "raise SystemExit(0)": ("raise SystemExit(0)", 0, "finished", None),
    "raise SystemExit(2)": ("raise SystemExit(2)", 2, "failed", "SystemExit: 2"),
    "exit(256)": ("sys.exit(256)", 0, "finished", None),
    "in a function": ("def main():\n    sys.exit(3)\nmain()", 3, "failed", "SystemExit: 3"),
    "sys.exit(main())": ("def main():\n    return None\nsys.exit(main())", 0, "finished", None),
    "argparse": ("import argparse\nargparse.ArgumentParser().parse_args(['--nope'])", 2, "failed", "SystemExit: 2"),
    "unittest": ("import unittest\nunittest.main(argv=['x'])", None, None, None),
    "caught, then exit": ("try:\n    1 / 0\nexcept Exception:\n    sys.exit(1)", 1, "failed", "SystemExit: 1"),
    "uncaught": ("1 / 0", 1, "failed", "ZeroDivisionError: division by zero"),
    "Ctrl-C": ("raise KeyboardInterrupt", None, "interrupted", "KeyboardInterrupt"),
    "finished before": ("tb.finish()\nsys.exit(1)", 1, "finished", None),
    "in a block": ("with tb.run:\n    sys.exit(4)", 4, "failed", "SystemExit: 4"),
    "os._exit": ("import os\nos._exit(5)", 5, "lost", None),
    "in a thread": (
        "import threading\nt = threading.Thread(target=sys.exit, args=(1,))\nt.start()\nt.join()",
        0,
        "finished",
        None,
    ),
    "caught": ("try:\n    sys.exit(1)\nexcept SystemExit:\n    pass", 0, "finished", None),
}


def ended() -> tuple[str, str | None]:
    run = tb.get_run("r", "p")
    assert run.history()["value"].to_list() == [1.0]
    return run.state, run.record.error


@glibc
@pytest.mark.parametrize("how", ENDS)
def test_run_ends_as_the_program_does(how: str) -> None:
    code, status, state, error = ENDS[how]
    done = subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=False)
    if how == "unittest":  # 3.11 exits with 0 where there are no tests, later versions with 5
        state, error = ("failed", f"SystemExit: {done.returncode}") if done.returncode else ("finished", None)
    assert status is None or done.returncode == status, done.stderr
    assert ended() == (state, error)


@glibc
@pytest.mark.parametrize("start", ["script", "module", "runpy"])
def test_exit_status_is_known_however_the_program_was_started(start: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(BEGIN + "sys.exit(7)")
    command = {
        "script": ["train.py"],
        "module": ["-m", "train"],
        "runpy": ["-c", "import runpy; runpy.run_path('train.py')"],
    }
    done = subprocess.run([sys.executable, *command[start]], cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, *ended()) == (7, "failed", "SystemExit: 7")


@glibc
def test_exit_status_is_recorded_for_every_open_run(tmp_path: Path) -> None:
    program = f"""
import sys, trackbook as tb
for name in "ab":
    tb.init("p", name, capture=False, reinit="create_new")
tb.init("q", "c", capture=False, reinit="create_new", dir={str(tmp_path)!r})
with tb.init("p", "d", capture=False, reinit="create_new"):
    pass
sys.exit(2)
"""
    subprocess.run([sys.executable, "-c", program], check=False)
    assert tb.runs("p").select("name", "state").rows() == [("a", "failed"), ("b", "failed"), ("d", "finished")]
    again = "import trackbook as tb\ntb.init('q', dir={0!r}, capture=False)\nprint(tb.runs()['state'][0])"
    shown = subprocess.run(
        [sys.executable, "-c", again.format(str(tmp_path))], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "failed\n"


def test_status_file_is_used_once_and_one_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    (tmp_path / f"1{exit_status.SUFFIX}").write_bytes(b'["r1"]\n' + (3).to_bytes(4, sys.byteorder))
    exiting, killed, damaged = (tmp_path / f"{number}{exit_status.SUFFIX}" for number in (2, 3, 4))
    exiting.write_bytes(b'["r2"]\n')
    killed.write_bytes(b'["r3"]\n')
    damaged.write_bytes(b"\xff\n1234")
    os.utime(killed, (time.time() - 3600, time.time() - 3600))
    assert [(runs, status) for _, runs, status in statuses(tmp_path)] == [(["r1"], 3)]
    assert exiting.exists()
    assert not killed.exists()


REPL = "import trackbook as tb\nprnt('typo')\nrun = tb.init('p', 'r', capture=False)\nx = tb.log({'loss': 1.0})\n%s\nexit()\n"


@pytest.mark.parametrize(
    "session", [["-i"], ["-m", "IPython", "--simple-prompt"], ["-c", "import code; code.interact()"]]
)
@pytest.mark.parametrize("later", ["", "1 / 0"])
def test_error_shown_in_a_session_is_not_the_end_of_its_run(session: list[str], later: str) -> None:
    subprocess.run([sys.executable, *session], input=REPL % later, capture_output=True, text=True, check=False)
    assert ended() == ("finished", None)


def test_error_shown_before_a_run_began_does_not_count() -> None:
    program = "import sys\nsys.last_value = ValueError('old')\n" + BEGIN
    subprocess.run([sys.executable, "-c", program], check=True)
    assert ended() == ("finished", None)


@pytest.mark.parametrize("end", ["", "sys.exit(0)"])
def test_daemon_thread_that_logs_until_the_end_is_silent(end: str) -> None:
    program = f"""
import sys, threading, time
import trackbook as tb
run = tb.init("p", "r", capture=False)
def monitor(log):
    while True:
        log({{"gpu": 1.0}})
def begin(log):
    threading.Thread(target=monitor, args=(log,), daemon=True).start()
begin(tb.log)
begin(run.log)
while len(run.history()) < 1000:
    time.sleep(0.01)
{end}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert tb.get_run("r", "p").state == "finished"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process at once")
def test_keyboard_interrupt_by_a_signal_is_interrupted() -> None:
    program = BEGIN + f"import os\nos.kill(os.getpid(), {int(signal.SIGINT)})\nwhile True: pass"
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended() == ("interrupted", "KeyboardInterrupt")

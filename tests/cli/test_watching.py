from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import trackbook as tb
from command_lines import CommandLine, record, valid
from terminals import in_terminal, screen
from trackbook.cli import finding
from trackbook.cli.exit_codes import NotFoundError
from trackbook.cli.watching import WatchedRun

in_pty = pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
WATCH = [sys.executable, "-m", "trackbook", "watch"]


@in_pty
@pytest.mark.parametrize("columns", [60, 200])
def test_an_ended_run_is_shown_once(columns: int) -> None:
    record(name="a", steps=300, total=300)
    text = in_terminal(*WATCH, "a", columns=columns, NO_COLOR="1")
    shown = screen(text, columns)
    assert max(map(len, shown)) <= columns
    assert re.match(r"a of digits  finished  ", shown[0].replace("\N{NO-BREAK SPACE}", " "))
    assert re.search(r"step 300 of 300", " ".join(shown[:2]).replace("\N{NO-BREAK SPACE}", " "))
    heads, loss, acc = shown[-3:]
    assert heads.split() == (["metric", "last"] if columns == 60 else ["metric", "last", "min", "max"])
    assert loss.split()[:2] == ["train/loss", "0.0033333"]
    assert re.search("█[▁▂▃▄▅▆▇█]+▁$", loss)
    assert len(loss) > columns * 0.9
    assert acc.endswith("█")
    assert not re.search(r"\x1b\[(\d+;)*3\d", text)  # without colour


@in_pty
@pytest.mark.slow
def test_a_run_is_followed_until_it_ends_also_if_the_terminal_is_resized(tmp_path: Path) -> None:
    program = """
import sys, trackbook as tb
with tb.init(project="p", name="live", total=40, display=False) as run:
    print("ready", flush=True)
    for step in tb.track(range(40)):
        run.log({"loss": 1 / (step + 1)})
        if step == 20:
            sys.stdin.readline()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        until_seen = [sys.executable, "-c", UNTIL_SEEN, *WATCH, "live", "--every", "0.1"]
        watching = subprocess.Popen(until_seen, stdout=subprocess.PIPE, text=True)
        assert watching.stdout is not None
        assert watching.stdout.readline() == "seen running\n"
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait(30) == 0
        text = watching.stdout.read()
        assert watching.wait(30) == 0
    shown = [line.replace("\N{NO-BREAK SPACE}", " ") for line in screen(json.loads(text))]
    assert re.match(r"live of p  finished  .+  step 40 of 40", shown[0])
    assert " ".join(shown[:-2]).endswith(" steps/s")
    assert [line.split()[0] for line in shown[-2:]] == ["metric", "loss"]
    assert max(map(len, shown)) <= 60
    watching.stdout.close()


# Runs a program in a terminal, makes that smaller and says so when it shows a running run at step 20; in the end prints all it wrote.
UNTIL_SEEN = """
import fcntl, json, os, pty, struct, sys, termios
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)
child, master = pty.fork()
if child == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
text, said = "", False
while True:
    try:
        more = os.read(master, 65536).decode(errors="replace")
    except OSError:
        break
    if not more:
        break
    text += more
    if not said and "step\\u00a020\\u00a0of\\u00a040" in text and "running" in text:
        said = True
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 60, 0, 0))
        print("seen running", flush=True)
_, status = os.waitpid(child, 0)
print(json.dumps(text))
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_elsewhere_it_prints_a_line_for_each_change(trackbook_command: CommandLine) -> None:
    record(name="a")
    answer = trackbook_command("watch", "a")
    assert (answer.code, answer.out) == (0, "finished  step 3  train/loss 0.33333  acc 0.2\n")


def test_as_json_each_change_is_an_object(trackbook_command: CommandLine) -> None:
    record(name="a", steps=0, total=5)
    with tb.init(project="p", name="b", total=10) as run:
        run.log({"x": float("nan")})
    [line] = trackbook_command("watch", "b", "--json").out.splitlines()
    seen = valid("watch", json.loads(line))
    assert (seen["state"], seen["steps"], seen["total"], seen["metrics"]) == ("finished", 1, 10, {"x": "NaN"})
    [line] = trackbook_command("watch", "a", "--json").out.splitlines()
    assert valid("watch", json.loads(line))["metrics"] == {}


@pytest.mark.slow
def test_a_run_whose_process_dies_ends_as_lost(trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trackbook.cli.watching._RECOVER_SECONDS", 0.0)
    program = "import sys, trackbook as tb\ntb.init('p', 'a', display=False).log({'x': 1})\nprint('ready', flush=True)\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        watching = subprocess.Popen([*WATCH, "a", "--every", "0.1"], stdout=subprocess.PIPE, text=True)
        assert watching.stdout is not None
        assert watching.stdout.readline().startswith("running")
        process.kill()
        assert watching.wait(60) == 0
        assert watching.stdout.read().splitlines()[-1].startswith("lost  step 1")
        watching.stdout.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_an_interrupt_ends_the_command_quietly() -> None:
    with tb.init(project="p", name="a") as run:
        run.log({"x": 1})
        with subprocess.Popen([*WATCH, "a"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline().startswith("running")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
            assert "Traceback" not in process.stderr.read()


def test_an_unknown_run_is_not_found(trackbook_command: CommandLine) -> None:
    record()
    assert trackbook_command("watch", "nobody").code == 3


def test_a_run_that_is_deleted_meanwhile_ends_the_command() -> None:
    record(name="a")
    watched = WatchedRun(*finding.find_run("a", None, None))
    assert watched.look().record.name == "a"
    tb.delete_run("a", "digits", force=True)
    with pytest.raises(NotFoundError, match="run 'a' was deleted"):
        watched.look()

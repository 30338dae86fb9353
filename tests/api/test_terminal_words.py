from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import trackbook as tb
from terminals import in_terminal, screen
from trackbook.api.terminal_words import ending
from trackbook.tracking.run import writer_of

in_pty = pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")

SCRIPT = """
import trackbook as tb
with tb.init(project="digits", name="a", config={"lr": 1}) as run:
    for step in range(100):
        run.log({"train/loss": 1 / (step + 1), "acc": step / 100})
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@in_pty
def test_a_script_in_a_terminal_says_how_it_began_and_ended() -> None:
    shown = screen(in_terminal(*python(SCRIPT)))
    assert shown[0] == "trackbook: run a of digits; watch it: trackbook show digits"
    assert re.fullmatch(r"trackbook: run a of digits: finished after \d\.\d s, 200 points", shown[1])
    assert shown[2].split() == ["metric", "last", "min", "max"]
    name, *numbers, curve = shown[3].split()
    assert (name, numbers) == ("train/loss", ["0.01", "0.01", "1"])
    assert re.fullmatch("█[▁▂▃▄▅▆▇█]{38}▁", curve)
    assert len(shown) == 5


@in_pty
def test_an_alert_is_said_in_one_line() -> None:
    code = """
import trackbook as tb
with tb.init(project="digits", name="a") as run:
    run.alert("Loss is high", "12.5 at\\nstep 3", level="error")
    run.alert("Loss is high", "again")
    run.alert("x" * 200)
"""
    shown = screen(in_terminal(*python(code)))
    assert shown[1] == "trackbook: error: Loss is high: 12.5 at step 3"
    assert shown[2].startswith("trackbook: warn: xxx")
    assert shown[3].startswith("trackbook: run a of digits: finished")


@in_pty
def test_words_go_to_stderr_alone() -> None:
    code = f"""
import subprocess, sys
done = subprocess.run([sys.executable, "-c", {SCRIPT!r}], stdout=subprocess.PIPE)
print("stdout:", done.stdout)
"""
    shown = screen(in_terminal(*python(code)))
    assert (shown[0].startswith("trackbook: run a of digits"), shown[-1]) == (True, "stdout: b''")


def test_nothing_is_said_where_no_terminal_shows_it() -> None:
    done = subprocess.run(python(SCRIPT), capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@in_pty
def test_nothing_is_said_to_who_wants_quiet() -> None:
    assert in_terminal(*python(SCRIPT), TRACKBOOK_QUIET="1") == ""
    assert in_terminal(*python(SCRIPT), TRACKBOOK_QUIET="0") != ""


@in_pty
def test_a_run_that_nothing_keeps_says_nothing() -> None:
    for option in ("mode='disabled'", "display=False, mode='disabled'"):
        assert in_terminal(*python(f"import trackbook as tb\ntb.init({option}).log({{'a': 1}})")) == ""


@in_pty
def test_a_script_that_fails_says_so_after_its_traceback() -> None:
    shown = screen(in_terminal(*python("import trackbook as tb\ntb.init('p', 'a').log({'x': 1})\n1 / 0")))
    place = shown.index("ZeroDivisionError: division by zero")
    assert shown[place + 1].startswith("trackbook: run a of p: failed after")
    assert shown[place + 2].split() == ["metric", "last", "min", "max"]


@in_pty
def test_child_processes_say_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pool.py"
    path.write_text(
        "import multiprocessing, os, trackbook as tb\n"
        "def work(name):\n    with tb.init('p', name) as run: run.log({'x': 1})\n"
        "if __name__ == '__main__':\n"
        "    for kind in ('spawn', 'fork'):\n"
        "        child = multiprocessing.get_context(kind).Process(target=work, args=(kind,))\n"
        "        child.start(); child.join()\n"
    )
    assert in_terminal(sys.executable, str(path)) == ""
    assert sorted(tb.runs("p")["name"]) == ["fork", "spawn"]


TQDM = """
import sys, trackbook as tb
from tqdm import tqdm
for _ in tqdm(range(3), desc="bar", mininterval=0, {options}):
    with tb.init(project="p", name="a", reinit="create_new") as run:
        run.log({{"x": 1}})
"""
RICH = """
import sys, trackbook as tb
from rich.progress import track
for _ in track(range(3), description="bar"):
    with tb.init(project="p", name="a") as run:
        run.log({"x": 1})
"""


@in_pty
@pytest.mark.parametrize(
    "code",
    [TQDM.format(options=""), TQDM.format(options="file=sys.stdout"), RICH],
    ids=["tqdm", "tqdm on stdout", "rich"],
)
def test_a_progress_bar_stays_whole(code: str) -> None:
    """One line of it, below all words; each word on a line of its own."""
    shown = screen(in_terminal(*python(code), TERM="xterm"))
    assert [line for line in shown if "bar" in line] == [shown[-1]]
    assert "100%" in shown[-1]
    assert [line.split(":")[0] for line in shown[:-1] if "run a" in line] == ["trackbook"] * 6
    assert len(shown) == 3 * 4 + 1


@in_pty
@pytest.mark.parametrize("end", ["", "\\n"])
def test_a_line_that_the_script_has_begun_is_ended_first(end: str) -> None:
    code = f"import trackbook as tb\nwith tb.init('p', 'a') as run:\n    run.log({{'x': 1}})\n    print('\\rstep 1', end='{end}')"
    shown = screen(in_terminal(*python(code), TRACKBOOK_CAPTURE="console"))
    assert shown[1] == "step 1"
    assert shown[2].startswith("trackbook: run a of p: finished")


@in_pty
@pytest.mark.parametrize("code", [TQDM.format(options=""), RICH], ids=["tqdm", "rich"])
def test_a_progress_bar_that_is_recorded_stays_whole_too(code: str) -> None:
    shown = screen(in_terminal(*python(code), TERM="xterm", TRACKBOOK_CAPTURE="console"))
    assert [line for line in shown if "bar" in line] == [shown[-1]]
    assert len(shown) == 3 * 4 + 1


@pytest.mark.parametrize("columns", [200, 60, 20])
def test_the_end_fits_the_terminal(columns: int) -> None:
    with tb.init(project="p", name="a long name of a run") as run:
        for step in range(50):
            run.log({f"a/long/name/of/a/metric/{number}": step * 1234.5678 for number in range(12)})
    lines = ending(writer_of(run), columns, curves=True)
    assert max(map(len, lines)) <= columns
    assert lines[-1].startswith("  and 2 more metrics"[: columns - 1])
    assert any("█" in line for line in lines) == (columns > 20)


def test_numbers_that_are_not_finite_and_no_metrics_have_an_end() -> None:
    with tb.init(project="p", name="a") as run:
        pass
    assert len(ending(writer_of(run), 80)) == 1
    with tb.init(project="p", name="b") as run:
        run.log({"x": float("nan"), "y": float("inf")})
    assert [line.split() for line in ending(writer_of(run), 80, curves=True)[2:]] == [
        ["x", "nan", "nan", "nan", "?"],
        ["y", "inf", "inf", "inf", "?"],
    ]


def test_a_long_name_does_not_hide_the_state() -> None:
    with tb.init(project="p", name="a\nname " * 20) as run:
        pass
    [line] = ending(writer_of(run), 70)
    assert re.fullmatch(r"trackbook: run a name [a name]+…[a name]+ of p: finished after \d\.\d s, 0 points", line)


@in_pty
def test_an_import_shows_one_line_and_takes_it_away() -> None:
    code = """
import sys
from pathlib import Path
from trackbook.api import terminal_words
from trackbook.imports.importing import ImportProgress
terminal_words._SILENT_SECONDS = terminal_words._LINE_SECONDS = 0
with terminal_words.shown_progress(Path("some/where")) as show:
    show(ImportProgress("r1", 9, 12, 1_000_000, 0.5))
    show(ImportProgress("r1", 10, 12, 2_000, 0.75, 1_500))
print("after")
"""
    text = in_terminal(*python(code))
    assert "trackbook: importing where: run 9 of 12, 50%, 1,000,000 points" in text
    assert "trackbook: importing where: run 10 of 12, 75%, 2,000 points, 1,500 media" in text
    assert screen(text) == ["after"]
    assert in_terminal(*python(code.replace("show(", "print(show); (")), TRACKBOOK_QUIET="1").split() == [
        "None",
        "None",
        "after",
    ]

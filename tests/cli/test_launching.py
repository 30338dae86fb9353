from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import trackbook as tb
from command_lines import CommandLine
from terminals import in_terminal

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of Unix")]

LAUNCH = [sys.executable, "-m", "trackbook", "run"]


def launch(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TRACKBOOK_CAPTURE": "all"} | more.pop("env", {})
    return subprocess.run([*LAUNCH, *words], env=environment, capture_output=True, text=True, check=False, **more)


def python(code: str) -> list[str]:
    return ["--", sys.executable, "-c", code]


def texts(run: tb.Run) -> list[str]:
    return run.console()["text"].to_list()


def test_any_program_becomes_a_run(store_dir: Path) -> None:
    done = launch("-p", "p", "--name", "shell", "--", "sh", "-c", "echo out; echo err >&2; exit 0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")
    run = tb.get_run("shell", "p")
    assert (run.state, run.record.error) == ("finished", None)
    assert sorted(texts(run)) == ["err", "out"]
    assert dict(zip(texts(run), run.console()["stream"], strict=True)) == {"out": "stdout", "err": "stderr"}
    assert run.environment["process"]["command"].endswith("exit 0'")
    assert [path.name for path in (store_dir / "p.journals").iterdir()] == []


@pytest.mark.parametrize(
    ("command", "code", "state", "error"),
    [
        ("exit 3", 3, "failed", "the program ended with exit code 3"),
        ("kill -TERM $$", 143, "interrupted", "the program was ended by SIGTERM"),
        ("kill -KILL $$", 137, "failed", "the program was ended by SIGKILL"),
        ("kill -INT $$", 130, "interrupted", "the program was ended by SIGINT"),
    ],
)
def test_the_exit_code_is_the_programs_and_tells_the_state(command: str, code: int, state: str, error: str) -> None:
    assert launch("-p", "p", "--", "sh", "-c", command).returncode == code
    run = tb.get_run(project="p")
    assert (run.state, run.record.error) == (state, error)


def test_init_of_the_program_takes_the_run() -> None:
    code = "import trackbook as tb\nrun = tb.init(project='digits', name='mine', config={'lr': 1})\nprint('hello')\nrun.log({'a': 1})"
    assert launch(*python(code)).returncode == 0
    run = tb.get_run("mine", "digits")
    assert (run.state, run.config.lr, run.history()["value"].to_list()) == ("finished", 1, [1.0])
    assert texts(run) == ["hello"]
    assert run.code is None  # `python -c` has no file
    assert run.environment["python"]["executable"] == sys.executable
    assert "TRACKBOOK_RUN" not in run.environment["variables"]
    assert run.environment["variables"]["TRACKBOOK_CAPTURE"] == "all"
    with pytest.raises(ValueError, match="there is no project 'default'"):
        tb.runs("default")


def test_project_and_name_of_the_command_line_come_first() -> None:
    code = "import trackbook as tb\ntb.init(project='digits', name='mine').log({'a': 1})"
    assert launch("--project", "p", "--name", "given", *python(code)).returncode == 0
    assert tb.runs("p")["name"].to_list() == ["given"]
    with pytest.raises(ValueError, match="there is no project 'digits'"):
        tb.runs("digits")


def test_console_from_before_init_is_in_the_run() -> None:
    code = (
        "import time, trackbook as tb\nprint('before', flush=True)\ntime.sleep(1)\n"
        "tb.init(project='digits').log({'a': 1})\nprint('after', flush=True)"
    )
    assert launch(*python(code)).returncode == 0
    assert texts(tb.get_run(project="digits")) == ["before", "after"]


def test_only_the_first_init_takes_the_run() -> None:
    code = (
        "import subprocess, sys, trackbook as tb\n"
        "for name in 'ab':\n    with tb.init(project='p', name=name) as run: run.log({'x': 1})\n"
        "subprocess.run([sys.executable, '-c', \"import trackbook as tb; tb.init('p', 'c').log({'x': 1})\"])"
    )
    assert launch("-p", "p", *python(code)).returncode == 0
    assert tb.runs("p")["name"].to_list() == ["a", "b", "c"]
    assert tb.runs("p")["points"].to_list() == [1, 1, 1]


def test_an_init_that_fails_leaves_the_run_to_the_next() -> None:
    code = (
        "import trackbook as tb\ntry: tb.init(project='p', resume='must', name='none')\nexcept ValueError: pass\n"
        "tb.init(project='p', name='a').finish()"
    )
    assert launch("-p", "p", *python(code)).returncode == 0
    assert tb.runs("p")["name"].to_list() == ["a"]


def test_a_resumed_run_gets_the_console() -> None:
    with tb.init(project="p", name="old", capture=["console"]) as run:
        run.log({"a": 1})
    code = "import trackbook as tb\ntb.init(project='p', name='old', resume='must').log({'a': 2})\nprint('again')"
    assert launch(*python(code)).returncode == 0
    resumed = tb.get_run(run.id, "p")
    assert (resumed.state, resumed.history()["value"].to_list(), texts(resumed)) == ("finished", [1.0, 2.0], ["again"])
    assert tb.runs("p").height == 1


@pytest.mark.parametrize(
    ("end", "code", "state", "error"),
    [
        ("os._exit(0)", 0, "finished", None),
        ("os._exit(5)", 5, "failed", "the program ended with exit code 5"),
        ("os.kill(os.getpid(), 9)", 137, "failed", "the program was ended by SIGKILL"),
        ("sys.exit(2)", 2, "failed", "SystemExit: 2"),
        ("raise ValueError('no')", 1, "failed", "ValueError: no"),
        ("run.finish('interrupted')", 0, "interrupted", None),
    ],
)
def test_a_run_that_was_taken_ends_as_its_program(end: str, code: int, state: str, error: str | None) -> None:
    program = f"import os, sys, trackbook as tb\nrun = tb.init(project='p', name='a')\nrun.log({{'x': 1}})\n{end}"
    assert launch(*python(program)).returncode == code
    run = tb.get_run("a", "p")
    assert (run.state, run.record.error, run.history().height) == (state, error, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_signals_are_passed_on(number: signal.Signals) -> None:
    code = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(7))\nprint('ready', flush=True)\nwhile True: time.sleep(0.05)"
    )
    command = [*LAUNCH, "-p", "p", *python(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(30) == 7
    assert tb.get_run(project="p").state == "failed"


def test_a_program_that_is_not_there_is_no_run(trackbook_command: CommandLine, store_dir: Path) -> None:
    answer = trackbook_command("run", "--", "no-such-program-of-ours")
    assert (answer.code, answer.err) == (127, "trackbook: there is no program 'no-such-program-of-ours'\n")
    assert not store_dir.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of Unix")
def test_a_file_that_is_no_program_is_not_a_missing_one(trackbook_command: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("no program")
    answer = trackbook_command("run", "--", str(path))
    assert (answer.code, answer.err) == (
        126,
        f"trackbook: {str(path)!r} cannot be run: it is no program, or you may not execute it\n",
    )


def test_a_program_that_cannot_be_started_is_a_failed_run(trackbook_command: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("no program")
    path.chmod(0o755)
    answer = trackbook_command("run", "-p", "p", "--", str(path))
    assert (answer.code, answer.err) == (126, f"trackbook: {str(path)!r} cannot be run: Exec format error\n")
    assert tb.get_run(project="p").state == "failed"


def test_a_failing_disk_neither_stops_the_program_nor_hides_its_exit_code(
    trackbook_command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("trackbook.cli.recording.ProgramRun.tick", fail)
    answer = trackbook_command("run", "--", "sh", "-c", "sleep 0.5; exit 4")
    assert (answer.code, answer.err) == (4, "trackbook: the disk is full\n")


def test_who_reads_the_output_may_leave() -> None:
    code = "import sys\nwhile True: print('line')"
    with subprocess.Popen(
        [*LAUNCH, "-p", "p", *python(code)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) != 0
    assert tb.get_run(project="p").state == "failed"


def test_what_is_not_to_be_captured_is_not() -> None:
    launch("-p", "p", "--", "echo", "secret", env={"TRACKBOOK_CAPTURE": "none"})
    run = tb.get_run(project="p")
    assert (texts(run), run.environment) == ([], {})


def test_in_a_terminal_the_program_has_one_as_large() -> None:
    code = "import os, sys, time; time.sleep(0.3); print(sys.stdout.isatty(), sys.stderr.isatty(), os.get_terminal_size().columns)"
    shown = in_terminal(*LAUNCH, "-p", "p", "--name", "a", *python(code))
    assert shown.splitlines()[0] == "True True 100"
    assert shown.splitlines()[1].startswith("trackbook: run a of p: finished after")
    assert texts(tb.get_run(project="p")) == []  # the tests capture nothing


def test_a_launcher_that_is_killed_loses_no_point(tmp_path: Path) -> None:
    code = (
        "import sys, trackbook as tb\nrun = tb.init(project='p', name='a')\nrun.log({'x': 1})\nprint('ready', flush=True)\n"
        "sys.stdin.readline()\nfor _ in range(99): run.log({'x': 1})\nrun.finish()\n"
        f"open({str(tmp_path / 'done')!r}, 'w').close()"
    )
    command = [*LAUNCH, *python(code)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.stdin.write("\n")
    until = time.monotonic() + 60
    while not (tmp_path / "done").exists() and time.monotonic() < until:
        time.sleep(0.05)
    run = tb.get_run("a", "p")
    assert (run.state, run.history().height) == ("finished", 100)


def test_an_interrupt_from_the_terminal_comes_once() -> None:
    code = (
        "import signal, time\ncame = []\nsignal.signal(signal.SIGINT, lambda *_: came.append(1))\nprint('ready', flush=True)\n"
        "while not came: time.sleep(0.01)\ntime.sleep(1)\nprint('interrupts:', len(came))"
    )
    shown = in_terminal(*LAUNCH, "-p", "p", *python(code), typed=("ready", "\x03"))
    assert "interrupts: 1" in shown
    assert tb.get_run(project="p").state == "finished"


def test_the_program_reads_what_is_typed() -> None:
    shown = in_terminal(*LAUNCH, "-p", "p", *python("print('got', input('name? '))"), typed=("name? ", "otter\n"))
    assert "got otter" in shown


def test_another_process_sees_the_run_while_it_runs(trackbook_command: CommandLine) -> None:
    code = "import time; print('ready', flush=True); time.sleep(60)"
    with subprocess.Popen([*LAUNCH, "-p", "p", *python(code)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert trackbook_command("ls", "--json").json[0]["running"] == 1
        until = time.monotonic() + 30
        while (state := tb.get_run(project="p").state) != "running" and time.monotonic() < until:
            time.sleep(0.1)
        assert state == "running"
        process.terminate()
        process.wait(30)
    assert tb.get_run(project="p").state == "interrupted"

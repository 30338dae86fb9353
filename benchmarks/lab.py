"""Runs contestants: each task in a fresh process with a separate folder, offline, and with a time limit."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from peers import ROOT, Entrant
from worker import RESULT

HERE = Path(__file__).resolve().parent
NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there: whoever tries the network fails at once
AFTERLIFE_SECONDS = 2.0  # for helper processes of a killed tracker, which may still write
PATIENCE_SECONDS = 5.0  # for the calls before a contestant kills itself

Figures = dict[str, float]


class TrialError(Exception):
    """A contestant crashed, hung, or cannot do a task; the text says which."""


class Lab:
    """The contestants of one benchmark, the folder they work in, and what went wrong."""

    def __init__(self, entrants: Sequence[Entrant], folder: Path, *, quick: bool = False) -> None:
        self.entrants = [entrant for entrant in entrants if not entrant.missing]
        self.folder = folder
        self.quick = quick
        self.chance = random.Random()  # noqa: S311  # when to kill
        self.problems = [f"{entrant.name} {entrant.missing}" for entrant in entrants if entrant.missing]
        self._numbers = itertools.count()

    @property
    def trackbook(self) -> Entrant:
        return self.entrants[0]

    def fresh(self) -> Path:
        """Return a new empty folder."""
        path = self.folder / f"{next(self._numbers):04}"
        path.mkdir()
        return path

    def forget(self, folder: Path | str) -> None:
        """Remove a folder early, to save disk space."""
        shutil.rmtree(folder, ignore_errors=True)

    def say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)

    def problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)
        self.say(f"PROBLEM  {text}")

    def command(self, entrant: Entrant, task: str, **arguments: Any) -> list[str]:
        return [entrant.python, str(HERE / "worker.py"), entrant.name, task, json.dumps(arguments, default=str)]

    @contextlib.contextmanager
    def process(self, entrant: Entrant, command: list[str], home: Path) -> Iterator[subprocess.Popen[str]]:
        """Start a process in a separate group, and end the whole group afterwards."""
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                command,
                env=environment_of(entrant, home),
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
            try:
                yield process
            except TrialError as error:
                errors.seek(0)
                said = [line.strip() for line in errors.read().splitlines() if line.strip()]
                raise TrialError(f"{error}{': ' + said[-1][:200] if said else ''}") from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if process.stdout:
                    process.stdout.close()

    def run(self, entrant: Entrant, task: str, *, timeout: float = 120, **arguments: Any) -> Any:
        """Return the result of a task. Raises ``TrialError``."""
        return self.result(entrant, self.command(entrant, task, **arguments), timeout)

    def result(self, entrant: Entrant, command: list[str], timeout: float = 120) -> Any:
        with self.process(entrant, command, self.fresh()) as process:
            try:
                out, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                raise TrialError(f"still not done after {timeout:.0f} s") from None
            results = [line for line in out.splitlines() if line.startswith(RESULT)]
            if process.returncode or not results:
                raise TrialError(f"ended with {process.returncode}")
            return json.loads(results[-1].removeprefix(RESULT))

    def alternate(
        self, what: str, rounds: int, measure: Callable[[Entrant], Figures], entrants: Sequence[Entrant] | None = None
    ) -> dict[str, Any]:
        """A B C A B C ...: the medians of each contestant. One that fails is left out of the rounds to come."""
        taken: dict[str, list[Figures]] = defaultdict(list)
        failed: dict[str, str] = {}
        for number in range(1 if self.quick else rounds):
            for entrant in self.entrants if entrants is None else entrants:
                if entrant.name in failed:
                    continue
                begin = time.monotonic()
                try:
                    figures = measure(entrant)
                except TrialError as error:
                    failed[entrant.name] = str(error)
                    self.problem(f"{what}: {entrant.name} {error}")
                else:
                    taken[entrant.name].append(figures)
                    self.say(f"{what}, round {number + 1}: {entrant.name} ({time.monotonic() - begin:.1f} s)")
        return {name: medians(figures) for name, figures in taken.items()} | {
            name: {"error": error} for name, error in failed.items() if name not in taken
        }

    def interrupted_stream(
        self, entrant: Entrant, *, rate: float, after: float | None, calls: int, how: signal.Signals = signal.SIGKILL
    ) -> tuple[str, int]:
        """A stream of calls that ends by a signal: after `after` seconds, or (None) by itself right after its last call.

        Returns its folder and the number of calls that returned. Raises ``TrialError``.
        """
        home = self.fresh()
        folder, counter = home / "store", home / "returned"
        folder.mkdir()
        seconds = PATIENCE_SECONDS if after is None else 60
        command = self.command(
            entrant,
            "stream",
            folder=folder,
            counter=counter,
            rate=rate,
            calls=calls,
            seconds=seconds,
            then_kill=after is None,
        )
        with self.process(entrant, command, home) as process:
            self._await_first_call(process, counter)
            if after is not None:
                time.sleep(after)
                process.send_signal(how)
            try:
                process.wait(timeout=90)
            except subprocess.TimeoutExpired:
                raise TrialError("does not end") from None
            if entrant is not self.trackbook:
                time.sleep(AFTERLIFE_SECONDS)
        return str(folder), struct.unpack("<Q", counter.read_bytes())[0]

    def _await_first_call(self, process: subprocess.Popen[str], counter: Path) -> None:
        end = time.monotonic() + 60
        while not (counter.exists() and any(counter.read_bytes())):
            if process.poll() is not None:
                raise TrialError(f"ended with {process.returncode} before its first call returned")
            if time.monotonic() > end:
                raise TrialError("no call returned in 60 s")
            time.sleep(0.005)


def medians(figures: Sequence[Figures]) -> Figures:
    """Return the median of each figure over the rounds, and the number of rounds."""
    return {key: statistics.median(f[key] for f in figures) for key in figures[0]} | {"rounds": len(figures)}


def folder_bytes(folder: str | Path) -> int:
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def environment_of(entrant: Entrant, home: Path) -> dict[str, str]:
    """Return an environment without the user's settings, accounts and network."""
    kept = {key: os.environ[key] for key in ("PATH", "LANG", "SYSTEMROOT", "TMPDIR") if key in os.environ}
    proxies = {f"{kind}_proxy": NOWHERE for kind in ("http", "https", "all")}
    return (
        kept
        | proxies
        | {key.upper(): value for key, value in proxies.items()}
        | {
            "HOME": str(home),
            "NO_PROXY": "127.0.0.1,localhost",
            "HF_HUB_OFFLINE": "1",
            "WANDB_MODE": "offline",
            "WANDB_ERROR_REPORTING": "false",
        }
        | ({"PYTHONPATH": str(ROOT / "src")} if entrant.name == "trackbook" else {})
    )

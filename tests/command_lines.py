"""Command lines run in this process, and what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

import trackbook as tb
from trackbook.cli.app import main


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class CommandLine:
    """``trackbook`` as a function."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Answer:
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = self._capsys.readouterr()
        return Answer(int(ended.value.code or 0), out, err)


def record(project: str = "digits", name: str = "first", *, steps: int = 3, **options: Any) -> tb.Run:
    """A finished run with two metrics."""
    with tb.init(
        project=project, name=name, display=False, **({"config": {"lr": 0.1, "opt": "adam"}} | options)
    ) as run:
        for step in range(steps):
            run.log({"train/loss": 1 / (step + 1), "acc": step / 10})
    return run


def valid(command: str, content: Any) -> Any:
    """What ``--json`` printed, if it is as the schema says of this command."""
    schema = json.loads((Path(__file__).parent / "cli" / "output.schema.json").read_text())
    jsonschema.validate(content, schema["commands"][command] | {"$defs": schema["$defs"]})
    return content

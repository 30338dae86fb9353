from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import trackbook as tb
from trackbook.store.documents import document, put_document
from trackbook.store.memory import MemoryStore
from trackbook.store.text_gate import LONGEST_ERROR, LONGEST_VALUE, RunGate, recorded_rows, recorded_run, recorded_text
from trackbook.types import RunRecord

KEY = "hf_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefgh"
WHERE = "postgresql://admin:hunter2222@db/x"
HIDDEN = "postgresql://[redacted]@db/x"


def test_a_long_text_loses_its_middle_once() -> None:
    text = recorded_text("a" * 100 + "b" * 1000 + "c" * 100, 200)
    assert text == "a" * 83 + "\n... 1,036 characters left out ...\n" + "c" * 82
    assert recorded_text(text, 200) == text
    assert recorded_text("a" * 200, 200) == "a" * 200


@pytest.mark.parametrize("at", range(0, 500, 7))
def test_no_secret_is_cut_in_two(at: int) -> None:
    text = "x " * 600
    text = f"{text[:at]} {KEY} {text[at:]}"
    shown = recorded_text(text, 100)
    assert not any(KEY[place : place + 12] in shown for place in range(len(KEY) - 12))


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("name", f"try {KEY}", "try [redacted]"),
        ("group", KEY, "[redacted]"),
        ("tags", ("a", KEY, KEY[:-1]), ("a", "[redacted]")),
        ("notes", WHERE, HIDDEN),
        ("error", f"ConnectionError: {WHERE}", f"ConnectionError: {HIDDEN}"),
        ("config", {"hub_token": KEY}, {"hub_token": "[redacted]"}),
        ("config", {"db": {"urls": [WHERE]}}, {"db": {"urls": [HIDDEN]}}),
        ("config", {KEY: 1}, {"[redacted]": 1}),
        ("config", {"a": {"b": [{"password": 1234}]}}, {"a": {"b": [{"password": "[redacted]"}]}}),
        ("config", {"secrets": {"x": ["y"]}, "lr": 0.1}, {"secrets": {"x": ["[redacted]"]}, "lr": 0.1}),
        ("config", {"dbPassword": "x1"}, {"dbPassword": "[redacted]"}),
        ("config", {"auths": {"h": {"auth": "bWU6czNjcmV0RE9DSzE="}}}, {"auths": {"h": {"auth": "[redacted]"}}}),
        ("config", {"username": "me", "key": "0123456789abcdef" * 2}, {"username": "me", "key": "[redacted]"}),
        ("config", {"args": "train.py --token=hunter2222"}, {"args": "train.py --token=[redacted]"}),
        ("summary", {"best": KEY}, {"best": "[redacted]"}),
    ],
)
def test_each_field_of_a_run_is_masked(field: str, given: Any, kept: Any) -> None:
    run = dataclasses.replace(RunRecord("r", "n", 1.0), **{field: given})
    assert getattr(recorded_run(run), field) == kept
    assert recorded_run(recorded_run(run)) == recorded_run(run)


@pytest.mark.parametrize(
    "config",
    [
        {"pad_token": "<pad>", "eos_token": "</s>", "max_tokens": 512, "token": "word", "use_auth_token": True},
        {"key": "value", "sort_key": "loss", "password": None, "secret": "", "api_key": False, "pin_memory": True},
        {"keys": ["a", "b"], "tokenizer": "gpt2", "auth": "oauth2", "lr": 0.1, "path": "/data/x", "n": None},
        {"pass": 0.93, "n_pass": 112, "secret": -1.5},
    ],
)
def test_ordinary_settings_stay_as_they_are(config: dict[str, Any]) -> None:
    run = RunRecord("r", "n", 1.0, config=config)
    assert recorded_run(run) is run


def test_an_error_and_a_value_are_bounded() -> None:
    run = recorded_run(RunRecord("r", "n", 1.0, error="x" * 300_000, config={"a": "y" * 10_000_000}))
    assert len(run.error or "") < LONGEST_ERROR + 100
    assert len(run.config["a"]) < LONGEST_VALUE + 100


def test_unchanged_fields_are_not_masked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = RunGate()
    first = RunRecord("r", "n", 1.0, config={"token": KEY})
    passed = gate(first)
    monkeypatch.setattr("trackbook.store.text_gate.redact", None)
    again = gate(dataclasses.replace(first, done=5))
    assert (again.config, again.done) == (passed.config, 5)


def test_captured_rows_are_masked() -> None:
    cell = (0, "id", 1, f"key = '{KEY}'", 1.0, 2.0, "error", WHERE, KEY, "[]", 0, None)
    assert recorded_rows("cells", [cell]) == [
        (0, "id", 1, "key = '[redacted]'", 1.0, 2.0, "error", HIDDEN, "[redacted]", "[]", 0, None)
    ]
    lines = ["-----BEGIN RSA PRIVATE KEY-----", "MIIE", "-----END RSA PRIVATE KEY-----", "after"]
    rows = [(i, "stdout", text, 1.0, None) for i, text in enumerate(lines)]
    assert [row[2] for row in recorded_rows("console", rows)] == ["[redacted]"] * 3 + ["after"]


def test_documents_are_masked_by_value_and_name() -> None:
    store = MemoryStore()
    put_document(store, "r", "environment", {"git": {"diff": f'+{{"a": "{KEY}"}}'}, "variables": {"X_PASSWORD": "abc"}})
    found = document(store, "r", "environment")
    assert found == {"git": {"diff": '+{"a": "[redacted]"}'}, "variables": {"X_PASSWORD": "[redacted]"}}
    assert recorded_rows("facts", [("x", "no { json")]) == [("x", "no { json")]


PROGRAM = f"""
import trackbook as tb
run = tb.init("p", name="nightly", config={{"hub_token": {KEY!r}, "lr": 0.1}}, tags=[{KEY!r}], notes={WHERE!r})
assert run.config.hub_token == {KEY!r}  # the program goes on with what it gave
print({KEY!r})
tb.log({{"loss": 1.0}})
END
"""
ENDS: dict[str, str] = {
    "raises": f"raise ConnectionError({WHERE!r} + 'x' * 300_000)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "finishes": "run.notes = 'now ' + " + repr(KEY) + "; run.config.update(other=" + repr(KEY) + "); tb.finish()",
}


@pytest.mark.parametrize("end", ENDS)
def test_no_file_of_a_program_holds_its_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Neither the store, its log, the journal, an export nor a board's state contains them, in plain text or in JSON."""
    monkeypatch.setenv("TRACKBOOK_DIR", str(tmp_path))
    program = PROGRAM.replace("END", ENDS[end])
    path = tmp_path / "program.txt"  # a program that is not recorded: `-c`
    path.write_text(program)
    subprocess.run([sys.executable, "-c", f"exec(open({str(path)!r}).read())"], capture_output=True, check=False)
    path.unlink()

    def holders() -> list[str]:
        files = [each for each in tmp_path.rglob("*") if each.is_file()]
        return [
            each.name for each in files if any(secret in each.read_bytes() for secret in (KEY.encode(), b"hunter2222"))
        ]

    assert holders() == []
    run = tb.get_run("nightly", "p")
    assert run.config["hub_token"] == "[redacted]"
    assert run.config["lr"] == 0.1
    assert run.console()["text"].to_list()[:1] in ([], ["[redacted]"])
    tb.export("p", tmp_path / "x.parquet")
    board = tb.board("p")
    state = str({name: value for name, value in board.get_state().items() if name != "_esm"})
    assert KEY not in state
    assert "hunter2222" not in state
    assert len(str(board.keyframe)) < 100_000
    board.save(str(tmp_path / "board.html"))
    metadata = pl.read_parquet_metadata(tmp_path / "x.parquet")
    assert KEY not in str(metadata)
    assert "hunter2222" not in str(metadata)
    assert holders() == []


def test_an_open_runs_record_is_masked_and_its_config_is_not() -> None:
    with tb.init("p", config={"hub_token": KEY}, capture=False, mode="disabled") as run:
        assert run.config["hub_token"] == KEY
        assert run.record.config == {"hub_token": "[redacted]"}
        assert json.dumps(dataclasses.asdict(run.record)).count(KEY) == 0

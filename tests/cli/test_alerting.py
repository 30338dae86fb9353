from __future__ import annotations

import sys

import trackbook as tb
from command_lines import CommandLine, record, valid
from terminals import in_terminal, screen


def alerting(project: str = "digits") -> None:
    with tb.init(project=project, name="calm", display=False) as run:
        run.alert("Loss is low", "0.9", level="info")
        run.alert("Loss is NaN", level="error")


def test_alerts_are_listed_oldest_first(trackbook_command: CommandLine) -> None:
    alerting()
    lines = trackbook_command("alerts").out.splitlines()
    assert lines[1].split() == ["run", "time", "level", "times", "title", "text"]
    assert [line.split()[0] for line in lines[2:]] == ["calm", "calm"]
    assert "Loss is low" in lines[2]
    assert "Loss is NaN" in lines[3]


def test_alerts_of_a_run_from_a_level_on_as_json(trackbook_command: CommandLine) -> None:
    alerting()
    record("digits", "other")
    (row,) = valid("alerts", trackbook_command("alerts", "calm", "--level", "warn", "--json").json)
    assert (row["run"], row["title"], row["level"], row["times"], row["webhook"]) == (
        "calm",
        "Loss is NaN",
        "error",
        1,
        None,
    )
    assert trackbook_command("alerts", "other", "--json").json == []


def test_project_without_alerts_says_so(trackbook_command: CommandLine) -> None:
    record()
    assert trackbook_command("alerts").out == "project 'digits' has no such alerts\n"


def test_unknown_level_cannot_be_understood(trackbook_command: CommandLine) -> None:
    record()
    answer = trackbook_command("alerts", "--level", "loud")
    assert (answer.code, answer.out) == (2, "")
    assert "--level is 'info', 'warn', 'error', not 'loud'" in answer.err


def test_alerts_keep_their_short_columns_and_the_ends_of_names_in_a_terminal() -> None:
    for seed in range(2):
        with tb.init("p", f"llama-3-8b-instruct-grpo-lora-r16-bf16-seed{seed}", display=False, capture=False) as run:
            run.alert(
                "Loss is not finite anymore and training diverged", "the loss became NaN after a spike of the gradient"
            )
    shown = screen(in_terminal(sys.executable, "-m", "trackbook", "alerts", columns=80), 80)
    assert shown[1].split() == ["run", "time", "level", "times", "title", "text"]
    assert [(line.split()[0][-6:], "warn" in line.split()) for line in shown[2:]] == [
        ("-seed0", True),
        ("-seed1", True),
    ]

from __future__ import annotations

from command_lines import CommandLine, record, valid


def test_diff_tells_what_differs(trackbook_command: CommandLine) -> None:
    record(config={"lr": 0.1, "same": 1, "only": 2})
    record(name="second", config={"lr": 0.2, "same": 1})
    found = valid("diff", trackbook_command("diff", "first", "second", "--json").json)
    assert found["config"] == {"lr": {"first": 0.1, "second": 0.2}, "only": {"first": 2}}
    assert found["metrics"]["acc"] == {"first": 0.2, "second": 0.2}
    assert [run["name"] for run in found["runs"]] == ["first", "second"]
    out = trackbook_command("diff", "first", "second").out
    assert "lr" in out
    assert "same" not in out.splitlines()[2]


def test_diff_compares_runs_of_two_projects(trackbook_command: CommandLine) -> None:
    record("one", "alpha")
    record("two", "beta")
    found = valid("diff", trackbook_command("diff", "alpha", "beta", "--json").json)
    assert [run["project"] for run in found["runs"]] == ["one", "two"]


def test_diff_takes_two_different_runs(trackbook_command: CommandLine) -> None:
    record()
    answer = trackbook_command("diff", "first", "first")
    assert (answer.code, "given twice" in answer.err) == (2, True)

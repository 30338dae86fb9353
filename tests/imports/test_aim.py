"""`tests/peer_stores` imports from Aim; here its package is not installed, and its objects have stand-ins."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import PIL.Image
import pytest

from foreign_stores import imported
from trackbook.imports import aim
from trackbook.imports.intake import Intake
from trackbook.media.index import Row


def test_aims_package_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aim", None)
    (tmp_path / ".aim").mkdir()
    with pytest.raises(ValueError, match=r"which only Aim's package can read: pip install aim"):
        imported(tmp_path)


class Stored(SimpleNamespace):
    """An object of Aim, as it is in a repository."""

    def __init__(self, kind: str, content: Any, **storage: Any) -> None:
        super().__init__(AIM_NAME=f"aim.{kind}", storage={"data": SimpleNamespace(load=lambda: content), **storage})


class Distribution(Stored):
    def __init__(self, counts: list[int], bin_count: Any) -> None:
        super().__init__("distribution", b"")
        self.bin_count = bin_count
        self.to_np_histogram = lambda: (counts, list(range(bin_count + 1)))  # 10**12 of which there is no memory for


def png() -> bytes:
    file = io.BytesIO()
    PIL.Image.new("L", (3, 2)).save(file, "png")
    return file.getvalue()


def sequence(*values: Any) -> Any:
    steps = dict(enumerate(values))
    return SimpleNamespace(
        name="m",
        context=SimpleNamespace(to_dict=lambda: {"subset": "val"}),
        values=steps,
        timestamps={step: 100.0 + step for step in steps},
    )


def intake_into(rows: list[tuple[Any, ...]]) -> Intake:
    return Intake(
        lambda _: None,
        lambda _, found: rows.extend(found),
        lambda _: True,
        lambda *_: None,
        lambda _: {},
        keep_file=lambda _: None,
        keep_artifact=lambda *_: None,
    )


def told(*values: Any) -> tuple[list[tuple[Any, ...]], Intake]:
    """Return metric, step, time, item, kind and caption of the media that are told of values, and the `Intake`."""
    rows: list[tuple[Any, ...]] = []
    intake = intake_into(rows)
    aim._tell_media(sequence(*values), intake)
    found = [Row(*row) for row in rows]
    return [(row.metric, row.step, row.time, row.item, row.kind, row.caption) for row in found], intake


def test_objects_are_media() -> None:
    image = Stored("image", png(), caption="a cat", format="png")
    found, _ = told(
        image,
        [image, image],
        Stored("text", "words"),
        Distribution([1, 2], 2),
        Stored("audio", b"fLaC", caption="", format="flac"),
        Stored("figure", '{"data": [], "layout": {}}'),
    )
    assert found == [
        ("val/m", 0, 100.0, 0, "image", "a cat"),
        ("val/m", 1, 101.0, 0, "image", "a cat"),
        ("val/m", 1, 101.0, 1, "image", "a cat"),
        ("val/m", 2, 102.0, 0, "text", None),
        ("val/m", 3, 103.0, 0, "histogram", None),
        ("val/m", 4, 104.0, 0, "audio", None),
        ("val/m", 5, 105.0, 0, "plotly", None),
    ]


@pytest.mark.parametrize(
    "value",
    [
        Stored("image", png()[:-9], caption=""),
        Stored("image", "words", caption=""),
        Stored("image", png()),
        Stored("audio", b"fLaC", caption="", format="exe"),
        Stored("figure", "{"),
        Stored("unknown", b""),
        Distribution([1], 10**12),
        Distribution([1], "x"),
        Distribution([1, 2, 3], 2),
        None,
        [],
    ],
)
def test_broken_objects_are_counted(value: Any) -> None:
    found, intake = told(value, Stored("text", "words"))
    assert [(step, kind) for _, step, _, _, kind, _ in found] == [(1, "text")]
    assert intake.left_out == {"media that cannot be read": {"val/m": 1}}


class Opened(SimpleNamespace):
    """A run of Aim without metrics and media, whose terminal had these lines."""

    def __init__(self, *lines: Any) -> None:
        values = dict(enumerate(lines))
        logs = sequence(*lines)
        logs.name, logs.values = "logs", SimpleNamespace(items=values.items, last_value=lambda: lines[-1])
        logs.last_step = lambda: len(lines) - 1
        tree = SimpleNamespace(get=lambda name, other: 200.0 if name == "end_time" else other)
        about: dict[str, Any] = dict.fromkeys(("name", "description", "experiment"))
        super().__init__(
            **about,
            tags=[],
            archived=False,
            creation_time=99.0,
            meta_run_tree=tree,
            metrics=list,
            get_terminal_logs=lambda: logs if lines else None,
            iter_sequence_info_by_type=lambda _: [],
        )


def line(text: Any) -> Any:
    return SimpleNamespace(data=text)


def read(monkeypatch: pytest.MonkeyPatch, *lines: Any) -> tuple[str, list[tuple[Any, ...]], Intake]:
    """Return the stamp of a run with these lines, its rows of the console, and the `Intake`."""
    repo = SimpleNamespace(list_all_runs=lambda: ["r1"])
    monkeypatch.setitem(sys.modules, "aim", SimpleNamespace(Repo=lambda _: repo))
    monkeypatch.setattr(aim, "_opened", lambda *_: Opened(*lines))
    monkeypatch.setattr(aim, "_media_of", lambda _: [])
    (one,) = aim.KIND.runs(Path("x.aim"))
    assert one.size == (1 if lines else 0)
    rows: list[tuple[Any, ...]] = []
    intake = intake_into(rows)
    one.tell(intake)
    intake.end()
    return one.stamp, rows, intake


def test_lines_of_the_terminal_are_the_console(monkeypatch: pytest.MonkeyPatch) -> None:
    _, rows, intake = read(monkeypatch, line("one"), line(""), line("two"))
    assert rows == [(number, "stdout", text, 100.0 + number, None) for number, text in enumerate(["one", "", "two"])]
    assert intake.lost == []
    assert read(monkeypatch)[1] == []


def test_line_that_grows_changes_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = [read(monkeypatch, *map(line, texts))[0] for texts in (["a"], ["a b"], ["a", "b"], ["a"])]
    assert len(set(stamps)) == 3


@pytest.mark.parametrize("broken", [line(None), line(b"bytes"), line(3), SimpleNamespace()])
def test_line_of_an_unknown_form_is_said(monkeypatch: pytest.MonkeyPatch, broken: Any) -> None:
    _, rows, intake = read(monkeypatch, line("one"), broken)
    assert [row[2] for row in rows] == ["one"]
    assert len(intake.lost) == 1
    assert intake.lost[0].startswith("'val/logs' has an unknown form")

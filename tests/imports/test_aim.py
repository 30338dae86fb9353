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


def told(*values: Any) -> tuple[list[tuple[Any, ...]], Intake]:
    """Return metric, step, time, item, kind and caption of the media that are told of values, and the `Intake`."""
    rows: list[Row] = []
    intake = Intake(
        lambda _: None,
        lambda _, found: rows.extend(Row(*row) for row in found),
        lambda _: True,
        lambda *_: None,
        lambda _: {},
        keep_file=lambda _: None,
    )
    aim._tell_media(sequence(*values), intake)
    return [(row.metric, row.step, row.time, row.item, row.kind, row.caption) for row in rows], intake


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

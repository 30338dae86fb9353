"""What a board tells of media: which there are, and the answers to its front end's questions."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

import trackbook as tb
from processes import own_process
from trackbook.api.process import Process
from trackbook.boards import media_answers
from trackbook.boards.frame_source import FrameSource
from trackbook.boards.media_answers import MOST_STEPS, evenly
from trackbook.boards.publisher import Publisher
from trackbook.media.thumbnails import LARGEST, LONGEST_SIDE
from trackbook.store.memory import MemoryStore
from trackbook.tracking.run import Run, writer_of
from trackbook.types import RunRecord


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    with own_process(monkeypatch) as made:
        yield made


class View:
    """A board's publisher, with what it published."""

    def __init__(self, *runs: Run) -> None:
        store = writer_of(runs[0]).store
        source = FrameSource("p", store)
        for run in runs:
            writer_of(run).hand_over()
            source.add_run(run.id)
        self.published: dict[str, Any] = {}
        self.publisher = Publisher(source, self.published.__setitem__)
        self.published |= self.publisher.opening()

    def ask(self, ask: str, **fields: Any) -> tuple[dict[str, Any], list[bytes]]:
        return self.publisher.answer({"ask": ask, **fields})

    def data(self, ask: str, **fields: Any) -> Any:
        answer, buffers = self.ask(ask, **fields)
        assert "error" not in answer
        assert not buffers
        return answer

    def error(self, ask: str, **fields: Any) -> str:
        answer, buffers = self.ask(ask, **fields)
        assert not buffers
        return str(answer["error"])


def image(shade: int, side: int = 2) -> tb.Image:
    return tb.Image(np.full((side, side), shade, np.uint8))


def test_board_knows_which_media_there_are() -> None:
    run, other = tb.init("p"), tb.init("p", reinit="create_new")
    run.log({"a/image": [image(1), image(2)], "loss": 1})
    run.log({"a/image": image(3), "text": tb.Text("x")})
    other.log({"a/image": image(3)}, step=9)
    view = View(run, other)
    assert view.published["media"] == {
        "metrics": {
            "a/image": {"kind": "image", "count": 3},
            "text": {"kind": "text", "count": 1},
        }
    }


def test_board_learns_of_new_media() -> None:
    run = tb.init("p")
    view = View(run)
    assert view.published["media"] == {"metrics": {}}
    run.log({"a": image(1)})
    writer_of(run).hand_over()
    view.publisher.tick(1e9)
    assert view.published["media"]["metrics"]["a"] == {"kind": "image", "count": 1}
    before = view.published["media"]
    view.publisher.tick(1e9 + 5)
    assert view.published["media"] is before


def test_window_has_the_items_of_its_steps() -> None:
    run, other = tb.init("p"), tb.init("p", reinit="create_new")
    for step in (5, 2, 9):
        run.log({"a": [image(step), image(step + 1)], "b": image(0)}, step=step)
    other.log({"a": image(4)}, step=9)
    view = View(run, other)
    found = view.data("media_window", metric="a", runs=[other.id, run.id], steps=[9, 3, 2])
    assert [(each["run"], each["step"], each["item"]) for each in found["items"]] == [
        (other.id, 9, 0),
        (run.id, 2, 0),
        (run.id, 2, 1),
        (run.id, 9, 0),
        (run.id, 9, 1),
    ]
    assert not found["more"]
    assert "steps" in view.error("media_window", metric="a", runs=[run.id], steps="all")


def test_many_thumbnails_come_in_one_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init("p")
    run.log({"a": [image(shade, side=300) for shade in range(3)], "text": tb.Text("x")})
    view = View(run)
    items = view.data("media_at", metric="a", runs=[run.id], step=0)["items"]
    (text,) = view.data("media_at", metric="text", runs=[run.id], step=0)["items"]
    monkeypatch.setattr(media_answers, "THUMBNAIL_SECONDS", 600)
    names = [items[0]["file"], text["file"], "nothing.png", items[1]["file"]]
    answer, buffers = view.ask("thumbnails", files=names)
    assert [kind is None for kind in answer["mimes"]] == [False, True, True, False]
    assert [len(data) > 0 for data in buffers] == [True, False, False, True]
    monkeypatch.setattr(media_answers, "THUMBNAIL_SECONDS", 0)  # the time is over after the first one
    answer, buffers = view.ask("thumbnails", files=names)
    assert len(answer["mimes"]) == len(buffers) == 1
    assert "files" in view.error("thumbnails", files="all")


def test_steps_and_items_of_each_run() -> None:
    run, other = tb.init("p"), tb.init("p", reinit="create_new")
    for step in (5, 2, 9):
        run.log({"a": [image(step), tb.Image([[step]], caption="second")]}, step=step)
    other.log({"a": image(4)}, step=4)
    view = View(run, other)
    both = [run.id, other.id]
    assert view.data("media", metric="a", runs=both) == {"steps": {run.id: [2, 5, 9], other.id: [4]}, "thinned": False}
    items = view.data("media_at", metric="a", runs=both, step=6)["items"]
    assert [(each["run"], each["step"], each["item"]) for each in items] == [
        (run.id, 5, 0),
        (run.id, 5, 1),
        (other.id, 4, 0),
    ]
    second = items[1]
    assert (second["kind"], second["mime"], second["caption"]) == ("image", "image/png", "second")
    assert second["about"] == {"width": 1, "height": 1}
    assert view.data("media_at", metric="a", runs=both, step=1)["items"] == []
    assert view.data("media_at", metric="nothing", runs=both, step=9)["items"] == []


def test_many_steps_are_thinned_evenly() -> None:
    assert evenly(range(10), 4) == [0, 3, 6, 9]
    assert evenly(range(3), 1) == [2]
    store = MemoryStore()
    store.put_run(RunRecord("r", "run", started=0.0))
    rows = [(n, "a", n, 0.0, 0, "text", None, 0, "", None, "{}") for n in range(MOST_STEPS + 10)]
    store.put_captured("r", "media", rows)
    source = FrameSource("p", store)
    source.add_run("r")
    answer, _ = Publisher(source, lambda *_: None).answer({"ask": "media", "metric": "a", "runs": ["r"]})
    assert answer["thinned"]
    assert (len(answer["steps"]["r"]), answer["steps"]["r"][0], answer["steps"]["r"][-1]) == (
        MOST_STEPS,
        0,
        MOST_STEPS + 9,
    )


def test_file_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init("p")
    run.log({"a": tb.Text("0123456789")})
    view = View(run)
    (item,) = view.data("media_at", metric="a", runs=[run.id], step=0)["items"]
    monkeypatch.setattr(media_answers, "PART_BYTES", 4)
    parts = [view.ask("media_file", file=item["file"], **{"from": start}) for start in (0, 4, 8)]
    assert [answer for answer, _ in parts] == [{"size": 10, "mime": "text/plain"}] * 3
    assert b"".join(data for _, (data,) in parts) == b"0123456789"


@pytest.mark.parametrize("name", ["../../p.trackbook.db", "/etc/passwd", "", None, "0" * 64 + ".png/../../x", ".lock"])
@pytest.mark.parametrize("ask", ["media_file", "table_rows"])
def test_only_media_files_are_read(ask: str, name: Any) -> None:
    run = tb.init("p")
    run.log({"a": image(1)})
    assert View(run).error(ask, file=name)


@pytest.mark.parametrize("name", ["../../p.trackbook.db", "/etc/passwd", "", ".lock"])
def test_only_media_files_have_thumbnails(name: str) -> None:
    run = tb.init("p")
    run.log({"a": image(1)})
    assert View(run).ask("thumbnails", files=[name]) == ({"mimes": [None]}, [b""])


def test_file_that_is_gone_is_an_error() -> None:
    run = tb.init("p")
    run.log({"a": image(1)})
    assert "is not there" in View(run).error("media_file", file="0" * 64 + ".png")


@pytest.mark.parametrize(
    "make", [lambda: np.random.default_rng(1).integers(0, 255, (900, 600, 3), np.uint8), lambda: np.zeros((3, 2000))]
)
def test_thumbnail_is_small_and_kept(make: Any) -> None:
    run = tb.init("p")
    run.log({"a": tb.Image(make())})
    view = View(run)
    (item,) = view.data("media_at", metric="a", runs=[run.id], step=0)["items"]
    answer, (data,) = view.ask("thumbnails", files=[item["file"]])
    assert answer == {"mimes": ["image/webp"]}
    assert len(data) <= LARGEST
    assert max(PIL.Image.open(io.BytesIO(data)).size) <= LONGEST_SIDE
    path = run.media("a")[0].path
    assert path is not None
    path.with_name(path.name + ".thumb").write_bytes(b"kept")
    assert view.ask("thumbnails", files=[item["file"]])[1] == [b"kept"]


def test_thumbnail_that_cannot_be_kept_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    run = tb.init("p")
    run.log({"a": tb.Image(np.zeros((4, 4)))})
    view = View(run)
    (item,) = view.data("media_at", metric="a", runs=[run.id], step=0)["items"]
    path = run.media("a")[0].path
    assert path is not None
    write_bytes = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        write_bytes(self, data[:5])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert view.ask("thumbnails", files=[item["file"]])[0] == {"mimes": ["image/webp"]}
    assert [*path.parent.iterdir()] == [path]


def test_thumbnail_of_a_video_is_its_first_frame() -> None:
    run = tb.init("p")
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    frames[0, :, :, 0] = 255
    run.log({"a": tb.Video(frames, format="gif")})
    view = View(run)
    (item,) = view.data("media_at", metric="a", runs=[run.id], step=0)["items"]
    _, (data,) = view.ask("thumbnails", files=[item["file"]])
    red, green, _ = PIL.Image.open(io.BytesIO(data)).convert("RGB").getpixel((4, 4))  # type: ignore[misc]
    assert red > 200
    assert green < 60


def test_what_is_no_picture_has_no_thumbnail() -> None:
    run = tb.init("p")
    run.log({"a": tb.Text("x")})
    view = View(run)
    (item,) = view.data("media_at", metric="a", runs=[run.id], step=0)["items"]
    assert view.ask("thumbnails", files=[item["file"]]) == ({"mimes": [None]}, [b""])


def test_rows_of_a_table_are_sorted_filtered_and_paged() -> None:
    run = tb.init("p")
    table = tb.Table(columns=["n", "s"], data=[[number, f"row {number}"] for number in range(5)])
    table.add_data(float("nan"), "Last")
    table.add_data(None, None)
    run.log({"t": table})
    view = View(run)
    (item,) = view.data("media_at", metric="t", runs=[run.id], step=0)["items"]

    def rows(**question: Any) -> Any:
        return view.data("table_rows", file=item["file"], **question)

    assert rows()["columns"] == [{"name": "n", "type": "number"}, {"name": "s", "type": "string"}]
    assert (rows()["total"], rows()["rows"][5:]) == (7, [["NaN", "Last"], [None, None]])
    assert [row[0] for row in rows(sort="n", descending=True, count=3)["rows"]] == ["NaN", 4, 3]
    assert [row[0] for row in rows(sort="n", **{"from": 1, "count": 2})["rows"]] == [1, 2]
    assert rows(filter="LAST") == {**rows(), "rows": [["NaN", "Last"]], "total": 1}
    assert rows(filter="(")["total"] == 0
    assert "no column 'x'" in view.error("table_rows", file=item["file"], sort="x")


def test_filter_of_a_table_finds_media_by_their_captions_only() -> None:
    run = tb.init("p")
    cells = [tb.Image([[1]], caption="A Cat"), tb.Image([[2]]), None]
    run.log({"t": tb.Table(columns=["i", "k"], data=[[cell, {"key": number}] for number, cell in enumerate(cells)])})
    view = View(run)
    (item,) = view.data("media_at", metric="t", runs=[run.id], step=0)["items"]
    totals = {
        text: view.data("table_rows", file=item["file"], filter=text)["total"]
        for text in ("cat", "png", "image", "null", "key", "2")
    }
    assert totals == {"cat": 1, "png": 0, "image": 0, "null": 0, "key": 3, "2": 1}


def test_histograms_over_steps() -> None:
    run = tb.init("p")
    for step in range(10):
        run.log({"h": tb.Histogram([step, step + 1], num_bins=1)})
    answer = View(run).data("histograms", metric="h", run=run.id, most=4)
    assert answer["steps"] == [0, 3, 6, 9]
    assert answer["items"][1] == {"edges": [3.0, 4.0], "counts": [2]}


@pytest.mark.parametrize(
    ("ask", "fields", "said"),
    [
        ("media", {"metric": 3, "runs": []}, "metric is a text"),
        ("media", {"metric": "a", "runs": "r"}, "runs is a list of ids"),
        ("media_at", {"metric": "a", "runs": [], "step": "1"}, "step is a whole number"),
        ("asset", {"name": "../secret"}, "there is no asset"),
    ],
)
def test_bad_question_is_answered_with_an_error(ask: str, fields: Any, said: str) -> None:
    assert said in View(tb.init("p")).error(ask, **fields)


def test_runs_without_files_say_so() -> None:
    source = FrameSource("p", MemoryStore())
    answer, _ = Publisher(source, lambda *_: None).answer({"ask": "media_file", "file": "0" * 64 + ".png"})
    assert answer == {"error": "these runs have no media files"}


def test_asset_is_a_built_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(media_answers, "built_file", lambda name: f"// {name}")
    view = View(tb.init("p"))
    answer, buffers = view.ask("asset", name="media.js")
    assert (answer["mime"], buffers) == ("text/javascript", [b"// media.js"])
    monkeypatch.setattr(media_answers, "built_file", lambda _: "// other")
    assert view.ask("asset", name="media.js")[0]["version"] != answer["version"]

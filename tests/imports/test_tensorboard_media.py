from __future__ import annotations

import io
import itertools
import json
import math
import struct
import warnings
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trackbook as tb
from foreign_stores import event, imported, message, said, simple, tf_record, values
from trackbook.imports.importing import ImportProgress, import_source
from trackbook.media.index import Row
from trackbook.store.content_files import ContentFiles
from trackbook.store.sqlite import SqliteStore
from trackbook.user_warnings import TrackbookWarning

LOWEST = -1.7976931348623157e308


def log(folder: Path, *events: bytes, name: str = "events.out.tfevents.100.host") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"".join(map(tf_record, (event(0, time=100.0), *events))))
    return folder


def tensor(tag: str, proto: bytes, plugin: str) -> bytes:
    return message((1, tag), (8, proto), (9, message((1, message((1, plugin))))))


def strings(*values: bytes, shape: Sequence[int] = ()) -> bytes:
    return message((1, 7), (2, dimensions(shape)), *((8, value) for value in values))


def dimensions(shape: Sequence[int]) -> bytes:
    return b"".join(message((2, message((1, size)))) for size in shape)


def doubles(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def rows_of_buckets(*rows: Sequence[float]) -> bytes:
    content = doubles(*(number for row in rows for number in row))
    return message((1, 2), (2, dimensions((len(rows), 3))), (4, content))


def histogram(low: float, high: float, limits: Sequence[float], counts: Sequence[float]) -> bytes:
    return message((1, float(low)), (2, float(high)), (6, doubles(*limits)), (7, doubles(*counts)))


def picture(value: int = 7, kind: str = "png") -> bytes:
    file = io.BytesIO()
    PIL.Image.new("L", (3, 2), value).save(file, kind)
    return file.getvalue()


def sound() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, 8000, 4, "NONE", ""))
        writer.writeframes(bytes(8))
    return file.getvalue()


def media(store: SqliteStore, path: Path, **more: Any) -> list[Row]:
    """Import a run, and return its media."""
    ((_, record),) = import_source(path, None, lambda _: store, **more)
    return [Row(*row) for row in store.captured(record.id, "media")]


def content(store: SqliteStore, row: Row) -> bytes:
    assert row.file is not None
    return ContentFiles(store.files_folder).read(row.file)


def test_messages_of_summaries_are_media(tmp_path: Path, store: SqliteStore) -> None:
    gif = picture(kind="gif")
    events = [
        event(3, message((1, "picture"), (4, message((1, 2), (2, 3), (3, 1), (4, picture()))))),
        event(4, message((1, "film"), (4, message((4, gif))))),
        event(5, message((1, "sound"), (6, message((2, 1), (4, sound()), (5, "audio/wav"))))),
        event(6, message((1, "weights"), (5, histogram(-1, 9, [LOWEST, 0, 5, 8, -LOWEST], [0, 2, 0, 3, 0])))),
    ]
    found = media(store, log(tmp_path / "exp", *events))
    assert [(row.metric, row.kind, row.mime, row.step, row.time) for row in found] == [
        ("picture", "image", "image/png", 3, 104.0),
        ("film", "image", "image/gif", 4, 105.0),
        ("sound", "audio", "audio/wav", 5, 106.0),
        ("weights", "histogram", "", 6, 107.0),
    ]
    assert [content(store, row) for row in found[:3]] == [picture(), gif, sound()]
    assert (found[0].described["width"], found[0].described["height"]) == (3, 2)
    assert found[2].described == {"duration": 0.0005, "rate": 8000, "channels": 1}
    assert found[3].described == {"edges": [-1, 0, 5, 9], "counts": [2, 0, 3]}


def test_tensors_of_plugins_are_media(tmp_path: Path, store: SqliteStore) -> None:
    events = [
        event(1, tensor("pictures", strings(b"3", b"2", picture(1), picture(2), shape=[4]), "images")),
        event(2, tensor("sounds", strings(sound(), b"a bell", shape=[1, 2]), "audio")),
        event(3, tensor("weights", rows_of_buckets((0, 1, 4), (1, 3, 0)), "histograms")),
        event(4, tensor("words", strings(b"*one*"), "text"), tensor("more", strings(b"a", b"b", shape=[2]), "text")),
        event(5, tensor("table", strings(b"a", b"b", b"c", b"d", shape=[2, 2]), "text")),
        event(6, message((1, "words"), (8, strings(b"two")))),  # only the first event of a tag names the plugin
    ]
    found = media(store, log(tmp_path / "exp", *events))
    assert [(row.metric, row.step, row.item, row.kind, row.caption) for row in found] == [
        ("pictures", 1, 0, "image", None),
        ("pictures", 1, 1, "image", None),
        ("sounds", 2, 0, "audio", "a bell"),
        ("weights", 3, 0, "histogram", None),
        ("words", 4, 0, "markdown", None),
        ("more", 4, 0, "markdown", None),
        ("more", 4, 1, "markdown", None),
        ("table", 5, 0, "table", None),
        ("words", 6, 0, "markdown", None),
    ]
    assert [content(store, row) for row in found[:2]] == [picture(1), picture(2)]
    assert found[3].described == {"edges": [0, 1, 3], "counts": [4, 0]}
    assert [content(store, found[at]) for at in (4, 5, 6, 8)] == [b"*one*", b"a", b"b", b"two"]


def test_narrow_ones_of_many_buckets_are_put_together(tmp_path: Path, store: SqliteStore) -> None:
    edges = [*(number / 1024 for number in range(1025)), *range(2, 257)]
    rows = [(left, right, 2) for left, right in itertools.pairwise(edges)]
    same = [(5, 5, 0)] * 600 + [(5, 5, 7)]
    events = [tensor(name, rows_of_buckets(*all_), "histograms") for name, all_ in (("w", rows), ("same", same))]
    found = {one.metric: one.described for one in media(store, log(tmp_path / "exp", event(0, *events)))}
    assert found["w"] == {"edges": [*range(257)], "counts": [2048] + [2] * 255}
    assert found["same"] == {"edges": [5, 5], "counts": [7]}


def curve(*columns: Sequence[float], rows: int = 6) -> bytes:
    """Return the tensor of a curve, of true and false positives and negatives, precision and recall at each threshold."""
    numbers = [column[row] for row in range(rows) for column in columns]
    return message((1, 2), (2, dimensions((rows, len(columns)))), (4, doubles(*numbers)))


COUNTS = [(3, 1, 0, 0, 0.75, 1), (2, 0, 1, 1, 1, 0.625), (0, 0, 1, 3, 0, 0), (0, 0, 1, 3, 0, 0)]


def test_precision_and_recall_are_a_chart(tmp_path: Path, store: SqliteStore) -> None:
    proto = curve(*COUNTS)
    path = log(tmp_path / "exp", event(1, tensor("pr", proto, "pr_curves")), event(2, message((1, "pr"), (8, proto))))
    found = media(store, path)
    assert [(row.metric, row.kind, row.step, row.time) for row in found] == [
        ("pr", "chart", 1, 102.0),
        ("pr", "chart", 2, 103.0),
    ]
    spec = json.loads(content(store, found[0]))
    (rows,) = [spec["data"]["values"]] if "values" in spec["data"] else spec["datasets"].values()
    assert rows == [  # without thresholds that nothing reaches
        {"x": 0.625, "y": 1, "class": "1", "place": 0},
        {"x": 1, "y": 0.75, "class": "1", "place": 1},
    ]
    ours = tb.plot.pr_curve([0, 1], [0.1, 0.9]).to_dict()
    assert {key: spec[key] for key in ("mark", "encoding", "title")} == {
        key: ours[key] for key in ("mark", "encoding", "title")
    }


BROKEN = {
    "cut off": message((1, "m"), (4, message((4, picture()[:-9])))),
    "no image": message((1, "m"), (4, message((4, "words")))),
    "empty": message((1, "m"), (4, b"")),
    "a number": message((1, "m"), (4, message((4, 9)))),
    "no sound": message((1, "m"), (6, message((4, "words")))),
    "too many pixels": message((1, "m"), (4, message((4, picture()[:16] + struct.pack(">II", 60_000, 60_000))))),
    "counts without limits": message((1, "m"), (5, histogram(0, 1, [1], [1, 2]))),
    "negative counts": message((1, "m"), (5, histogram(0, 1, [1, 2, 3], [1, -2, 1]))),
    "edges that descend": message((1, "m"), (5, histogram(9, 1, [1, 2], [1, 2]))),
    "edges without an end": message((1, "m"), (5, histogram(0, math.inf, [1, 2], [1, 2]))),
    "no buckets": message((1, "m"), (5, histogram(0, 0, [], []))),
    "a shape too large": tensor("m", message((1, 2), (2, dimensions((2**40, 3))), (6, 1.0)), "histograms"),
    "a negative shape": tensor("m", message((1, 2), (2, dimensions((-1, 3))), (6, 1.0)), "histograms"),
    "another shape": tensor("m", message((1, 2), (2, dimensions((3,))), (4, doubles(0, 1, 2))), "histograms"),
    "gaps": tensor("m", rows_of_buckets((0, 1, 4), (2, 3, 0)), "histograms"),
    "half a number": tensor("m", message((1, 2), (2, dimensions((1, 3))), (4, bytes(23))), "histograms"),
    "numbers for strings": tensor("m", rows_of_buckets((0, 1, 4)), "images"),
    "many strings": tensor("m", strings(*[b""] * 1001, shape=[1001]), "text"),
    "a curve of other rows": tensor("m", curve(*COUNTS, rows=5), "pr_curves"),
    "a curve without points": tensor("m", message((1, 2), (2, dimensions((6, 0)))), "pr_curves"),
    "a curve without an end": tensor("m", curve((3, 1, 0, 0, math.nan, 1)), "pr_curves"),
    "no text": tensor("m", strings(shape=[0]), "text"),
    "no picture": tensor("m", strings(b"3", b"2", shape=[2]), "images"),
}


@pytest.mark.parametrize("what", list(BROKEN))
def test_broken_media_are_counted_and_the_others_are_read(tmp_path: Path, store: SqliteStore, what: str) -> None:
    good = message((1, "good"), (4, message((4, picture()))))
    path = log(tmp_path / "exp", event(1, BROKEN[what], good, simple("loss", 1.0)))
    with pytest.warns(match="1 media that cannot be read are left out: 'm'"):
        (found,) = media(store, path)
    assert found.metric == "good"


GOOD = [
    message((1, "m"), (4, message((1, 2), (2, 3), (4, picture())))),
    message((1, "m"), (6, message((2, 1), (4, sound())))),
    message((1, "m"), (5, histogram(-1, 9, [LOWEST, 0, 5, 8, -LOWEST], [0, 2, 0, 3, 0]))),
    tensor("m", strings(b"3", b"2", picture(1), picture(2), shape=[4]), "images"),
    tensor("m", strings(sound(), b"a bell", shape=[1, 2]), "audio"),
    tensor("m", rows_of_buckets((0, 1, 4), (1, 3, 0)), "histograms"),
    tensor("m", strings(b"a", b"b", b"c", b"d", shape=[2, 2]), "text"),
    tensor("m", curve(*COUNTS), "pr_curves"),
]
DAMAGE = st.tuples(st.floats(0, 0.999), st.integers(0, 8), st.binary(max_size=8))  # place, bytes removed, bytes added


@settings(max_examples=60, deadline=None)
@given(damaged=st.lists(st.tuples(st.sampled_from(GOOD), st.lists(DAMAGE, min_size=1, max_size=4)), max_size=12))
def test_damaged_media_hide_no_points(
    tmp_path_factory: pytest.TempPathFactory, damaged: list[tuple[bytes, list[tuple[float, int, bytes]]]]
) -> None:
    events = []
    for whole, changes in damaged:
        data = whole
        for place, removed, added in changes:
            at = int(place * len(data))
            data = data[:at] + added + data[at + removed :]
        events.append(event(1, data))
    path = log(tmp_path_factory.getbasetemp() / "damaged media", *events, event(2**50, simple("last", 1.5)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrackbookWarning)
        record, store = imported(path)
    assert values(store, record.id)["last"][-1] == 1.5


def test_negative_steps_and_tags_without_a_name_are_left_out(
    tmp_path: Path, store: SqliteStore, recwarn: pytest.WarningsRecorder
) -> None:
    image = message((4, picture()))
    path = log(tmp_path / "exp", event(-1, message((1, "m"), (4, image))), event(0, message((4, image))))
    assert media(store, path) == []
    assert said(recwarn) == [
        "1 media at negative steps are left out: 'm'",
        "1 media without a name are left out: ''",
    ]


def test_run_that_has_grown_gets_the_rest_of_its_media(tmp_path: Path, store: SqliteStore) -> None:
    def image(step: int) -> bytes:
        return event(step, *(message((1, name), (4, message((4, picture(step))))) for name in "ab"))

    told: list[ImportProgress] = []
    path = log(tmp_path / "exp", image(0), image(1))
    first = media(store, path, progress=told.append)
    assert [one.media for one in told] == [1, 2, 3, 4, 4, 4]
    assert (told[-1].points, told[-1].fraction) == (0, 1.0)
    assert media(store, path) == first
    log(path, image(2), name="events.out.tfevents.200.host")
    second = media(store, path)
    assert second[:4] == first
    assert [(row.metric, row.step) for row in second[4:]] == [("a", 2), ("b", 2)]


@pytest.mark.parametrize("stops_after", [1, 3])
def test_interrupted_import_goes_on_with_its_media(tmp_path: Path, store: SqliteStore, stops_after: int) -> None:
    path = log(
        tmp_path / "exp", *(event(step, message((1, "m"), (4, message((4, picture(step)))))) for step in range(4))
    )

    def stop(told: ImportProgress) -> None:
        if told.media == stops_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_source(path, None, lambda _: store, stop)
    ((_, record),) = import_source(path, None, lambda _: store)
    with store.reopened() as again:
        found = [Row(*row) for row in again.captured(record.id, "media")]
        assert (again.run(record.id) or record).state == "finished"
    assert [(row.step, content(store, row)) for row in found] == [(step, picture(step)) for step in range(4)]


def test_file_that_grows_before_another_doubles_no_media(tmp_path: Path, store: SqliteStore) -> None:
    def image(step: int, time: float) -> bytes:
        return event(step, message((1, "m"), (4, message((4, picture())))), time=float(time))

    path = log(tmp_path / "exp", image(0, 1000))
    log(path, *(image(step, 1000 + step) for step in (1, 3)), name="events.out.tfevents.200.host")
    media(store, path)
    log(path, image(0, 1000), image(2, 1002), image(4, 1004))
    assert sorted(row.step for row in media(store, path)) == [0, 1, 2, 3, 4]


def test_restart_replaces_the_media_that_it_writes_again(tmp_path: Path, store: SqliteStore) -> None:
    def image(step: int, value: int) -> bytes:
        return event(step, message((1, "m"), (4, message((4, picture(value))))), time=1000.0 + value)

    path = log(tmp_path / "exp", *(image(step, step) for step in range(4)))
    media(store, path)
    log(
        path, event(2, _7=message((1, 1))), image(2, 12), image(5, 15), name="events.out.tfevents.200.host"
    )  # step 3 is not written again
    for _ in range(2):
        found = media(store, path)
        assert [(row.step, content(store, row)) for row in found] == [
            (step, picture(value)) for step, value in [(0, 0), (1, 1), (2, 12), (5, 15)]
        ]
        (path / "events.out.tfevents.200.host").touch()


def test_times_of_a_run_are_those_of_its_media(tmp_path: Path, store: SqliteStore) -> None:
    image = message((1, "m"), (4, message((4, picture()))))
    path = log(tmp_path / "exp", event(0, image, time=500.0), event(1, image, time=600.0))
    ((_, record),) = import_source(path, None, lambda _: store)
    assert (record.started, record.ended) == (500.0, 600.0)

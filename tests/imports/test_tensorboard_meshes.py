from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_stores import event, imported, message, said, simple, tf_record, values, varint
from trackbook.imports.importing import import_source
from trackbook.media.index import Row
from trackbook.store.content_files import ContentFiles
from trackbook.store.sqlite import SqliteStore
from trackbook.user_warnings import TrackbookWarning

POINTS, FACES, COLORS = 1, 2, 3
FORMS = {1: "f", 2: "d", 3: "i", 4: "B", 9: "q"}
SQUARE = [0.0, 0.0, 0.5, 1.0, 0.0, 0.5, 0.0, 1.0, 0.5, 1.0, 1.0, 0.5]
RED_TO_WHITE = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255]
TWO_FACES = [0, 1, 2, 1, 3, 2]
PLY = b"ply\nformat binary_little_endian 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
COLORED = PLY + b"property uchar red\nproperty uchar green\nproperty uchar blue\n"
WITH_FACES = b"element face 2\nproperty list uchar int vertex_indices\nend_header\n"


def log(folder: Path, *events: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "events.out.tfevents.100.host"
    path.write_bytes(b"".join(map(tf_record, (event(0, time=100.0), *events))))
    return folder


def tensor(numbers: Sequence[float], shape: Sequence[int], dtype: int = 1) -> bytes:
    dimensions = b"".join(message((2, message((1, size)))) for size in shape)
    return message((1, dtype), (2, dimensions), (4, struct.pack(f"<{len(numbers)}{FORMS[dtype]}", *numbers)))


def part(kind: int, proto: bytes, *parts: int, name: str = "square") -> bytes:
    """Return a value of a summary, which says what parts the mesh has unless there are none."""
    content = message((2, name), (3, kind), *([(7, sum(1 << one for one in parts))] if parts else []))
    return message((1, f"{name}_{kind}"), (8, proto), (9, message((1, message((1, "mesh"), (2, content))))))


def points(*parts: int, name: str = "square") -> bytes:
    return part(POINTS, tensor(SQUARE, (1, 4, 3)), *parts, name=name)


def faces(*parts: int) -> bytes:
    return part(FACES, tensor(TWO_FACES, (1, 2, 3), 3), *parts)


def colors(*parts: int) -> bytes:
    return part(COLORS, tensor(RED_TO_WHITE, (1, 4, 3), 4), *parts)


def packed(form: str, *rows: Sequence[float]) -> bytes:
    return b"".join(struct.pack(form, *row) for row in rows)


def rows_of(numbers: Sequence[float]) -> list[Sequence[float]]:
    return [numbers[at : at + 3] for at in range(0, len(numbers), 3)]


CORNERS = packed("<3f", *rows_of(SQUARE))
COLORED_CORNERS = packed(
    "<3f3B", *((*at, *color) for at, color in zip(rows_of(SQUARE), rows_of(RED_TO_WHITE), strict=True))
)
PACKED_FACES = packed("<B3i", (3, 0, 1, 2), (3, 1, 3, 2))


def meshes(store: SqliteStore, path: Path) -> list[tuple[str, int, int, float, bytes]]:
    """Import a run, and return name, step, item, time and file of its meshes."""
    ((_, record),) = import_source(path, None, lambda _: store)
    found = [Row(*row) for row in store.captured(record.id, "media")]
    assert {(row.kind, row.mime, row.described["format"]) for row in found} <= {("object3d", "model/ply", "ply")}
    files = ContentFiles(store.files_folder)
    return [(row.metric, row.step, row.item, row.time, files.read(row.file or "")) for row in found]


def test_parts_of_one_event_are_a_mesh(tmp_path: Path, store: SqliteStore) -> None:
    events = [event(3, points(), faces(), colors()), event(4, points(), faces()), event(5, points())]
    assert meshes(store, log(tmp_path / "exp", *events)) == [
        ("square", 3, 0, 104.0, COLORED + WITH_FACES + COLORED_CORNERS + PACKED_FACES),
        ("square", 4, 0, 105.0, PLY + WITH_FACES + CORNERS + PACKED_FACES),
        ("square", 5, 0, 106.0, PLY + b"end_header\n" + CORNERS),
    ]


def test_parts_of_several_events_are_a_mesh(tmp_path: Path, store: SqliteStore) -> None:
    all_ = POINTS, FACES, COLORS
    events = []
    for step in range(2):
        events += [event(step, points(*all_)), event(step, points(POINTS, name="cloud")), event(step, faces(*all_))]
        events += [event(step, colors(*all_), time=999.0)]
    whole = COLORED + WITH_FACES + COLORED_CORNERS + PACKED_FACES
    cloud = PLY + b"end_header\n" + CORNERS
    assert meshes(store, log(tmp_path / "exp", *events)) == [
        ("cloud", 0, 0, 101.0, cloud),
        ("square", 0, 0, 101.0, whole),
        ("cloud", 1, 0, 102.0, cloud),
        ("square", 1, 0, 102.0, whole),
    ]


def test_meshes_of_a_batch_are_media_of_one_step(tmp_path: Path, store: SqliteStore) -> None:
    twice = tensor([*SQUARE, *(2 * number for number in SQUARE)], (2, 4, 3), 2)
    large = packed("<3f", *rows_of([2 * number for number in SQUARE]))
    found = meshes(store, log(tmp_path / "exp", event(1, part(POINTS, twice))))
    assert [(item, content) for _, _, item, _, content in found] == [
        (0, PLY + b"end_header\n" + CORNERS),
        (1, PLY + b"end_header\n" + large),
    ]


SIZES = b"".join(message((2, message((1, size)))) for size in (1, 2, 3))
NUMBERS = {
    "longs": tensor(TWO_FACES, (1, 2, 3), 9),
    "floats": tensor(TWO_FACES, (1, 2, 3)),
    "packed varints": message((1, 3), (2, SIZES), (7, b"".join(map(varint, TWO_FACES)))),
    "varints": message((1, 9), (2, SIZES), *((10, place) for place in TWO_FACES)),
}


@pytest.mark.parametrize("what", list(NUMBERS))
def test_faces_are_numbers_of_any_type(tmp_path: Path, store: SqliteStore, what: str) -> None:
    ((*_, content),) = meshes(store, log(tmp_path / "exp", event(1, points(), part(FACES, NUMBERS[what]))))
    assert content == PLY + WITH_FACES + CORNERS + PACKED_FACES


def test_meshes_of_which_parts_are_missing_are_counted(
    tmp_path: Path, store: SqliteStore, recwarn: pytest.WarningsRecorder
) -> None:
    both = POINTS, FACES
    events = [event(0, points(*both)), event(1, points(*both)), event(1, faces(*both)), event(2, faces(*both))]
    events += [event(3, *(points(*both, name=f"m{number}") for number in range(20)))]
    events += [event(4, part(9, tensor(SQUARE, (1, 4, 3)), name="later")), event(5, simple("loss", 1.0))]
    assert [step for _, step, *_ in meshes(store, log(tmp_path / "exp", *events))] == [1]
    assert said(recwarn) == [
        "22 meshes of which parts are missing are left out: 'square', 'm0', 'm1', 'm2', 'm3' and 16 more",
        "1 parts of meshes of an unknown kind are left out: 'later_9'",
    ]


BROKEN = {
    "no points": [faces()],
    "another shape": [part(POINTS, tensor(SQUARE, (4, 3)))],
    "other rows": [part(POINTS, tensor(SQUARE, (1, 3, 4)))],
    "an empty batch": [part(POINTS, tensor([], (2**40, 0, 3)))],
    "faces of an empty batch": [part(POINTS, tensor([], (0, 4, 3))), part(FACES, tensor([], (2**40, 0, 3), 3))],
    "a batch of other size": [points(), part(FACES, tensor(TWO_FACES, (2, 1, 3), 3))],
    "a negative shape": [part(POINTS, tensor(SQUARE, (-1, -4, 3)))],
    "too many numbers": [part(POINTS, tensor([], (1, 2**40, 3)))],
    "half a number": [part(POINTS, tensor(SQUARE, (1, 4, 3))[:-3])],
    "points without an end": [part(POINTS, tensor([math.inf, *SQUARE[1:]], (1, 4, 3)))],
    "points too far": [part(POINTS, tensor([1e300, *SQUARE[1:]], (1, 4, 3), 2))],
    "faces of other points": [points(), part(FACES, tensor([0, 1, 4], (1, 1, 3), 3))],
    "faces before the first point": [points(), part(FACES, tensor([0, 1, -1], (1, 1, 3), 3))],
    "faces of no number": [points(), part(FACES, tensor([0, 1, math.nan], (1, 1, 3)))],
    "few colours": [points(), part(COLORS, tensor(RED_TO_WHITE[:9], (1, 3, 3), 4))],
    "bright colours": [points(), part(COLORS, tensor([256, *RED_TO_WHITE[1:]], (1, 4, 3), 3))],
    "strings": [part(POINTS, message((1, 7), (8, b"words")))],
}


@pytest.mark.parametrize("what", list(BROKEN))
def test_broken_meshes_are_counted_and_the_others_are_read(tmp_path: Path, store: SqliteStore, what: str) -> None:
    path = log(tmp_path / "exp", event(1, *BROKEN[what]), event(2, points()), event(3, simple("loss", 1.0)))
    with pytest.warns(match="1 media that cannot be read are left out: 'square'"):
        assert [step for _, step, *_ in meshes(store, path)] == [2]


def test_run_that_has_grown_gets_the_rest_of_its_meshes(tmp_path: Path, store: SqliteStore) -> None:
    both = POINTS, FACES
    events = [event(0, points(*both)), event(0, faces(*both)), event(1, points(*both))]
    with pytest.warns(match="1 meshes of which parts are missing are left out: 'square'"):
        assert [step for _, step, *_ in meshes(store, log(tmp_path / "exp", *events))] == [0]
    for _ in range(2):
        path = log(tmp_path / "exp", *events, event(1, faces(*both)))
        assert [step for _, step, *_ in meshes(store, path)] == [0, 1]


DAMAGE = st.tuples(st.floats(0, 0.999), st.integers(0, 8), st.binary(max_size=8))  # place, bytes removed, bytes added
GOOD = [points(), faces(), colors(), points(POINTS, FACES), faces(POINTS, FACES)]


@settings(max_examples=60, deadline=None)
@given(damaged=st.lists(st.tuples(st.sampled_from(GOOD), st.lists(DAMAGE, min_size=1, max_size=4)), max_size=12))
def test_damaged_meshes_hide_no_points(
    tmp_path_factory: pytest.TempPathFactory, damaged: list[tuple[bytes, list[tuple[float, int, bytes]]]]
) -> None:
    events = []
    for whole, changes in damaged:
        data = whole
        for place, removed, added in changes:
            at = int(place * len(data))
            data = data[:at] + added + data[at + removed :]
        events.append(event(1, data))
    path = log(tmp_path_factory.getbasetemp() / "damaged meshes", *events, event(2**50, simple("last", 1.5)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TrackbookWarning)
        record, store = imported(path)
    assert values(store, record.id)["last"][-1] == 1.5

"""Meshes and curves of TensorBoard's event files are those that its own plugins show."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trackbook as tb
from peer_stores.scripts import run_script

WRITE = {
    "tensorboardX": """
import numpy as np
from tensorboardX import SummaryWriter
numbers = np.random.default_rng(1)
with SummaryWriter("logs") as writer:
    for step in range(3):
        points = numbers.normal(size=(2, 50, 3)).astype(np.float32)
        colors = numbers.integers(0, 256, (2, 50, 3))
        faces = numbers.integers(0, 50, (2, 30, 3))
        writer.add_mesh("solid", points, colors, faces, global_step=step, walltime=1e9 + step)
        writer.add_mesh("bare", points[:1], None, faces[:1], global_step=step, walltime=1e9 + step)
        writer.add_mesh("cloud", points, global_step=step, walltime=1e9 + step)
        labels, scores = numbers.integers(0, 2, 100), numbers.random(100) * 0.8
        writer.add_pr_curve("pr", labels, scores, step, num_thresholds=100, walltime=1e9 + step)
        writer.add_scalar("loss", step, step)
""",
    "TensorFlow 2": """
import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.mesh import metadata as mesh
from tensorboard.plugins.pr_curve.metadata import create_summary_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

def parts(name, vertices, faces=None, colors=None):  # as `mesh.summary_v2`, which needs TensorFlow
    given = {kind: part for kind, part in ((1, vertices), (2, faces), (3, colors)) if part is not None}
    mask = mesh.get_components_bitmask(given)
    return [
        Summary.Value(
            tag=mesh.get_instance_name(name, kind),
            metadata=mesh.create_summary_metadata(name, None, kind, mask, part.shape, json_config="{}"),
            tensor=make_tensor_proto(part),
        )
        for kind, part in given.items()
    ]

numbers = np.random.default_rng(1)
writer = EventFileWriter("logs")
for step in range(3):
    points = numbers.normal(size=(2, 50, 3)).astype(np.float32)
    colors = numbers.integers(0, 256, (2, 50, 3)).astype(np.uint8)
    faces = numbers.integers(0, 50, (2, 30, 3)).astype(np.int32)
    positives = np.sort(numbers.integers(0, 50, (2, 201)).astype(np.float32))[:, ::-1]
    positives[:, 190:] = 0
    negatives = 50 - positives
    precision, recall = positives[0] / np.maximum(positives.sum(axis=0), 1), positives[0] / 50
    tensor = make_tensor_proto(np.stack([*positives, *negatives, precision, recall]))
    curve = Summary.Value(tag="pr", metadata=create_summary_metadata("pr", "", 201), tensor=tensor)
    for summary in (
        *(Summary(value=[part]) for part in parts("solid", points, faces, colors)),  # an event each, as `summary.mesh` writes them
        Summary(value=parts("bare", points[:1], faces[:1])),
        Summary(value=parts("cloud", points)),
        Summary(value=[curve]),
        scalar_pb("loss", step),
    ):
        writer.add_event(Event(wall_time=1e9 + step, step=step, summary=summary))
writer.close()
""",
}
PARTS = {1: "points", 2: "faces", 3: "colors"}


def theirs(folder: Path) -> tuple[dict[tuple[str, int, int], dict[str, Any]], dict[int, Any]]:
    """Return the parts of meshes by name, step and item, and the curves by step, as TensorBoard's own plugins answer them."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.plugins.mesh.metadata import parse_plugin_metadata
    from tensorboard.plugins.pr_curve.pr_curves_plugin import PrCurvesPlugin
    from tensorboard.util.tensor_util import make_ndarray

    meshes: dict[tuple[str, int, int], dict[str, Any]] = {}
    curves: dict[int, Any] = {}
    contents: dict[str, Any] = {}
    for file in sorted(folder.iterdir()):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                plugin = contents.setdefault(value.tag, value.metadata.plugin_data)
                if plugin.plugin_name == "mesh":
                    about = parse_plugin_metadata(plugin.content)
                    for item, part in enumerate(make_ndarray(value.tensor)):
                        meshes.setdefault((about.name, event.step, item), {})[PARTS[about.content_type]] = part
                elif plugin.plugin_name == "pr_curves":
                    array = make_ndarray(value.tensor)
                    curves[event.step] = PrCurvesPlugin._make_pr_entry(None, event.step, event.wall_time, array)
    return meshes, curves


def parts_of(ply: bytes) -> dict[str, Any]:
    """Return the parts of a mesh in a PLY file."""
    head, _, data = ply.partition(b"end_header\n")
    sizes = {line.split()[1]: int(line.split()[2]) for line in head.decode().splitlines() if line.startswith("element")}
    row = [("points", "<f4", 3)] + ([("colors", "u1", 3)] if b"red" in head else [])
    table = np.frombuffer(data, row, sizes["vertex"])
    found = {name: table[name] for name in table.dtype.names or ()}
    if "face" in sizes:
        faces = [struct.unpack_from("<B3i", data, at) for at in range(table.nbytes, len(data), struct.calcsize("<B3i"))]
        assert (len(faces), {count for count, *_ in faces}) == (sizes["face"], {3})
        found["faces"] = np.array([corners for _, *corners in faces])
    return found


@pytest.mark.parametrize("writer", list(WRITE))
def test_meshes_and_curves_are_those_that_tensorboard_shows(writer: str, tmp_path: Path) -> None:
    run_script(WRITE[writer], tmp_path)
    meshes, curves = theirs(tmp_path / "logs")
    assert (len(meshes), len(curves)) == (15, 3)
    (run,) = tb.import_from(tmp_path / "logs")
    found = {(one.metric, one.step, one.item): one for one in run.media()}
    assert found.keys() == meshes.keys() | {("pr", step, 0) for step in curves}
    for place, parts in meshes.items():
        one = found[place]
        assert (one.kind, one.time, one.path is not None) == ("object3d", 1e9 + one.step, True)
        read = parts_of((one.path or tmp_path).read_bytes())
        assert read.keys() == parts.keys()
        for name, part in parts.items():
            np.testing.assert_array_equal(read[name], part)
    for step, shown in curves.items():
        one = found["pr", step, 0]
        assert (one.kind, one.time) == ("chart", shown["wall_time"])
        (rows,) = json.loads((one.path or tmp_path).read_bytes())["datasets"].values()
        assert [row["x"] for row in rows] == shown["recall"][::-1]
        assert [row["y"] for row in rows] == shown["precision"][::-1]
        assert len(rows) < (100 if writer == "tensorboardX" else 201)
    assert run.history("loss")["value"].to_list() == [0, 1, 2]
    before = [(one.metric, one.step, one.item) for one in run.media()]
    next((tmp_path / "logs").iterdir()).touch()  # so that it is read again
    (again,) = tb.import_from(tmp_path / "logs")
    assert [(one.metric, one.step, one.item) for one in again.media()] == before

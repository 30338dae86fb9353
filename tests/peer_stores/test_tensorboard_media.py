"""Media of TensorBoard's event files are those that its own reader reads."""

from __future__ import annotations

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
        writer.add_image("picture", numbers.integers(0, 255, (3, 4, 5), np.uint8), step, walltime=1e9 + step)
        writer.add_images("grid", numbers.random((4, 3, 4, 5)), step, walltime=1e9 + step)
        writer.add_histogram("weights", numbers.normal(size=1000), step, walltime=1e9 + step)
        writer.add_text("words", f"*{step}*", step, walltime=1e9 + step)
        writer.add_audio("sound", numbers.uniform(-1, 1, (100, 1)), step, sample_rate=8000, walltime=1e9 + step)
        writer.add_scalar("loss", step, step)
""",
    "TensorFlow 2": """
import io
import numpy as np, PIL.Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.image.metadata import create_summary_metadata as image_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

def images(tag, *arrays):
    files = [io.BytesIO() for _ in arrays]
    for file, array in zip(files, arrays):
        PIL.Image.fromarray(array).save(file, "png")
    content = [b"5", b"4", *(file.getvalue() for file in files)]
    metadata = image_metadata(display_name=None, description=None)
    return Summary(value=[Summary.Value(tag=tag, metadata=metadata, tensor=make_tensor_proto(content))])

numbers = np.random.default_rng(1)
writer = EventFileWriter("logs")
for step in range(3):
    for summary in (
        images("picture", *numbers.integers(0, 255, (3, 4, 5, 3), np.uint8)),
        histogram_pb("weights", numbers.normal(size=1000), buckets=20),
        histogram_pb("same", np.full(10, 2.5)),
        text_pb("words", f"*{step}*"),
        text_pb("list", np.array(["a", "b"])),
        scalar_pb("loss", step),
    ):
        writer.add_event(Event(wall_time=1e9 + step, step=step, summary=summary))
writer.close()
""",
}


def theirs(folder: Path) -> list[tuple[str, int, float, str, Any]]:
    """Return tag, step, time, plugin and value of each medium, as TensorBoard's own reader gives them: as tensors of TensorFlow 2."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.util.tensor_util import make_ndarray

    found: list[tuple[str, int, float, str, Any]] = []
    plugins: dict[str, str] = {}
    for file in sorted(folder.iterdir()):
        for event in EventFileLoader(str(file)).Load():
            for value in event.summary.value:
                plugin = plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
                if plugin != "scalars":
                    found.append((value.tag, event.step, event.wall_time, plugin, make_ndarray(value.tensor)))
    return found


def same(media: list[tb.LoggedMedia], plugin: str, value: Any) -> None:
    if plugin == "histograms":
        (one,) = media
        lefts, rights, counts = value.T
        theirs, edges = np.append(lefts, rights[-1]), np.array(one.about["edges"])
        assert (one.kind, sum(one.about["counts"])) == ("histogram", 10 if one.metric == "same" else 1000)
        if len(counts) <= 512:
            np.testing.assert_allclose(edges, theirs, rtol=1e-6)
            assert one.about["counts"] == counts.tolist()
            return
        places = np.array([np.abs(theirs - edge).argmin() for edge in edges])
        np.testing.assert_allclose(theirs[places], edges, rtol=1e-6)
        np.testing.assert_array_equal(np.diff(np.append(0, counts.cumsum())[places]), one.about["counts"])
        return
    contents = {"images": value.ravel()[2:], "text": value.ravel(), "audio": value.ravel()[::2]}[plugin]
    kind = {"images": "image", "text": "markdown", "audio": "audio"}[plugin]
    assert [(one.kind, one.path.read_bytes()) for one in media] == [(kind, content) for content in contents.tolist()]


@pytest.mark.parametrize("writer", list(WRITE))
def test_media_are_those_that_tensorboard_reads(writer: str, tmp_path: Path) -> None:
    run_script(WRITE[writer], tmp_path)
    read = theirs(tmp_path / "logs")
    assert len(read) == 15
    (run,) = tb.import_from(tmp_path / "logs")
    found: dict[tuple[str, int, float], list[Any]] = {}
    for one in run.media():
        found.setdefault((one.metric, one.step, one.time), []).append(one)
    assert found.keys() == {(tag, step, time) for tag, step, time, *_ in read}
    for tag, step, time, plugin, value in read:
        same(found[tag, step, time], plugin, value)
    assert run.history("loss")["value"].to_list() == [0, 1, 2]
    next((tmp_path / "logs").iterdir()).touch()  # so that it is read again
    (again,) = tb.import_from(tmp_path / "logs")
    assert [(one.metric, one.step, one.item) for one in again.media()] == [
        (one.metric, one.step, one.item) for one in run.media()
    ]

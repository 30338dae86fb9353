"""What each type of media takes, what it keeps of that, and what it refuses."""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
import wave
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import polars as pl
import pytest

import trackbook as tb
from trackbook import user_warnings
from trackbook.media import PLACES, index
from trackbook.media.image import MOST_PIXELS
from trackbook.media.recognise import as_media
from trackbook.media.values import Media, MissingEncoderError
from trackbook.store.redact import redact


class Tensor:
    """Like a tensor of torch, whose channels are first."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def detach(self) -> Tensor:
        return self

    cpu = detach

    def numpy(self) -> Any:
        return self.array


class Figure:
    """Like a figure of matplotlib."""

    __module__ = "matplotlib.figure"

    def savefig(self, file: io.BytesIO, **_: Any) -> None:
        PIL.Image.new("RGB", (6, 4)).save(file, "PNG")


def picture(image: tb.Image) -> Any:
    file = image.encode().file
    assert file is not None
    return PIL.Image.open(io.BytesIO(file.content) if isinstance(file.content, bytes) else file.content)


def text_of(media: Media) -> str:
    file = media.encode().file
    assert file is not None
    assert isinstance(file.content, bytes)
    return file.content.decode()


def png(width: int, height: int) -> bytes:
    """A PNG that claims to have so many pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    end = b"IEND"
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part)) for part in (head, end)
    )


GREY = np.array([[0, 128], [255, 7]], np.uint8)


@pytest.mark.parametrize(
    ("array", "pixels"),
    [
        (GREY, GREY),
        (GREY[:, :, None], GREY),
        (GREY.astype(np.int64), GREY),
        (GREY / 255, GREY),
        ((GREY / 255).astype(np.float32), GREY),
        (GREY.astype(float), GREY),
        (np.array([[True, False]]), [[255, 0]]),
        (np.array([[-1.0, 1.0]]), [[0, 255]]),
        (np.stack([GREY] * 3, 2), np.stack([GREY] * 3, 2)),
        (np.stack([GREY] * 4, 2), np.stack([GREY] * 4, 2)),
        (Tensor(np.stack([GREY] * 3)), np.stack([GREY] * 3, 2)),
        (Tensor(GREY[None]), GREY),
        ([[0, 128], [255, 7]], GREY),
        (PIL.Image.fromarray(GREY), GREY),
    ],
)
def test_image_has_the_pixels_of_an_array(array: Any, pixels: Any) -> None:
    image = tb.Image(array)
    assert np.asarray(picture(image)).tolist() == np.asarray(pixels).tolist()
    about = image.encode().about
    assert (about["height"], about["width"]) == np.asarray(pixels).shape[:2]


def test_standardised_tensor_is_stretched() -> None:
    assert np.asarray(picture(tb.Image(Tensor(np.array([[-2.0, 0.0], [2.0, -1.0]]))))).tolist() == [[0, 128], [255, 64]]
    with pytest.raises(ValueError, match="pixels from nan"):
        tb.Image(Tensor(np.array([[np.nan, 3.0]])))


def test_batch_of_tensors_is_a_grid() -> None:
    batch = np.full((9, 1, 4, 5), 200, np.uint8)
    assert picture(tb.Image(Tensor(batch))).size == (8 * 7 - 2, 2 * 6 - 2)


def test_image_keeps_its_pixels_when_the_array_changes() -> None:
    array = np.zeros((2, 2), np.uint8)
    image = tb.Image(array)
    array[:] = 255
    assert not np.asarray(picture(image)).any()


def test_file_is_kept_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.jpeg"
    PIL.Image.new("RGB", (5, 3)).save(path)
    encoded = tb.Image(path, caption="x").encode()
    assert encoded.file is not None
    assert (encoded.file.content, encoded.file.suffix, encoded.file.mime) == (path, ".jpg", "image/jpeg")
    assert (encoded.about, encoded.caption) == ({"width": 5, "height": 3}, "x")


def test_file_that_no_browser_shows_becomes_a_png(tmp_path: Path) -> None:
    path = tmp_path / "x.tiff"
    PIL.Image.new("L", (5, 3)).save(path)
    encoded = tb.Image(str(path)).encode()
    assert encoded.file is not None
    assert encoded.file.mime == "image/png"


def test_image_is_shrunk_and_converted() -> None:
    image = tb.Image(np.zeros((100, 50, 3), np.uint8), mode="L", size=20, file_type="jpg")
    assert (picture(image).format, picture(image).mode, picture(image).size) == ("JPEG", "L", (10, 20))


def test_second_argument_of_trackio_is_a_caption() -> None:
    assert tb.Image(GREY, "a cat").caption == "a cat"
    assert picture(tb.Image(np.stack([GREY] * 3, 2), "L")).mode == "L"


def test_boxes_become_fractions_of_the_image() -> None:
    boxes = {
        "predictions": {
            "class_labels": {1: "cat"},
            "box_data": [
                {
                    "position": {"minX": 0.25, "maxX": 0.5, "minY": 0.0, "maxY": 1.0},
                    "class_id": 1,
                    "scores": {"p": 0.5},
                },
                {"position": {"middle": (10, 5), "width": 20, "height": 10}, "domain": "pixel", "box_caption": "all"},
            ],
        }
    }
    about = tb.Image(np.zeros((10, 20)), boxes=boxes).encode().about["boxes"]["predictions"]
    assert about["labels"] == {"1": "cat"}
    assert about["items"] == [
        {"x": 0.25, "y": 0.0, "width": 0.25, "height": 1.0, "class": 1, "scores": {"p": 0.5}},
        {"x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0, "caption": "all"},
    ]


def test_masks_are_files_of_their_own() -> None:
    mask = np.array([[0, 1], [2, 300]])
    classes = [{"id": 0, "name": "sky"}]
    encoded = tb.Image(GREY, masks={"truth": {"mask_data": mask}}, classes=classes).encode()
    (part,) = encoded.parts
    assert encoded.about["masks"] == {"truth": {"labels": {"0": "sky"}, "file": part.name}}
    assert encoded.described()["files"] == [part.name]
    assert isinstance(part.content, bytes)
    assert np.asarray(PIL.Image.open(io.BytesIO(part.content))).tolist() == mask.tolist()


def test_samples_become_a_wav() -> None:
    samples = np.stack([np.linspace(-1, 1, 8), np.zeros(8)], 1)
    encoded = tb.Audio(samples, sample_rate=4, caption="beep").encode()
    assert encoded.about == {"duration": 2.0, "rate": 4, "channels": 2}
    assert encoded.file is not None
    assert isinstance(encoded.file.content, bytes)
    with wave.open(io.BytesIO(encoded.file.content)) as file:
        left = np.frombuffer(file.readframes(8), "<i2")[::2]
    assert (left[0], left[-1]) == (-32_767, 32_767)


def test_samples_without_a_rate_are_taken_for_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_warnings, "_said", set())
    with pytest.warns(tb.TrackbookWarning, match="44,100 a second"):
        encoded = tb.Audio(np.zeros(44_100), "silence", format="wav").encode()
    assert (encoded.about["duration"], encoded.caption) == (1.0, "silence")


def test_names_of_other_trackers_make_the_same(tmp_path: Path) -> None:
    points = np.zeros((2, 3))
    for made in (
        tb.Object3D.from_numpy(points),
        tb.Object3D.from_point_cloud(points=points, boxes=[]),
        tb.Object3D(points),
    ):
        assert made.encode().about == {"format": "points"}
    (tmp_path / "x.pdb").write_text("ATOM")
    assert tb.Molecule.from_pdb_file(tmp_path / "x.pdb", caption="x").encode().caption == "x"
    assert text_of(tb.Html("page.html", data_is_not_path=True)) == "page.html"
    assert tb.Html("<p>", False).caption is None
    table = tb.echarts.Table().add(["a"], [[1]]).set_global_opts()
    assert (table.columns, table.data) == (["a"], [[1]])


def test_video_of_frames_is_a_gif_without_an_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    frames = np.random.default_rng(1).integers(0, 255, (5, 3, 8, 10), np.uint8)
    encoded = tb.Video(frames, fps=10).encode()
    assert encoded.about == {"width": 10, "height": 8, "frames": 5, "fps": 10, "duration": 0.5}
    assert encoded.file is not None
    assert isinstance(encoded.file.content, bytes)
    assert PIL.Image.open(io.BytesIO(encoded.file.content)).n_frames == 5  # type: ignore[attr-defined]


@pytest.mark.parametrize("format_", ["mp4", "webm"])
def test_video_of_odd_size_is_encoded(format_: str) -> None:
    av = pytest.importorskip("av")
    file = tb.Video(np.zeros((3, 9, 11, 3), np.uint8), format=format_).encode().file
    assert file is not None
    assert isinstance(file.content, bytes)
    with av.open(io.BytesIO(file.content)) as container:
        assert len(list(container.decode(video=0))) == 3


@pytest.mark.parametrize(
    ("module", "make", "said"),
    [
        ("av", lambda: tb.Video(np.zeros((2, 3, 4, 4), np.uint8), format="mp4"), "needs PyAV"),
        ("soundfile", lambda: tb.Audio([0.0] * 4, sample_rate=2, file_type="flac"), "needs soundfile"),
    ],
)
def test_missing_encoder_is_named_when_it_is_logged(
    module: str, make: Callable[[], Media], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    media = make()
    with pytest.raises(MissingEncoderError, match=rf"{said}: pip install 'trackbook\[media\]'"):
        media.encode()


def test_texts_are_kept_without_secrets() -> None:
    assert text_of(tb.Text("héllo")) == "héllo"
    assert text_of(tb.Text(3)) == "3"
    assert text_of(tb.Markdown("# x")) == "# x"
    assert "hunter2hunter2" not in text_of(tb.Text("password=hunter2hunter2"))


SECRET = "hunter2hunter2"


class Said:
    def __str__(self) -> str:
        return f"password={SECRET}"

    __repr__ = __str__


@pytest.mark.parametrize(
    "make",
    [
        lambda: tb.Trace([{"role": "user", "content": "x", "password": SECRET}]),
        lambda: tb.Trace([{"role": "user", "content": f"password={SECRET}"}], metadata={(1, 2): {"api_key": [SECRET]}}),
        lambda: tb.Trace([{"role": "user", "content": Said()}]),
        lambda: tb.Plotly({"data": [], "layout": {"title": f"password={SECRET}"}}),
        lambda: tb.ECharts({"password": SECRET}),
        lambda: tb.Chart({"usermeta": {"said": Said(), "api_key": SECRET}}),
        lambda: tb.Table(columns=["a"], data=[[{"password": SECRET}]]),
        lambda: tb.Table(columns=["a"], data=[[[f"password={SECRET}"]]]),
        lambda: tb.Table(columns=[f"password={SECRET}"], data=[[Said()]]),
        lambda: tb.Image([[1]], boxes={"b": {"box_data": [_box(f"password={SECRET}")]}}),
    ],
)
def test_no_kind_of_media_holds_a_secret(make: Any) -> None:
    encoded = make().encode()
    row = index.rows_from(0, "a", 0, 0.0, [encoded])
    assert SECRET not in repr(row)
    assert SECRET.encode() not in encoded.file.content
    assert "[redacted]" in repr(row) + repr(encoded.file.content)


def test_arrays_of_plotly_are_not_taken_for_secrets() -> None:
    sizes = base64.b64encode(np.array([16, *[0] * 8], np.int32).tobytes()).decode()
    assert "[redacted]" in redact(sizes)
    figure = {"data": [{"y": {"dtype": "i4", "bdata": sizes}}]}
    assert json.loads(text_of(tb.Plotly(figure))) == figure


def _box(caption: str) -> dict[str, Any]:
    return {"position": {"minX": 0, "maxX": 1, "minY": 0, "maxY": 1}, "class_id": 1, "box_caption": caption}


def test_html_is_a_text_a_file_or_a_path(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<p>x")
    assert {text_of(tb.Html(each)) for each in ("<p>x", str(path), path, io.BytesIO(b"<p>x"))} == {"<p>x"}


def test_table_has_types_and_media_in_cells() -> None:
    table = tb.Table(columns=["n", "s", "b", "i", "x"], data=[[1, "a", True, tb.Image(GREY), {"k": 1}]])
    table.add_data(np.float32(0.5), None, False, None, "mixed")
    encoded = table.encode()
    kinds = [column["type"] for column in encoded.about["columns"]]
    assert (kinds, encoded.about["rows"]) == (["number", "string", "bool", "media", "json"], 2)
    assert len(encoded.parts) == 1
    content = json.loads(text_of(table))
    assert content["data"][3][0]["file"] == encoded.parts[0].name
    assert content["data"][0] == [1, 0.5]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pl.LazyFrame({"a": [1, 2], "b": ["x", None]}),
        {"a": [1, 2], "b": ["x", None]},
    ],
)
def test_table_of_a_dataframe(frame: Any) -> None:
    for table in (tb.Table(frame), tb.Table(dataframe=frame)):
        assert (table.columns, table.data) == (["a", "b"], [[1, "x"], [2, None]])


def test_table_of_pandas() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2026-01-01", None])})
    content = json.loads(text_of(tb.Table(frame)))
    assert [column["type"] for column in content["columns"]] == ["number", "time"]
    assert content["data"] == [[1, 2], ["2026-01-01T00:00:00", None]]


def test_table_of_wandb_grows() -> None:
    table = tb.Table(columns=["a"])
    table.add_data(1)
    table.add_column("b", ["x"])
    assert (table.get_column("b"), list(table.iterrows())) == (["x"], [(0, [1, "x"])])


def test_histogram_counts() -> None:
    about = tb.Histogram([1, 2, 2, float("nan"), float("inf")], num_bins=2).encode().about
    assert about == {"edges": [1.0, 1.5, 2.0], "counts": [1, 2], "nan": 2}
    for made in (tb.Histogram(np_histogram=np.histogram([1, 2, 2], 2)), tb.Histogram(np.histogram([1, 2, 2], 2))):
        assert made.encode().about == {"edges": [1.0, 1.5, 2.0], "counts": [1, 2]}
    assert tb.Histogram([1e300, 1e300 * (1 + 2e-16)]).encode().about["counts"] == [2]


def test_trace_has_messages() -> None:
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [{"id": "1"}]}]
    trace = tb.Trace(messages, metadata={"reward": 1})
    assert json.loads(text_of(trace)) == {"messages": messages, "metadata": {"reward": 1}}
    assert trace.encode().about == {"messages": 2}


def test_charts_are_their_json() -> None:
    import altair as alt

    chart = alt.Chart(pl.DataFrame({"x": [1]})).mark_point().encode(x="x:Q")
    for each in (chart, chart + chart, alt.hconcat(chart, chart), chart.to_dict()):
        assert "$schema" in json.loads(text_of(tb.Chart(each)))
    assert json.loads(text_of(tb.ECharts({"series": []}))) == {"series": []}
    assert json.loads(text_of(tb.Plotly({"data": []}))) == {"data": []}


def test_objects_and_molecules_are_kept(tmp_path: Path) -> None:
    points = tb.Object3D(np.zeros((2, 6)))
    assert json.loads(text_of(points)) == {"points": [[0.0] * 6] * 2}
    path = tmp_path / "x.glb"
    path.write_bytes(b"glTF")
    assert tb.Object3D(path).encode().about == {"format": "glb"}
    assert tb.Molecule("ATOM\n", file_type="pdb").encode().about == {"format": "pdb"}
    assert tb.Molecule.from_smiles("CCO").encode().about == {"format": "smi"}


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (tb.Image, TypeError, "needs a value"),
        (lambda: tb.Image(np.zeros((2, 3, 4, 5))), ValueError, "several images; log a list"),
        (lambda: tb.Image(np.zeros((3, 8, 8))), ValueError, r"channels are first: array.transpose\(1, 2, 0\)"),
        (lambda: tb.Image(np.zeros(4)), ValueError, "not an image of shape"),
        (lambda: tb.Image(np.zeros((0, 4))), ValueError, "is empty"),
        (lambda: tb.Image(np.array([["a"]])), TypeError, "pixels of dtype <U1; give uint8"),
        (lambda: tb.Image(np.array([[300]])), ValueError, "pixels from 300 to 300; give integers from 0 to 255"),
        (lambda: tb.Image(np.array([[np.nan]])), ValueError, "pixels from nan to nan"),
        (lambda: tb.Image(np.zeros((2, 2), complex)), TypeError, "dtype complex128"),
        (lambda: tb.Image("nowhere.png"), FileNotFoundError, "there is no file"),
        (lambda: tb.Image("x" * 5000), FileNotFoundError, "there is no file"),
        (lambda: tb.Image(object()), TypeError, "not what it takes; give a path"),
        (lambda: tb.Image(GREY, file_type="exe"), ValueError, "is not one of png, jpg"),
        (lambda: tb.Image(GREY, caption=["x"]), TypeError, "give a string"),
        (lambda: tb.Image(GREY, boxes={"p": {"box_data": [{"position": {}}]}}), ValueError, "minX"),
        (lambda: tb.Image(GREY, masks={"p": {"mask_data": np.zeros((3, 3), int)}}), ValueError, "shape"),
        (lambda: tb.Image(GREY, masks=[1]), TypeError, "give groups"),
        (lambda: tb.Audio([0.0, 1.0], sample_rate=[1]), TypeError, r"sample_rate=\[1\] is not a number"),
        (lambda: tb.Audio([0.0], sample_rate=-1), ValueError, "sample_rate=-1 is not between"),
        (lambda: tb.Audio([float("nan")], sample_rate=1), ValueError, "not finite"),
        (lambda: tb.Audio(np.zeros((4, 4, 4)), sample_rate=1), TypeError, "samples of shape"),
        (lambda: tb.Audio([0.0], sample_rate=1, file_type="mid"), ValueError, "not one of wav"),
        (lambda: tb.Video(np.zeros((4, 4))), TypeError, "frames of shape"),
        (lambda: tb.Video(np.zeros((4, 5, 6, 7))), TypeError, "with 1, 3 or 4 channels"),
        (lambda: tb.Video(np.zeros((1, 3, 4, 4)), fps="x"), TypeError, "fps='x' is not a number"),
        (lambda: tb.Text(None), TypeError, "needs a value"),
        (lambda: tb.Text(object()), TypeError, "give a string"),
        (lambda: tb.Table(columns=["a"], data=[[1, 2]]), ValueError, "row 0 has 2 values, and there are 1 columns"),
        (lambda: tb.Table(columns=["a"], data=[3]), TypeError, "a list of rows"),
        (lambda: tb.Table(dataframe=object()), TypeError, "or a dataframe"),
        (lambda: tb.Histogram([]), ValueError, "no finite number"),
        (lambda: tb.Histogram("abc"), TypeError, "give numbers"),
        (lambda: tb.Histogram([1], num_bins=1000), ValueError, "num_bins=1000 is not between"),
        (lambda: tb.Histogram(np_histogram=([1, 2], [1, 2])), ValueError, "one more than counts"),
        (lambda: tb.Histogram(np_histogram=([1], [0, float("inf")])), ValueError, "edges are finite and ascend"),
        (lambda: tb.Histogram(np_histogram=([float("nan")], [0, 1])), ValueError, "counts are from 0 on"),
        (lambda: tb.Trace([{"content": "x"}]), ValueError, "message 0 has no role"),
        (lambda: tb.Trace(3), TypeError, "give messages"),
        (lambda: tb.Chart(object()), TypeError, "a chart of Altair"),
        (lambda: tb.Plotly(3), TypeError, "a figure of Plotly"),
        (lambda: tb.Object3D(np.zeros((2, 5))), TypeError, "points of shape"),
        (lambda: tb.Object3D(np.full((2, 3), np.nan)), ValueError, "all of them finite"),
        (lambda: tb.Molecule(3), TypeError, "a molecule of RDKit"),
        (lambda: tb.Molecule("x", file_type="exe"), ValueError, "not one of pdb"),
    ],
)
def test_bad_value_says_what_was_expected(make: Callable[[], Any], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        make()


@pytest.mark.parametrize(
    ("name", "content", "make", "said"),
    [
        ("x.png", b"no image", tb.Image, "not an image that can be read"),
        ("x.png", b"", tb.Image, "is empty"),
        ("bomb.png", png(60_000, 60_000), tb.Image, "has too many pixels: .* log a smaller one"),
        ("large.png", png(11_000, 11_000), tb.Image, "has too many pixels: .* log a smaller one"),
        ("large.png", png(9_450, 9_450), tb.Image, f"9,450 x 9,450 pixels are more than {MOST_PIXELS:,}"),
        ("x.dds", b"DDS " + struct.pack("<I", 124) + bytes(120), tb.Image, "not an image that can be read"),
        ("x.wav", b"no sound", tb.Audio, "is not a file of type audio/wav"),
        ("x.exe", b"MZ", tb.Audio, "ends in .exe; give one of .wav"),
        ("x.mp4", b"no video", tb.Video, "is not a file of type video/mp4"),
        ("x.avi", b"RIFF", tb.Video, "convert it to MP4"),
        ("x.exe", b"MZ", tb.Object3D, "give one of .gltf"),
        ("x.exe", b"MZ", tb.Molecule, "give one of pdb"),
    ],
)
def test_bad_file_says_what_was_expected(name: str, content: bytes, make: Any, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        make(str(path))
    with pytest.raises(ValueError, match="is not a file"):
        make(str(tmp_path))


def test_bytes_of_a_file_are_kept_as_they_are(tmp_path: Path) -> None:
    for value, made, name in (
        (tb.Image(GREY), tb.Image, "x.png"),
        (tb.Audio([0.0, 0.5], sample_rate=8000), tb.Audio, "x.wav"),
    ):
        whole = value.encode()
        assert whole.file is not None
        assert isinstance(whole.file.content, bytes)
        (tmp_path / name).write_bytes(whole.file.content)
        again, of_path = made(whole.file.content).encode(), made(tmp_path / name).encode()
        assert again.file == whole.file
        assert again.about == of_path.about == whole.about
    with pytest.raises(ValueError, match="Image: a file of 8 bytes is not an image that can be read"):
        tb.Image(b"no image")
    with pytest.raises(ValueError, match="has too many pixels"):
        tb.Image(png(60_000, 60_000))
    with pytest.raises(ValueError, match="Image: 0 bytes; from 1 to 200,000,000 are taken"):
        tb.Image(b"")
    with pytest.raises(ValueError, match="a file of 8 bytes is not a file of type audio/wav"):
        tb.Audio(b"no sound")
    with pytest.raises(ValueError, match=r"ends in \.exe; give one of \.wav"):
        tb.Audio(b"no sound", file_type="exe")
    odd = tb.Audio(b"RIFF" + struct.pack("<I", 99) + b"WAVEfmt " + struct.pack("<I", 2**31) + bytes(40)).encode()
    assert (odd.kind, odd.about) == ("audio", {})
    mp3 = tb.Audio(b"ID3 and so on", file_type="mp3").encode().file
    assert (mp3 and mp3.mime, mp3 and mp3.suffix) == ("audio/mpeg", ".mp3")


def test_cut_off_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    PIL.Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="not an image that can be read"):
        tb.Image(path)


@pytest.mark.parametrize("value", [1.0, "x", [], [tb.Image(GREY), 1], object(), {"a": 1}, [1, 2], np.zeros(3)])
def test_other_values_are_no_media(value: Any) -> None:
    assert as_media(value) is None


def test_objects_of_other_libraries_are_media() -> None:
    import altair as alt

    chart = alt.Chart(pl.DataFrame({"x": [1]})).mark_point()
    for value, kind in (
        (Figure(), "image"),
        (PIL.Image.new("L", (1, 1)), "image"),
        (chart, "chart"),
        (pl.DataFrame({"a": [1]}), "table"),
    ):
        found = as_media(value)
        assert isinstance(found, Media)
        assert found.kind == kind
    several = as_media([Figure(), PIL.Image.new("L", (1, 1))])
    assert isinstance(several, list)
    assert [each.kind for each in several] == ["image", "image"]


@pytest.mark.parametrize("name", PLACES)
def test_every_type_is_public(name: str) -> None:
    assert getattr(tb, name).__name__ == name
    assert name in tb.__all__
    assert getattr(tb, name).__doc__

"""Media of TensorBoard's summaries: of the messages of their own that TensorFlow 1 and PyTorch write, and of TensorFlow 2's tensors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, Final

from ..media import media_type
from ..media.histogram import MOST_BINS
from ..media.plots import pr_chart
from ..media.values import Encoded
from . import protobuf, tensors

IMAGE, HISTOGRAM, AUDIO = 4, 5, 6  # fields of a summary's value
MESSAGES: Final = (IMAGE, HISTOGRAM, AUDIO)
PLUGINS: Final = ("images", "histograms", "text", "audio", "pr_curves")
_CURVE: Final = "1"  # the name that `plot.pr_curve` gives the positive ones of two classes


def of_message(field: int, data: memoryview) -> list[Encoded]:
    """Return the medium of the message in a field of a summary's value. Raises one of `media_values.UNREADABLE`."""
    if field == HISTOGRAM:
        return [_of_buckets(data)]
    found = protobuf.last_fields(data)
    return [media_type("Image" if field == IMAGE else "Audio")(bytes(_memory(found.get(4)))).encode()]


def of_tensor(plugin: str, data: memoryview) -> list[Encoded]:
    """Return the media of the tensor of a plugin, one of `PLUGINS`. Raises one of `media_values.UNREADABLE`."""
    if plugin == "histograms":
        return [_of_rows(data)]
    if plugin == "pr_curves":
        return [_of_counts(data)]
    strings = tensors.strings(data)
    if plugin == "images":  # width and height come first
        return [media_type("Image")(content).encode() for content in strings[2:]]
    if plugin == "audio":
        labels = strings[1::2] if tensors.shape(data)[1:] == (2,) else [b""] * len(strings)
        contents = strings[::2] if tensors.shape(data)[1:] == (2,) else strings
        captions = [label.decode(errors="replace") or None for label in labels]
        pairs = zip(contents, captions, strict=True)
        return [media_type("Audio")(content, caption=caption).encode() for content, caption in pairs]
    texts = [text.decode(errors="replace") for text in strings]
    if len(size := tensors.shape(data)) == 2 and math.prod(size) == len(texts) > 0:
        rows = [texts[at : at + size[1]] for at in range(0, len(texts), size[1])]
        return [media_type("Table")(data=rows).encode()]
    return [media_type("Markdown")(text).encode() for text in texts]


def _memory(value: Any) -> memoryview:
    if not isinstance(value, memoryview):
        raise TypeError("a content is of another type than expected")
    return value


def _of_buckets(data: memoryview) -> Encoded:
    """Return the histogram of a ``HistogramProto``: without empty buckets at its ends, which reach to infinity, as TensorBoard shows it."""
    found = protobuf.last_fields(data)
    limits = tensors.numbers(tensors.values(data, 6), "d")
    counts = tensors.numbers(tensors.values(data, 7), "d")
    if len(limits) != len(counts):
        raise ValueError(f"{len(limits):,} limits and {len(counts):,} counts")
    full = [place for place, count in enumerate(counts) if count > 0]
    if not full:
        raise ValueError("an empty histogram")
    first, last = full[0], full[-1]
    edges = [protobuf.double(found.get(1)), *limits[first:last], protobuf.double(found.get(2))]
    return _histogram(counts[first : last + 1], edges)


def _of_rows(data: memoryview) -> Encoded:
    """Return the histogram of a tensor with left edge, right edge and count of each bucket."""
    numbers = tensors.floats(data)
    if tensors.shape(data)[1:] != (3,) or not numbers:
        raise ValueError(f"a histogram of shape {tensors.shape(data)}")
    lefts, rights, counts = numbers[::3], numbers[1::3], numbers[2::3]
    if lefts[1:] != rights[:-1]:
        raise ValueError("a histogram with gaps")
    return _histogram(counts, [*lefts, rights[-1]])


def _of_counts(data: memoryview) -> Encoded:
    """Return the curve of a tensor with six rows, of which the last two are precision and recall by ascending threshold.

    As in TensorBoard, the largest thresholds are left out if nothing reaches them: there is no precision then.
    """
    numbers, size = tensors.floats(data), tensors.shape(data)
    if len(size) != 2 or size[0] != 6 or not numbers:
        raise ValueError(f"a curve of shape {size}")
    true, false, _, _, precision, recall = (numbers[at : at + size[1]] for at in range(0, len(numbers), size[1]))
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a curve with numbers that are not finite")
    end = max((at for at in range(size[1]) if int(true[at]) + int(false[at])), default=0) + 1
    encoded: Encoded = media_type("Chart")(pr_chart([(_CURVE, recall[:end][::-1], precision[:end][::-1])])).encode()
    return encoded


def _histogram(counts: Sequence[float], edges: Sequence[float]) -> Encoded:
    """Return a histogram, in which the narrow ones of very many buckets are put together."""
    if not all(left <= right for left, right in itertools.pairwise(edges)) or not all(count >= 0 for count in counts):
        raise ValueError("edges ascend, and counts are from 0 on")
    pair = (counts, edges) if len(counts) <= MOST_BINS else _merged(counts, edges)
    encoded: Encoded = media_type("Histogram")(np_histogram=pair).encode()
    return encoded


def _merged(counts: Sequence[float], edges: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return counts and edges of buckets of at least one 256th of the whole width: TensorFlow's are 1e-12 wide around zero."""
    least = (edges[-1] - edges[0]) / (MOST_BINS // 2)
    merged, kept, total = list[float](), [edges[0]], 0.0
    for number, (count, right) in enumerate(zip(counts, edges[1:], strict=True), 1):
        total += count
        if 0 < least <= right - kept[-1] or number == len(counts):
            merged.append(total)
            kept.append(right)
            total = 0.0
    return merged, kept

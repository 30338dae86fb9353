"""Boxes and masks over an image, in the form that wandb gave them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from ..text import one_line
from .values import File, as_array

MOST_BOXES: Final = 10_000
_BOX: Final = (
    '{"position": {"minX": 0.1, "maxX": 0.5, "minY": 0.2, "maxY": 0.6}, "class_id": 1}, or with "middle": [x, y], "width" and '
    '"height", and "domain": "pixel" for pixels'
)


class Classes:
    """Names of classes, as wandb has them: a list of ``{"id": 0, "name": "cat"}``. Raises ``TypeError`` for anything else."""

    def __init__(self, class_set: Any) -> None:
        self.labels = labels(class_set, None)


def as_boxes(boxes: Mapping[str, Any], classes: Any, width: int, height: int) -> dict[str, Any]:
    """Return groups of boxes with positions as fractions of the image, from its top left. Raises ``TypeError`` or ``ValueError``."""
    found = {}
    for group, given in _groups("boxes", boxes):
        listed = given.get("box_data")
        if not isinstance(listed, (list, tuple)):
            _refuse("boxes", group, '{"box_data": [...], "class_labels": {...}}', given)
        if len(listed) > MOST_BOXES:
            raise ValueError(f"Image: boxes[{group!r}] has {len(listed):,} boxes; at most {MOST_BOXES:,} are taken")
        found[group] = {
            "labels": labels(given.get("class_labels"), classes),
            "items": [_box(group, box, width, height) for box in listed],
        }
    return found


def _box(group: str, box: Any, width: int, height: int) -> dict[str, Any]:
    try:
        position = box["position"]
        across, down = (width, height) if box.get("domain") == "pixel" else (1, 1)
        if "middle" in position:
            wide, high = position["width"] / across, position["height"] / down
            left, top = position["middle"][0] / across - wide / 2, position["middle"][1] / down - high / 2
        else:
            left, top = position["minX"] / across, position["minY"] / down
            wide, high = position["maxX"] / across - left, position["maxY"] / down - top
        numbers = {"x": float(left), "y": float(top), "width": float(wide), "height": float(high)}
        scores = {str(name): float(score) for name, score in (box.get("scores") or {}).items()}
        class_id = box.get("class_id")
        more = {
            "class": None if class_id is None else int(class_id),
            "caption": box.get("box_caption"),
            "scores": scores,
        }
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, ZeroDivisionError):
        _refuse("boxes", group, f"boxes such as {_BOX}", box)
    if not all(-10 < number < 10 for number in numbers.values()):
        _refuse("boxes", group, f"fractions of the image from 0 to 1, or pixels, as in {_BOX}", box)
    return numbers | {name: value for name, value in more.items() if value not in (None, {})}


def as_masks(masks: Mapping[str, Any], classes: Any, width: int, height: int) -> dict[str, tuple[dict[str, str], File]]:
    """Return for each group the labels of its classes, and its mask as a grey PNG of class ids. Raises ``TypeError`` or ``ValueError``."""
    import numpy as np
    import PIL.Image

    found = {}
    for group, given in _groups("masks", masks):
        array = as_array(given.get("mask_data"))
        if array is None or array.ndim != 2 or array.dtype.kind not in "iub":
            _refuse(
                "masks", group, '{"mask_data": an array of class ids (height, width), "class_labels": {...}}', given
            )
        if array.shape != (height, width) and height:
            raise ValueError(
                f"Image: masks[{group!r}] has shape {array.shape}; the image is ({height}, {width}): (height, width)"
            )
        if array.size and not (array.min() >= 0 and array.max() <= 65_535):
            raise ValueError(f"Image: masks[{group!r}] has class ids outside of 0 to 65,535")
        wide = bool(array.size and array.max() > 255)
        file = io.BytesIO()
        PIL.Image.fromarray(np.ascontiguousarray(array.astype(np.uint16 if wide else np.uint8))).save(file, "PNG")
        found[group] = labels(given.get("class_labels"), classes), File(file.getvalue(), ".png", "image/png")
    return found


def labels(given: Any, classes: Any) -> dict[str, str]:
    """Return names of classes by id, of a dict, or of wandb's list of ``{"id": 0, "name": "cat"}``."""
    if given is None:
        given = getattr(classes, "labels", classes)
    if isinstance(given, Mapping):
        return {str(number): str(name) for number, name in given.items()}
    try:
        return {str(each["id"]): str(each["name"]) for each in given or ()}
    except (TypeError, KeyError):
        raise TypeError(
            f"Image: {one_line(repr(given))} does not name classes; give {{0: 'cat'}} or [{{'id': 0, 'name': 'cat'}}]"
        ) from None


def _groups(what: str, groups: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(groups, Mapping) or not all(isinstance(each, Mapping) for each in groups.values()):
        raise TypeError(f'Image: {what}={one_line(repr(groups))}; give groups, such as {{"predictions": {{...}}}}')
    return [(str(name), each) for name, each in groups.items()]


def _refuse(what: str, group: str, expected: str, given: Any) -> NoReturn:
    raise ValueError(f"Image: {what}[{group!r}] takes {expected}, not {one_line(repr(given))}")
